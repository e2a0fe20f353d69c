"""What a build has made, for a program and for a person."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from io import StringIO
from pathlib import Path
from typing import TYPE_CHECKING

from tritongen.export.counts import Counts
from tritongen.splits import SPLITS

if TYPE_CHECKING:
    from rich.console import RenderableType

_TOP_REASONS = 10


@dataclass(frozen=True, slots=True)
class BuildReport:
    """The outcome of `build`.

    `splits`, `reasons` and `evidence` count pairs; `families[name]` has `train`, `validation`,
    `test` and `refused`. `resumed` is how many of the `attempted` pairs an earlier run had done.
    """

    out: Path
    attempted: int
    passed: int
    refused: int
    resumed: int
    seconds: float
    verified: bool
    splits: Mapping[str, int]
    families: Mapping[str, Mapping[str, int]]
    reasons: Mapping[str, int]
    evidence: Mapping[str, int]

    def table(self) -> RenderableType:
        """The tables of `summary`, for a rich console."""
        from rich.console import Group
        from rich.table import Table
        from rich.text import Text

        splits = [name for name in SPLITS if self.splits.get(name)]
        table = Table(title=f"Dataset in {self.out}", title_justify="left")
        table.add_column("family")
        for name in (*splits, "in all", "refused"):
            table.add_column(name, justify="right")
        for family, row in self.families.items():
            cells = [row.get(name, 0) for name in splits]
            table.add_row(family, *(f"{n:,}" for n in (*cells, sum(cells), row.get("refused", 0))))
        table.add_section()
        cells = [self.splits[name] for name in splits]
        table.add_row("all", *(f"{n:,}" for n in (*cells, self.passed, self.refused)))
        parts: list[RenderableType] = [table]
        if self.reasons:
            reasons = Table(title="Refused", title_justify="left")
            reasons.add_column("pairs", justify="right")
            reasons.add_column("reason")
            ranked = sorted(self.reasons.items(), key=lambda item: (-item[1], item[0]))
            for reason, n in ranked[:_TOP_REASONS]:
                reasons.add_row(f"{n:,}", Text(reason))
            parts.append(reasons)
        parts.append(Text(self._sentence()))
        return Group(*parts)

    def summary(self, width: int = 100) -> str:
        """The report as text: pairs per family and split, reasons, evidence, time."""
        from rich.console import Console

        console = Console(file=StringIO(), width=width, color_system=None)
        with console.capture() as capture:
            console.print(self.table())
        return capture.get()

    def _sentence(self) -> str:
        new = self.attempted - self.resumed
        rate = f" ({new / self.seconds:,.1f} a second)" if new and self.seconds > 0 else ""
        took = f"{new:,} pairs in {self.seconds:,.1f} s{rate}"
        if self.resumed:
            took += f", {self.resumed:,} were there already"
        if not self.verified:
            return f"{took}. NOT VERIFIED: built with verify.device = none."
        proofs = ", ".join(f"{key} {n:,}" for key, n in sorted(self.evidence.items()))
        return f"{took}. Evidence: {proofs or 'none'}."


def make_report(
    out: Path,
    counts: Counts,
    *,
    attempted: int,
    resumed: int,
    seconds: float,
    verified: bool,
) -> BuildReport:
    """The report of counts over all shards."""
    families: dict[str, dict[str, int]] = {}
    for name in sorted(set(counts.kept["family"]) | set(counts.refusals["family"])):
        row = {split: counts.kept["family_split"].get(f"{name}/{split}", 0) for split in SPLITS}
        families[name] = row | {"refused": counts.refusals["family"].get(name, 0)}
    return BuildReport(
        out=out,
        attempted=attempted,
        passed=counts.passed,
        refused=counts.refused,
        resumed=resumed,
        seconds=seconds,
        verified=verified,
        splits={name: counts.kept["split"][name] for name in SPLITS if counts.kept["split"][name]},
        families=families,
        reasons=dict(counts.refusals["reason"]),
        evidence=dict(counts.kept["evidence"]),
    )
