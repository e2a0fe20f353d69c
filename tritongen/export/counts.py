"""What a build counts: per shard in its ledger entry, in all in the manifest."""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from functools import lru_cache
from typing import Any

from tritongen.export.records import PairLike, VerdictLike

KEPT = (
    "split",
    "family",
    "strategy",
    "op",
    "dtype",
    "difficulty",
    "operation_type",
    "status",
    "evidence",
    "environment",
    "family_split",
)
"""Counted over the pairs in the dataset; one of two dtypes, or ops, counts for both."""

REFUSED = ("reason", "check", "family", "strategy", "op")
"""Counted over the refused pairs."""

OTHER = "(other)"
_MAX_VALUES = 20_000
_OP = re.compile(r"[^\[(\s]+")
_DETAIL = re.compile(r"(?<![\w.])[-+]?\d[\w.+-]*")


@dataclass(slots=True)
class Counts:
    """Counters per field. A field with very many values stops naming new ones."""

    passed: int = 0
    refused: int = 0
    kept: dict[str, Counter[str]] = field(default_factory=lambda: _counters(KEPT))
    refusals: dict[str, Counter[str]] = field(default_factory=lambda: _counters(REFUSED))

    def keep(self, pairs: Iterable[PairLike], verdicts: Iterable[VerdictLike], split: str) -> None:
        """Count pairs that enter a split."""
        kept = self.kept
        families, strategies, ops, dtypes = (
            kept["family"],
            kept["strategy"],
            kept["op"],
            kept["dtype"],
        )
        difficulties, types = kept["difficulty"], kept["operation_type"]
        family_splits, n = kept["family_split"], 0
        for pair in pairs:
            n += 1
            metadata = pair.metadata
            families[pair.family] += 1
            strategies[f"{pair.family}/{pair.strategy}"] += 1
            for op in _ops(metadata.get("op")):
                ops[op] += 1
            for dtype in metadata.get("dtypes") or ():
                dtypes[dtype] += 1
            difficulties[str(metadata.get("difficulty"))] += 1
            types[str(metadata.get("operation_type"))] += 1
            family_splits[f"{pair.family}/{split}"] += 1
        kept["split"][split] += n
        self.passed += n
        for verdict in verdicts:
            kept["status"][verdict.status] += 1
            kept["evidence"][verdict.evidence] += 1
            kept["environment"][environment(verdict)] += 1

    def refuse(self, pair: PairLike, verdict: VerdictLike) -> None:
        """Count a pair that stays out."""
        self.refused += 1
        refusals = self.refusals
        refusals["reason"][reason(verdict)] += 1
        refusals["check"][verdict.check or verdict.status] += 1
        refusals["family"][pair.family] += 1
        refusals["strategy"][f"{pair.family}/{pair.strategy}"] += 1
        for op in _ops(pair.metadata.get("op")):
            refusals["op"][op] += 1

    def add(self, other: Counts) -> None:
        """Add the counts of another shard."""
        self.passed += other.passed
        self.refused += other.refused
        for mine, theirs in ((self.kept, other.kept), (self.refusals, other.refusals)):
            for name, counter in theirs.items():
                _add(mine[name], counter)

    def to_json(self) -> dict[str, Any]:
        """Plain dictionaries with sorted keys."""
        return {
            "passed": self.passed,
            "refused": self.refused,
            "kept": {name: _sorted(counter) for name, counter in self.kept.items()},
            "refusals": {name: _sorted(counter) for name, counter in self.refusals.items()},
        }

    @classmethod
    def from_json(cls, values: Mapping[str, Any]) -> Counts:
        """The counts that `to_json` gave."""
        return cls(
            values["passed"],
            values["refused"],
            {name: Counter(values["kept"].get(name, {})) for name in KEPT},
            {name: Counter(values["refusals"].get(name, {})) for name in REFUSED},
        )


def environment(verdict: VerdictLike) -> str:
    """Where a verdict was reached, in words: device and versions."""
    parts = (
        verdict.device,
        verdict.torch and f"torch {verdict.torch}",
        verdict.triton and f"triton {verdict.triton}",
    )
    return ", ".join(part for part in parts if part) or "none"


def reason(verdict: VerdictLike) -> str:
    """The reason of a refusal without its figures, so that equal reasons count together."""
    first = verdict.reason.strip().splitlines()
    text = _DETAIL.sub("#", first[0])[:120].strip() if first else ""
    return f"{verdict.check}: {text}".strip(": ") or verdict.status


@lru_cache(maxsize=4096)
def _ops(text: str | None) -> tuple[str, ...]:
    """The op names of a chain: `elu[alpha=0.5] > add(new)` has `add` and `elu`."""
    names = {match[0] for match in map(_OP.match, str(text).split(" > ")) if match}
    return tuple(sorted(names))


def _counters(names: Iterable[str]) -> dict[str, Counter[str]]:
    return {name: Counter() for name in names}


def _add(mine: Counter[str], theirs: Mapping[str, int]) -> None:
    for key, n in theirs.items():
        mine[key if key in mine or len(mine) < _MAX_VALUES else OTHER] += n


def _sorted(counter: Mapping[str, int]) -> dict[str, int]:
    return dict(sorted(counter.items()))
