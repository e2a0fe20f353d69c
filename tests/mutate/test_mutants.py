"""Mutants of a pair: deterministic, distinct, and nothing but the Triton source changed."""

from __future__ import annotations

import subprocess
import sys
from collections import Counter

from mutation_sources import ROWS, SCALE, pair_of

import tritongen
from tritongen.canonical import canonical_source
from tritongen.mutate import OPERATORS, mutants_of
from tritongen.mutate.sample import sample


def all_of(pair, **options):
    return mutants_of(pair, OPERATORS.values(), **options)


def test_mutants_differ_from_the_original_and_from_each_other_in_canonical_source():
    for pair in sample(limit=10, seed=4):
        mutants = all_of(pair, limit=60)
        forms = [canonical_source(mutant.triton_code) for mutant in mutants]
        assert len(set(forms)) == len(forms) > 40
        assert canonical_source(pair.triton_code) not in forms


def test_mutants_keep_the_reference_and_the_test():
    pair = pair_of()
    for mutant in all_of(pair):
        assert mutant.python_code == pair.python_code
        assert mutant.test_code == pair.test_code
        assert pair.metadata.items() <= mutant.metadata.items()
        assert mutant.triton_code != pair.triton_code


def test_the_same_seed_gives_the_same_mutants_and_another_seed_others():
    pair = pair_of(ROWS, "softmax")
    ids = [[m.id for m in all_of(pair, limit=15, seed=seed)] for seed in (1, 1, 2)]
    assert ids[0] == ids[1]
    assert ids[0] != ids[2]
    assert len(ids[0]) == 15


def test_mutants_do_not_depend_on_the_hash_seed():
    code = (
        "from mutation_sources import *\n"
        "from tritongen.mutate import OPERATORS, mutants_of\n"
        "for m in mutants_of(pair_of(ROWS, 'softmax'), OPERATORS.values(), limit=20, seed=3):\n"
        "    print(m.id, m.description)\n"
    )
    outputs = {
        subprocess.run(
            [sys.executable, "-c", code],
            env={"PYTHONHASHSEED": seed, "PYTHONPATH": ":".join(filter(None, sys.path))},
            capture_output=True,
            text=True,
            check=True,
        ).stdout
        for seed in ("1", "2")
    }
    assert len(outputs) == 1
    assert len(outputs.pop().splitlines()) == 20


def test_a_sample_spreads_over_the_operators():
    pair = pair_of(ROWS, "softmax")
    applicable = {m.operator.name for m in all_of(pair)}
    drawn = Counter(m.operator.name for m in all_of(pair, limit=len(applicable) // 2))
    assert set(drawn.values()) == {1}


def test_naming_styles_of_one_program_have_the_same_mutants():
    first, second = [
        next(
            iter(
                tritongen.expand("softmax", strategy="one_block", where={"style": [style]}, limit=1)
            )
        )
        for style in ("tutorial", "terse")
    ]
    assert first.program_id == second.program_id
    described = []
    for pair in (first, second):
        mutants = all_of(pair, limit=40, seed=9)
        described.append([canonical_source(m.triton_code) for m in mutants])
    assert sorted(described[0]) == sorted(described[1])


def test_a_line_number_is_that_of_the_change():
    pair = pair_of()
    original = SCALE.splitlines()
    for mutant in all_of(pair):
        changed = mutant.triton_code.splitlines()
        assert original[: mutant.line - 1] == changed[: mutant.line - 1]


def test_a_sample_of_pairs_takes_every_family():
    pairs = sample(limit=7, seed=1)
    assert {pair.family for pair in pairs} == set(tritongen.families())
    assert len(pairs) == 7
    assert [pair.id for pair in pairs] == [pair.id for pair in sample(limit=7, seed=1)]
    assert {pair.family for pair in sample(["softmax"], 3)} == {"softmax"}


def test_a_mutant_is_held_to_the_layouts_that_its_original_takes():
    """A wrapper that no longer copies an input still has to take it as its original does."""
    mutants = [m for m in all_of(pair_of()) if m.operator.name == "drop-contiguous"]
    assert [m.metadata["layouts"] for m in mutants] == [{"x": "any"}]
