"""The split by operation: no leak, nothing empty, nothing moves."""

from __future__ import annotations

import subprocess
import sys
import tracemalloc
from collections import Counter

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from tritongen.errors import BuildError
from tritongen.splits import SPLITS, operation_hash, split_operations

RATIOS = {"train": 0.9, "validation": 0.05, "test": 0.05}

operation = st.integers(0, 300).map(lambda n: f"{n:016x}")
family = st.sampled_from(["alpha", "beta", "gamma", "delta"])
plans = st.lists(st.tuples(family, operation), min_size=1, max_size=120)
shares = st.tuples(
    st.floats(0.3, 1.0), st.sampled_from([0.0, 0.01, 0.1, 0.4]), st.sampled_from([0.0, 0.02, 0.2])
).map(lambda w: {n: v / sum(w) for n, v in zip(SPLITS, w, strict=True)})
ORDER = ("alpha", "beta", "gamma", "delta")


def split(plan, ratios=RATIOS, families=ORDER):
    return split_operations(plan, families=families, ratios=ratios)


def owners(plan):
    owner = {}
    for name in ORDER:
        for item_family, item in plan:
            if item_family == name:
                owner.setdefault(item, name)
    return owner


@given(plans, shares)
@settings(max_examples=300)
def test_no_wanted_split_is_empty_or_the_plan_is_refused(plan, ratios):
    wanted = {name for name in SPLITS if ratios[name] > 0}
    distinct = {item for _, item in plan}
    if len(distinct) < len(wanted):
        with pytest.raises(BuildError, match="too few distinct operations"):
            split(plan, ratios)
        return
    table = split(plan, ratios)
    assert {table.split(item) for item in distinct} == wanted


@given(plans, shares)
def test_a_family_with_enough_operations_of_its_own_stands_in_every_split(plan, ratios):
    wanted = {name for name in SPLITS if ratios[name] > 0}
    owned = Counter(owners(plan).values())
    if not any(n >= len(wanted) for n in owned.values()):
        return
    table = split(plan, ratios)
    for name, n in owned.items():
        mine = {table.split(item) for item, who in owners(plan).items() if who == name}
        if n >= len(wanted):
            assert mine == wanted


def test_a_later_family_with_too_few_operations_goes_to_train():
    first = [("alpha", str(n)) for n in range(40)]
    for n in range(60):
        table = split([*first, ("beta", f"one{n}"), ("beta", f"two{n}")])
        assert {table.split(f"one{n}"), table.split(f"two{n}")} == {"train"}


@given(plans, st.lists(st.tuples(st.just("epsilon"), operation), max_size=30), shares)
@settings(max_examples=300)
def test_adding_a_family_at_the_end_moves_no_operation(plan, added, ratios):
    try:
        before = split(plan, ratios)
    except BuildError:
        return
    after = split([*plan, *added], ratios, families=(*ORDER, "epsilon"))
    assert all(before.split(item) == after.split(item) for _, item in plan)


@given(plans, st.randoms(use_true_random=False))
def test_order_and_repetition_of_the_plan_do_not_matter(plan, random):
    try:
        before = split(plan)
    except BuildError:
        return
    shuffled = plan * 2
    random.shuffle(shuffled)
    assert split(shuffled) == before


@given(plans, shares)
def test_the_counts_per_family_are_those_of_the_owned_operations(plan, ratios):
    try:
        table = split(plan, ratios)
    except BuildError:
        return
    expected = {name: dict.fromkeys(SPLITS, 0) for name, _ in plan}
    for item, name in owners(plan).items():
        expected[name][table.split(item)] += 1
    assert {name: dict(counts) for name, counts in table.operations.items()} == expected


@given(plans)
def test_an_operation_moves_only_within_a_family_that_needs_it(plan):
    try:
        table = split(plan)
    except BuildError:
        return
    natural = split([("alpha", f"other{n}") for n in range(2000)])
    assert not natural.moved
    for item, name in owners(plan).items():
        if table.split(item) != natural.split(item):
            mine = {natural.split(i) for i, who in owners(plan).items() if who == name}
            assert len(mine) < 3


def test_large_families_follow_the_ratios():
    table = split([("alpha", f"{n:x}") for n in range(40_000)])
    counts = table.operations["alpha"]
    assert abs(counts["test"] / 40_000 - 0.05) < 0.005
    assert abs(counts["validation"] / 40_000 - 0.05) < 0.005


def test_a_growing_plan_of_a_large_family_moves_nothing():
    small = split([("alpha", f"{n:x}") for n in range(1_000)])
    large = split([("alpha", f"{n:x}") for n in range(20_000)])
    assert all(small.split(f"{n:x}") == large.split(f"{n:x}") for n in range(1_000))


def test_too_few_operations_name_the_number_and_the_way_out():
    with pytest.raises(BuildError, match=r"train, validation, test: 2;.*ratio 0"):
        split([("alpha", "a"), ("beta", "b"), ("beta", "a")])


def test_leading_small_families_share_one_ranking():
    table = split([("alpha", "a"), ("beta", "b"), ("gamma", "c")])
    assert {table.split(name) for name in "abc"} == set(SPLITS)


def test_small_families_before_a_large_one_go_to_train():
    large = [("gamma", str(n)) for n in range(40)]
    for n in range(60):
        table = split([("alpha", f"one{n}"), ("beta", f"two{n}"), *large])
        assert {table.split(f"one{n}"), table.split(f"two{n}")} == {"train"}


def test_the_hash_is_the_same_in_every_process():
    code = "from tritongen.splits import operation_hash; print(operation_hash('00ff'))"
    seen = {
        subprocess.run(
            [sys.executable, "-c", code], env={"PYTHONHASHSEED": seed}, capture_output=True
        ).stdout
        for seed in ("0", "7")
    }
    assert seen == {f"{operation_hash('00ff')}\n".encode()}


def test_a_million_operations_cost_a_few_bytes_each():
    import numpy as np

    np.unique(np.zeros(2, dtype=np.uint64))
    tracemalloc.start()
    table = split(("alpha", str(n % 300_000)) for n in range(400_000))
    peak = tracemalloc.get_traced_memory()[1]
    tracemalloc.stop()
    assert sum(table.operations["alpha"].values()) == 300_000
    assert peak < 300_000 * 100
