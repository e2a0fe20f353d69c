"""What the verification of a dataset has done, for a program and for a person."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from io import StringIO
from pathlib import Path
from typing import TYPE_CHECKING

from tritongen.pipeline.evidence import EFFECTS, rank
from tritongen.pipeline.runs import Tally

if TYPE_CHECKING:
    from rich.console import RenderableType

_TOP_REASONS = 10


@dataclass(frozen=True, slots=True)
class VerifyReport:
    """The outcome of `verify_dataset`.

    `effects` counts pairs by what their verdicts did: `raised`, `renewed`, `kept` (passed, proved
    no further than before), `unable` (cannot be tried on this device), `unjudged` (the verifier
    itself went wrong) and `rejected` (moved to `rejected/`). `sanitized` counts the same over the
    pairs that were run under compute-sanitizer. `families[name]` has the effects of one family.
    `before` and `after` count the records of the dataset by evidence, `resumed` the verdicts that
    a stopped run had reached.
    """

    path: Path
    effects: Mapping[str, int]
    sanitized: Mapping[str, int]
    families: Mapping[str, Mapping[str, int]]
    reasons: Mapping[str, int]
    before: Mapping[str, int]
    after: Mapping[str, int]
    resumed: int
    seconds: float

    @property
    def tried(self) -> int:
        """The number of verdicts."""
        return sum(self.effects.values()) + sum(self.sanitized.values())

    @property
    def rejected(self) -> int:
        """The number of pairs that failed and left the splits."""
        return self.effects.get("rejected", 0) + self.sanitized.get("rejected", 0)

    @property
    def failed(self) -> bool:
        """Whether a pair failed, or could not be judged by a fault of the verifier."""
        unjudged = self.effects.get("unjudged", 0) + self.sanitized.get("unjudged", 0)
        return bool(self.rejected or unjudged)

    def table(self) -> RenderableType:
        """The tables of `summary`, for a rich console."""
        from rich.console import Group
        from rich.table import Table
        from rich.text import Text

        parts: list[RenderableType] = []
        columns = [name for name in EFFECTS if self.effects.get(name) or self.sanitized.get(name)]
        if columns:
            table = Table(title=f"Verified in {self.path}", title_justify="left")
            table.add_column("family")
            for name in columns:
                table.add_column(name, justify="right")
            for family, row in self.families.items():
                table.add_row(family, *(f"{row.get(name, 0):,}" for name in columns))
            table.add_section()
            table.add_row("all", *(f"{self.effects.get(name, 0):,}" for name in columns))
            if self.sanitized:
                cells = (f"{self.sanitized.get(name, 0):,}" for name in columns)
                table.add_row("compute-sanitizer", *cells)
            parts.append(table)
        proofs = Table(title="Evidence", title_justify="left")
        for name in ("evidence", "before", "after"):
            proofs.add_column(name, justify="left" if name == "evidence" else "right")
        for name in sorted({*self.before, *self.after}, key=rank):
            proofs.add_row(name, f"{self.before.get(name, 0):,}", f"{self.after.get(name, 0):,}")
        parts.append(proofs)
        if self.reasons:
            reasons = Table(title="Not passed", title_justify="left")
            reasons.add_column("pairs", justify="right")
            reasons.add_column("reason")
            ranked = sorted(self.reasons.items(), key=lambda item: (-item[1], item[0]))
            for reason, n in ranked[:_TOP_REASONS]:
                reasons.add_row(f"{n:,}", Text(reason))
            parts.append(reasons)
        parts.append(Text(self._sentence()))
        return Group(*parts)

    def summary(self, width: int = 100) -> str:
        """The report as text: what changed by family, evidence before and after, reasons, time."""
        from rich.console import Console

        console = Console(file=StringIO(), width=width, color_system=None)
        with console.capture() as capture:
            console.print(self.table())
        return capture.get()

    def _sentence(self) -> str:
        if not self.tried:
            return "Nothing was due: every pair is proved as far as this device can."
        new = self.tried - self.resumed
        rate = f" ({new / self.seconds:,.1f} a second)" if new and self.seconds > 0 else ""
        text = f"{new:,} verdicts in {self.seconds:,.1f} s{rate}"
        if self.resumed:
            text += f", {self.resumed:,} were there already"
        if self.rejected:
            text += f"; {self.rejected:,} pairs failed and stand under rejected/ now"
        return text + "."


def make_report(
    path: Path,
    phases: Mapping[str, Tally],
    *,
    resumed: int,
    before: Mapping[str, int],
    after: Mapping[str, int],
    seconds: float,
) -> VerifyReport:
    """The report of the phases of a run."""
    gate, sanitize = phases.get("gate", Tally()), phases.get("sanitize", Tally())
    families: dict[str, dict[str, int]] = {}
    for key, n in sorted(gate.families.items()):
        family, _, effect = key.rpartition("/")
        families.setdefault(family, {})[effect] = n
    return VerifyReport(
        path=path,
        effects={name: gate.effects[name] for name in EFFECTS if gate.effects[name]},
        sanitized={name: sanitize.effects[name] for name in EFFECTS if sanitize.effects[name]},
        families=families,
        reasons=dict(gate.reasons + sanitize.reasons),
        before=dict(before),
        after=dict(after),
        resumed=resumed,
        seconds=seconds,
    )
