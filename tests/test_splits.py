"""The split by operation: no leak, nothing empty, nothing moves."""

from __future__ import annotations

import subprocess
import sys
import tracemalloc

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from tritongen.errors import BuildError
from tritongen.splits import SPLITS, operation_hash, split_operations

RATIOS = {"train": 0.9, "validation": 0.05, "test": 0.05}

operation = st.integers(0, 300).map(lambda n: f"{n:016x}")
family = st.sampled_from(["alpha", "beta", "gamma", "delta"])
plans = st.lists(
    st.tuples(family, operation), min_size=3, max_size=120, unique_by=lambda item: item[1]
).map(lambda plan: [*plan, *[("beta", item) for _, item in plan[::3]]])
shares = st.tuples(
    st.floats(0.3, 1.0), st.sampled_from([0.0, 0.01, 0.1, 0.4]), st.sampled_from([0.0, 0.02, 0.2])
).map(lambda w: {n: v / sum(w) for n, v in zip(SPLITS, w, strict=True)})

relaxed = settings(max_examples=150, deadline=None)


def distinct(plan):
    return {item for _, item in plan}


def wanted(ratios):
    return {name for name in SPLITS if ratios[name] > 0}


def split(plan, ratios=RATIOS):
    return split_operations(plan, ratios=ratios)


def natural(item, ratios=RATIOS):
    """Where an operation is in a dataset so large that no split needs filling."""
    place = operation_hash(item) / 2**64
    if place < ratios["test"]:
        return "test"
    return "validation" if place < ratios["test"] + ratios["validation"] else "train"


def one_in_each_split(ratios):
    items = {natural(f"{n:x}", ratios): ("alpha", f"{n:x}") for n in range(2000)}
    assert set(items) == wanted(ratios)
    return items.values()


@given(plans, shares)
@relaxed
def test_the_wanted_splits_and_no_others_have_operations(plan, ratios):
    table = split(plan, ratios)
    assert {table.split(item) for item in distinct(plan)} == wanted(ratios)


@given(plans, shares)
@relaxed
def test_an_operation_is_where_its_hash_says_unless_a_split_would_be_empty(plan, ratios):
    table = split(plan, ratios)
    elsewhere = [i for i in distinct(plan) if table.split(i) != natural(i, ratios)]
    missing = wanted(ratios) - {natural(item, ratios) for item in distinct(plan)}
    assert len(elsewhere) <= 2
    assert bool(elsewhere) == bool(missing)


@given(plans, st.lists(st.tuples(st.just("epsilon"), operation), max_size=30), shares)
@relaxed
def test_adding_a_family_moves_no_operation(plan, added, ratios):
    plan = [*plan, *one_in_each_split(ratios)]
    before, after = split(plan, ratios), split([*plan, *added], ratios)
    assert all(before.split(item) == after.split(item) for item in distinct(plan))


@given(plans, plans)
@relaxed
def test_two_datasets_never_disagree_once_they_fill_their_splits(one, other):
    both = distinct(one) & distinct(other)
    one, other = ([*plan, *one_in_each_split(RATIOS)] for plan in (one, other))
    assert all(split(one).split(item) == split(other).split(item) for item in both)


@given(plans, st.randoms(use_true_random=False))
@relaxed
def test_order_and_repetition_of_the_plan_do_not_matter(plan, random):
    before = split(plan)
    shuffled = plan * 2
    random.shuffle(shuffled)
    assert split(shuffled) == before


@given(plans, st.permutations(["alpha", "beta", "gamma", "delta"]))
@relaxed
def test_the_family_of_an_operation_does_not_matter(plan, names):
    renamed = dict(zip(["alpha", "beta", "gamma", "delta"], names, strict=True))
    other = split([(renamed[name], item) for name, item in plan])
    table = split(plan)
    assert all(table.split(item) == other.split(item) for item in distinct(plan))


@given(plans, shares)
@relaxed
def test_the_counts_per_family_are_those_of_its_operations(plan, ratios):
    table = split(plan, ratios)
    expected = {name: dict.fromkeys(SPLITS, 0) for name, _ in plan}
    for name, item in set(plan):
        expected[name][table.split(item)] += 1
    assert {name: dict(counts) for name, counts in table.operations.items()} == expected


def test_large_plans_follow_the_ratios():
    table = split([("alpha", f"{n:x}") for n in range(20_000)])
    counts = table.operations["alpha"]
    assert abs(counts["test"] / 20_000 - 0.05) < 0.005
    assert abs(counts["validation"] / 20_000 - 0.05) < 0.005
    assert not table.moved


def test_too_few_operations_name_the_number_and_the_way_out():
    with pytest.raises(BuildError, match=r"train, validation, test: 2;.*ratio 0"):
        split_operations([("alpha", "a"), ("beta", "b"), ("beta", "a")], ratios=RATIOS)
    with pytest.raises(BuildError, match=r": 0;"):
        split_operations([], ratios={"train": 1.0})


def test_the_hash_is_the_same_in_every_process():
    code = "from tritongen.splits import operation_hash; print(operation_hash('00ff'))"
    seen = {
        subprocess.run(
            [sys.executable, "-c", code],
            env={"PYTHONHASHSEED": seed, "PYTHONPATH": ":".join(sys.path)},
            capture_output=True,
            check=True,
        ).stdout
        for seed in ("0", "7")
    }
    assert seen == {f"{operation_hash('00ff')}\n".encode()}


def test_a_million_operations_would_cost_a_few_bytes_each():
    import numpy as np

    np.unique(np.zeros(2, dtype=np.uint64))
    tracemalloc.start()
    table = split_operations((("alpha", str(n % 100_000)) for n in range(150_000)), ratios=RATIOS)
    peak = tracemalloc.get_traced_memory()[1]
    tracemalloc.stop()
    assert sum(table.operations["alpha"].values()) == 100_000
    assert peak < 100_000 * 100
