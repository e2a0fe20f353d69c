"""The rules by which a new verdict changes a record: evidence rises, failures leave, nothing lowers."""

from __future__ import annotations

from dataclasses import replace
from typing import Literal

from tritongen.export.records import VerdictLike, Verification
from tritongen.verify.verdict import EVIDENCE, Evidence

Effect = Literal["raised", "renewed", "kept", "unable", "unjudged", "rejected"]
"""What a verdict does to a record.

`raised`: proved further than before. `renewed`: proved again just as far (asked for by `redo`).
`kept`: passed, but no further than before. `unable`: it cannot be tried on this device. `unjudged`:
the verifier itself went wrong. `rejected`: it failed and leaves the splits.
"""

EFFECTS: tuple[Effect, ...] = ("raised", "renewed", "kept", "unable", "unjudged", "rejected")

TRIES = {"worker": 3, "timeout": 2, "internal": 3}
"""How often a pair is tried before a verdict of this check counts: these may not be its fault."""

_LEVELS: dict[str, Evidence] = {"cpu": "interpreted", "cuda": "gpu"}


def level_of(device: str) -> Evidence:
    """The evidence that a device can give."""
    return _LEVELS[device]


def rank(evidence: str) -> int:
    """The place of an evidence in the order of proofs; 0 for a name that is not known."""
    return EVIDENCE.index(evidence) if evidence in EVIDENCE else 0


def is_due(known: Verification, level: str, redo: bool = False) -> bool:
    """Whether a record is to be verified where `level` can be reached."""
    return redo or known.status != "passed" or rank(known.evidence) < rank(level)


def tries(verdict: VerdictLike) -> int:
    """How many verdicts like this one a pair gets before it counts."""
    if verdict.status != "error":
        return 1
    if verdict.check == "worker" and verdict.reason.startswith("timeout"):
        return TRIES["timeout"]
    return TRIES.get(verdict.check, 1)


def effect_of(
    known: Verification, verdict: VerdictLike, level: str, redo: bool = False
) -> tuple[Effect, Verification]:
    """What a verdict does to a record of which `known` is known, and what is known afterwards."""
    new = stored(verdict)
    if new.status == "passed":
        before = rank(known.evidence) if known.status == "passed" else -1
        if rank(new.evidence) > before:
            return "raised", _joined(known, new)
        if rank(new.evidence) == before and redo:
            return "renewed", _joined(known, new)
        return "kept", known
    if new.status == "error":
        if new.check == "internal":
            return "unjudged", new
        proved = known.status == "passed" and rank(known.evidence) >= rank(level)
        if proved or new.check in ("requires", "sanitize"):
            return "unable", new
    return "rejected", new


def stored(verdict: VerdictLike) -> Verification:
    """A verdict as plain values that need no verifier."""
    return Verification(
        status=verdict.status,
        reason=verdict.reason,
        check=verdict.check,
        evidence=verdict.evidence,
        proof=verdict.proof,
        targets=dict(verdict.targets),
        device=verdict.device,
        torch=verdict.torch,
        triton=verdict.triton,
        max_abs_error=verdict.max_abs_error,
        max_rel_error=verdict.max_rel_error,
        seconds=verdict.seconds,
        coverage=dict(verdict.coverage),
        witness=None if verdict.witness is None else dict(verdict.witness),
    )


def _joined(known: Verification, new: Verification) -> Verification:
    """What the sanitizer adds to the figures of the run before it, which it does not measure."""
    if new.evidence != "sanitized":
        return new
    return replace(known, evidence="sanitized", seconds=known.seconds + new.seconds)
