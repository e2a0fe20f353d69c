"""Pairs are checked against programs: what one program's verdict says of another text of it.

Compiling is nearly all of the cost, and naming variants of one program compile to the same code.
So the first text of a program is run; each further text is shown to be an alpha-renaming of it
(tritongen.canonical: same normal form, same entry points, same demands) and takes its verdict. A
share of the further texts (`audit`) is run as it stands besides.
"""

from __future__ import annotations

import json
from collections import OrderedDict
from dataclasses import dataclass, field, replace
from hashlib import blake2b

from tritongen.canonical import canonical_pair
from tritongen.errors import VerificationError
from tritongen.verify.flow import SENT, PairLike, metadata_of
from tritongen.verify.verdict import Verdict

KEPT = 20_000


def program_key(pair: PairLike) -> str | None:
    """The key that the texts of one program share, or None where a text has no normal form."""
    try:
        form = canonical_pair(pair)
    except VerificationError:
        return None
    metadata = metadata_of(pair)
    demands = {key: metadata[key] for key in (*SENT, "targets") if key in metadata}
    demands["entry"] = {
        role: form.names.get(name, "") for role, name in (metadata.get("entry") or {}).items()
    }
    digest = blake2b(digest_size=16, person=b"program")
    for part in (*form.parts, form.notes, json.dumps(demands, sort_keys=True, default=str)):
        digest.update(part.encode())
        digest.update(b"\0")
    return digest.hexdigest()


def audited(pair: PairLike, share: float) -> bool:
    """Whether this text is among the `share` that is run as it stands, whoever shares its program."""
    text = f"{pair.python_code}\0{pair.triton_code}\0{pair.test_code}"
    number = int.from_bytes(blake2b(text.encode(), digest_size=8, person=b"audit").digest(), "big")
    return number < share * 2**64


@dataclass(slots=True)
class Program:
    """One program of a stream: its verdict once there is one, and who waits for it."""

    verdict: Verdict | None = None
    waiting: list[int] = field(default_factory=list)

    def share(self) -> Verdict | None:
        """The verdict of a further text; None where it must be run itself.

        What could not be judged (a timeout, a crash) says nothing of another text.
        """
        if self.verdict is None or self.verdict.status == "error":
            return None
        return replace(self.verdict, proof="program", seconds=0.0)


class Programs:
    """The programs that a stream has met, the latest `KEPT` of them."""

    def __init__(self) -> None:
        self._known: OrderedDict[str, Program] = OrderedDict()

    def meet(self, key: str) -> tuple[Program, bool]:
        """The program of a key, and whether it is new."""
        program = self._known.get(key)
        if program is not None:
            self._known.move_to_end(key)
            return program, False
        program = self._known[key] = Program()
        if len(self._known) > KEPT:
            self._known.popitem(last=False)
        return program, True


def contradicted(program: Verdict, audit: Verdict) -> Verdict:
    """The verdict of an audited text: its own, with a word on what its program's verdict was."""
    if audit.status == "failed" and program.passed:
        reason = f"audit: the program passed under another text, but not this one: {audit.reason}"
        return replace(audit, reason=reason, proof="audited")
    return replace(audit, proof="audited")
