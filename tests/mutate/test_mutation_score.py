"""The gate kills what mutants of every family and strategy do: a seeded sample, judged on the CPU."""

from __future__ import annotations

import math
from typing import Any

import pytest

import tritongen
from tritongen.mutate import OPERATORS, mutate
from tritongen.mutate.report import describe

PER_PAIR = 13
SEED = 11
CANDIDATES = 16


def cost(pair: Any) -> int:
    """The size of a pair's tiles: what the interpreter's time grows with."""
    sizes = [v for k, v in pair.metadata["params"].items() if k.isupper() and isinstance(v, int)]
    return math.prod(sizes)


def cheap_pairs() -> list[Any]:
    """The pair with the smallest tiles among a few of every strategy."""
    return [
        min(tritongen.expand(family, strategy=name, limit=CANDIDATES, seed=SEED), key=cost)
        for family, names in tritongen.families().items()
        for name in names
    ]


@pytest.mark.slow
@pytest.mark.timeout(1200)
def test_the_gate_kills_99_percent_of_a_sample_of_mutants_over_all_families():
    pairs = cheap_pairs()
    report = mutate(pairs, per_pair=PER_PAIR, seed=SEED, device="cpu", workers=2, timeout=60.0)
    total = report.total
    words = f"{report.failures}\n{report.false_alarms}\n{describe(report)}"
    assert total.made >= 400, total
    assert not report.false_alarms, words
    assert not report.skipped, report.skipped
    assert total.killed_share >= 0.99, words
    assert total.equivalent_share <= 0.10, words
    assert set(report.shares("family")) == set(tritongen.families())
    judged = [op.name for op in OPERATORS.values() if "cpu" in op.judged_on]
    assert len(report.shares("operator")) >= 0.8 * len(judged)
