"""What became of mutants: records, shares killed, a table."""

from __future__ import annotations

import difflib
import json
from collections import Counter
from collections.abc import Iterable
from dataclasses import asdict, dataclass, field
from pathlib import Path
from typing import Any, Literal

from tritongen.mutate.mutants import Mutant, normal

Fate = Literal["killed", "survived", "equivalent", "unjudged", "beyond"]
LEAST_KILLED = 0.99
MOST_EQUIVALENT = 0.10


@dataclass(frozen=True, slots=True)
class Result:
    """The fate of one mutant.

    `check` killed it (`timeout` and `crash` count as kills: such a pair enters no dataset); `reason` is
    the gate's, or the evidence of equivalence, or what tells a survivor from its original. `beyond` is
    a survivor of an operator that the gate cannot judge on this device; `unjudged` one for which the
    gate itself failed. `seconds` is the gate's time.
    """

    id: str
    pair: str
    family: str
    strategy: str
    operator: str
    line: int
    description: str
    fate: Fate
    check: str = ""
    reason: str = ""
    seconds: float = 0.0
    diff: str = ""
    key: str = ""


@dataclass(slots=True)
class Share:
    """Counts of a group of mutants."""

    killed: int = 0
    survived: int = 0
    equivalent: int = 0
    unjudged: int = 0
    beyond: int = 0

    @property
    def made(self) -> int:
        """Mutants that could be judged."""
        return self.killed + self.survived + self.equivalent + self.unjudged

    @property
    def killed_share(self) -> float:
        """Killed among those that are not equivalent; 1 where there are none."""
        wrong = self.made - self.equivalent
        return self.killed / wrong if wrong else 1.0

    @property
    def equivalent_share(self) -> float:
        """Equivalent among all."""
        return self.equivalent / self.made if self.made else 0.0


@dataclass(slots=True)
class MutationReport:
    """All results of a run, with the pairs that the gate refused though they are originals."""

    device: str
    seed: int
    results: list[Result] = field(default_factory=list)
    pairs: int = 0
    false_alarms: list[dict[str, str]] = field(default_factory=list)
    skipped: list[dict[str, str]] = field(default_factory=list)
    not_judged: dict[str, str] = field(default_factory=dict)
    seconds: float = 0.0

    def shares(self, by: str) -> dict[str, Share]:
        """Counts by an attribute of the results: `operator`, `family`, `strategy`."""
        groups: dict[str, Share] = {}
        for result in self.results:
            share = groups.setdefault(getattr(result, by), Share())
            setattr(share, result.fate, getattr(share, result.fate) + 1)
        return dict(sorted(groups.items()))

    @property
    def total(self) -> Share:
        """Counts of all results."""
        share = Share()
        for result in self.results:
            setattr(share, result.fate, getattr(share, result.fate) + 1)
        return share

    @property
    def survivors(self) -> list[Result]:
        """What the gate let through though it is wrong, and what it failed to judge."""
        return [r for r in self.results if r.fate in ("survived", "unjudged")]

    @property
    def checks(self) -> dict[str, int]:
        """How many mutants each check killed, most first."""
        found = Counter(r.check for r in self.results if r.fate == "killed")
        return dict(found.most_common())

    @property
    def failures(self) -> list[str]:
        """Why the run is no success; empty if it is one."""
        found, total = [], self.total
        if total.killed_share < LEAST_KILLED:
            found.append(
                f"{total.killed_share:.2%} of the mutants that are not equivalent were killed, "
                f"{LEAST_KILLED:.0%} are asked for"
            )
        if total.equivalent_share > MOST_EQUIVALENT:
            found.append(
                f"{total.equivalent_share:.1%} of the mutants are equivalent, more than "
                f"{MOST_EQUIVALENT:.0%}"
            )
        if self.false_alarms:
            found.append(f"{len(self.false_alarms)} originals were refused")
        if not self.results:
            found.append("no mutant was made")
        return found

    def to_record(self) -> dict[str, Any]:
        """The report as plain data."""

        def shown(share: Share) -> dict[str, Any]:
            return {
                **asdict(share),
                "killed_share": round(share.killed_share, 5),
                "equivalent_share": round(share.equivalent_share, 5),
            }

        return {
            "device": self.device,
            "seed": self.seed,
            "pairs": self.pairs,
            "seconds": round(self.seconds, 2),
            "total": shown(self.total),
            "families": {name: shown(share) for name, share in self.shares("family").items()},
            "operators": {name: shown(share) for name, share in self.shares("operator").items()},
            "checks": self.checks,
            "false_alarms": self.false_alarms,
            "skipped": self.skipped,
            "not_judged": self.not_judged,
            "failures": self.failures,
            "survivors": [asdict(result) for result in self.survivors],
            "results": [asdict(result) for result in self.results],
        }

    def write(self, path: Path) -> None:
        """Write the report as JSON."""
        path.parent.mkdir(parents=True, exist_ok=True)
        partial = path.with_name(f".{path.name}.partial")
        partial.write_text(json.dumps(self.to_record(), indent=1) + "\n", encoding="utf-8")
        partial.replace(path)

    def rows(self, by: str) -> Iterable[tuple[str, Share]]:
        """The rows of a table, worst first, and the total."""
        groups = sorted(self.shares(by).items(), key=lambda item: (item[1].killed_share, item[0]))
        return [*groups, ("all", self.total)]


def difference(mutant: Mutant) -> str:
    """A unified diff of the canonical sources of the original and a mutant."""
    before = normal(mutant.pair.triton_code).splitlines()
    after = normal(mutant.triton_code).splitlines()
    lines = difflib.unified_diff(before, after, "original", mutant.id, lineterm="", n=2)
    return "\n".join(lines)


def describe(report: MutationReport) -> str:
    """The survivors in words, each with its diff."""
    parts = []
    for result in report.survivors:
        head = f"{result.fate}: {result.family}/{result.strategy} {result.id} line {result.line}"
        parts.append(f"{head}\n  {result.description}\n  {result.reason}\n{result.diff}\n")
    return "\n".join(parts)
