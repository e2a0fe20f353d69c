"""What a verification of a dataset must remember to go on after it was stopped.

`.tritongen/verify/run.json` says what was asked and what the dataset proved before,
`.tritongen/verify/00000.jsonl` keeps the verdicts of a shard until it has taken them up, and
`.tritongen/verify/gate-00000.done` says what they did. All of it goes when the run is complete.
"""

from __future__ import annotations

import json
from collections import Counter
from collections.abc import Container, Mapping
from dataclasses import dataclass, field, fields
from pathlib import Path
from typing import Any

from tritongen.export.counts import reason
from tritongen.export.files import write_bytes
from tritongen.export.records import Verification
from tritongen.pipeline.evidence import EFFECTS

_FORMAT = 1
_RUN = "run.json"


@dataclass(slots=True)
class Tally:
    """What verdicts did: how often each effect, by family, and why pairs did not pass."""

    effects: Counter[str] = field(default_factory=Counter)
    families: Counter[str] = field(default_factory=Counter)
    reasons: Counter[str] = field(default_factory=Counter)

    def add(self, other: Tally) -> None:
        """Add another tally."""
        self.effects += other.effects
        self.families += other.families
        self.reasons += other.reasons

    def to_json(self) -> dict[str, dict[str, int]]:
        """Plain dictionaries."""
        return {
            "effects": dict(self.effects),
            "families": dict(self.families),
            "reasons": dict(self.reasons),
        }

    @property
    def total(self) -> int:
        """The number of verdicts."""
        return self.effects.total()


def tally(
    journal: Mapping[str, tuple[Verification, Mapping[str, str]]],
    ids: Container[str] | None = None,
) -> Tally:
    """The tally of a journal, or of some of its verdicts."""
    found = Tally()
    for pair_id, (verdict, note) in journal.items():
        effect = note.get("effect", "")
        if effect not in EFFECTS or (ids is not None and pair_id not in ids):
            continue
        found.effects[effect] += 1
        found.families[f"{note.get('family', '')}/{effect}"] += 1
        if effect in ("unable", "unjudged", "rejected"):
            found.reasons[reason(verdict)] += 1
    return found


@dataclass(slots=True)
class Run:
    """One verification, which may take several processes one after the other.

    `asked` are the terms of the call, `phase` what is being done. `chosen` are the ids to verify,
    None for all that are due. `before` counts the evidence at the start, `elsewhere` the refusals
    that no file holds (see `Opened`), `phases` what the phases before this one did.
    """

    folder: Path
    asked: Mapping[str, Any]
    phase: str = ""
    chosen: list[str] | None = None
    before: Mapping[str, int] = field(default_factory=dict)
    elsewhere: Mapping[str, Any] = field(default_factory=dict)
    phases: dict[str, Any] = field(default_factory=dict)

    @classmethod
    def stopped(cls, folder: Path) -> Run | None:
        """The run that was stopped in a folder, if there is one."""
        try:
            values = json.loads((folder / _RUN).read_bytes())
            if values.pop("format") != _FORMAT:
                return None
            return cls(folder, **values)
        except (OSError, ValueError, TypeError, KeyError, AttributeError):
            return None

    def save(self) -> None:
        """Write what is known of the run."""
        names = [item.name for item in fields(self) if item.name != "folder"]
        values = {name: getattr(self, name) for name in names}
        write_bytes(self.folder / _RUN, json.dumps({"format": _FORMAT, **values}).encode())

    def done(self, shard: int) -> Tally | None:
        """What the verdicts of a shard did in this phase; None where it is not complete."""
        try:
            return _tally_of(json.loads(self._done(shard).read_bytes()))
        except (OSError, ValueError, TypeError, AttributeError):
            return None

    def complete(self, shard: int, done: Tally) -> None:
        """Remember that a shard has taken up its verdicts."""
        write_bytes(self._done(shard), json.dumps(done.to_json()).encode())

    def tallies(self) -> dict[str, Tally]:
        """What the phases did that are over."""
        return {name: _tally_of(values) for name, values in self.phases.items()}

    def next_phase(self, name: str) -> None:
        """Go on to another phase; there is none after `""`."""
        whole = Tally()
        for path in self.folder.glob(f"{self.phase}-*.done"):
            whole.add(_tally_of(json.loads(path.read_bytes())))
        self.phases[self.phase] = whole.to_json()
        self.phase, self.chosen = name, None
        self.save()

    def begin(self) -> None:
        """Save a new run; what one before it may have left goes first."""
        self._clear()
        self.save()

    def remove(self) -> None:
        """Forget the run."""
        (self.folder / _RUN).unlink(missing_ok=True)
        self._clear()
        self.folder.rmdir()

    def _clear(self) -> None:
        for path in self.folder.glob("*.done"):
            path.unlink()

    def _done(self, shard: int) -> Path:
        return self.folder / f"{self.phase}-{shard:05d}.done"


def _tally_of(values: Mapping[str, Mapping[str, int]]) -> Tally:
    return Tally(**{name: Counter(counts) for name, counts in values.items()})
