"""The verdict: what verification found out about one pair, as a small frozen record."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import asdict, dataclass, field
from typing import Any, Literal

Status = Literal["passed", "failed", "error"]
Proof = Literal["verbatim", "program", "audited"]
Evidence = Literal["none", "static", "compiled", "interpreted", "gpu", "sanitized"]

EVIDENCE: tuple[Evidence, ...] = (
    "none",
    "static",
    "compiled",
    "interpreted",
    "gpu",
    "sanitized",
)


@dataclass(frozen=True, slots=True)
class Verdict:
    """Outcome of verification of one pair.

    `failed` means that the pair was judged and is wrong; `error` that it could not be judged (it
    hung, crashed, left the process or needs what is not there). `check` is the name of the check
    that spoke, `witness` where it saw the fault, `coverage` what was tried. `proof` says what ran:
    this text (`verbatim`), another text of its program that it is an alpha-renaming of (`program`),
    or both (`audited`).
    """

    status: Status
    reason: str = ""
    check: str = ""
    evidence: Evidence = "none"
    targets: dict[str, str] = field(default_factory=dict)
    device: str = ""
    torch: str = ""
    triton: str = ""
    max_abs_error: float | None = None
    max_rel_error: float | None = None
    seconds: float = 0.0
    coverage: dict[str, Any] = field(default_factory=dict)
    witness: dict[str, Any] | None = None
    proof: Proof = "verbatim"

    @property
    def passed(self) -> bool:
        """Whether the pair may enter a dataset."""
        return self.status == "passed"

    def to_record(self) -> dict[str, Any]:
        """The verdict as plain data, all fields in declared order."""
        return asdict(self)

    @classmethod
    def from_record(cls, record: Mapping[str, Any]) -> Verdict:
        """The inverse of `to_record`."""
        return cls(**record)


def at_least(evidence: Evidence, wanted: Evidence) -> bool:
    """Whether `evidence` proves as much as `wanted`, in the order of `EVIDENCE`."""
    return EVIDENCE.index(evidence) >= EVIDENCE.index(wanted)
