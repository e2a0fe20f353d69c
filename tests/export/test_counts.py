"""Counts per field, added over shards."""

from __future__ import annotations

import json
from dataclasses import replace

import pytest

from tritongen.export import counts as module
from tritongen.export.counts import OTHER, Counts, reason


def counted(pairs, verdicts, split="train"):
    counts = Counts()
    counts.keep(pairs, verdicts, split)
    return counts


def test_pairs_are_counted_per_field(pairs, verdicts):
    counts = counted(pairs, verdicts)
    assert counts.passed == 20
    assert counts.kept["split"] == {"train": 20}
    assert sum(counts.kept["family"].values()) == 20
    assert counts.kept["dtype"] == {"float32": 20, "float16": 8}
    assert counts.kept["environment"] == {"cpu, torch 2.13.0, triton 3.7.1": 20}
    assert counts.kept["evidence"] == {"interpreted": 20}


def test_counts_over_two_parts_are_those_of_the_whole(pairs, verdicts):
    parts = counted(pairs[:7], verdicts[:7])
    parts.add(counted(pairs[7:], verdicts[7:]))
    assert parts == counted(pairs, verdicts)


def test_counts_survive_json(pairs, verdicts):
    counts = counted(pairs, verdicts)
    counts.refuse(pairs[0], replace(verdicts[0], status="failed", reason="r", check="c"))
    assert Counts.from_json(json.loads(json.dumps(counts.to_json()))) == counts


def test_a_chain_counts_for_each_of_its_ops(pairs, verdicts):
    chain = "elu[alpha=0.5,beta=1] > add(new,first) > elu[alpha=1.0]"
    pair = replace(pairs[0], metadata={**pairs[0].metadata, "op": chain})
    assert counted([pair], verdicts[:1]).kept["op"] == {"elu": 1, "add": 1}


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("17 of 4096 elements off, 3.5e-4 allowed", "numerics: # of # elements off, # allowed"),
        ("float16 at sm_80", "numerics: float16 at sm_80"),
        ("first line\nsecond", "numerics: first line"),
        ("", "numerics"),
    ],
)
def test_reasons_count_together_whatever_their_figures(verdicts, text, expected):
    assert reason(replace(verdicts[0], reason=text, check="numerics")) == expected


def test_a_field_with_very_many_values_stops_naming_new_ones(monkeypatch, pairs, verdicts):
    monkeypatch.setattr(module, "_MAX_VALUES", 3)
    total = Counts()
    for pair, verdict in zip(pairs, verdicts, strict=True):
        total.add(counted([pair], [verdict]))
    assert len(total.kept["op"]) == 4
    assert total.kept["op"][OTHER] == 8
    assert sum(total.kept["op"].values()) == 20
