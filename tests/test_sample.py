from __future__ import annotations

import itertools
from collections import Counter

import pytest
from hypothesis import given
from hypothesis import strategies as st

from tritongen.catalog import catalog
from tritongen.errors import EmptySpaceError, UnknownNameError
from tritongen.sample import BUNDLE, plan, share


@given(
    total=st.integers(0, 500),
    parts=st.lists(st.tuples(st.integers(0, 60), st.floats(0.1, 5)), min_size=1, max_size=9),
    seed=st.integers(0, 99),
)
def test_share_gives_all_that_fits_and_never_too_much(total, parts, seed):
    capacities, weights = zip(*parts, strict=True)
    given = share(total, capacities, weights, str(seed))
    assert sum(given) == min(total, sum(capacities))
    assert all(0 <= g <= c for g, c in zip(given, capacities, strict=True))


def test_strategies_share_equally_and_so_do_ops():
    chosen = plan(catalog(), ["elementwise"], count=400)
    points = [chosen.point(j) for j in range(len(chosen))]
    assert set(Counter(p.strategy for p in points).values()) == {100}
    lengths = Counter(p.point.values["op"].length for p in points)
    assert min(lengths.values()) >= 130


@pytest.mark.parametrize("count", [7, 300, 3 * BUNDLE])
def test_a_sample_repeats_nothing_and_is_the_same_for_the_same_seed(count):
    def ids(seed):
        chosen = plan(catalog(), ["elementwise"], count=count, seed=seed)
        return [chosen.pair(j).id for j in range(len(chosen))]

    first = ids(1)
    assert len(set(first)) == len(first) == count
    assert first == ids(1)
    assert first != ids(2)


def test_a_large_sample_takes_several_presentations_of_a_program_in_a_row():
    chosen = plan(catalog(), ["elementwise"], count=4 * BUNDLE)
    programs = [chosen.point(j).program_id for j in range(len(chosen))]
    assert len(set(programs)) < len(programs) / 2
    runs = 1 + sum(a != b for a, b in itertools.pairwise(programs))
    assert runs == len(set(programs))


def test_without_a_count_everything_comes_in_declared_order(make_family):
    known = catalog(make_family())
    chosen = plan(known, ["tiny"])
    assert len(chosen) == known.space("tiny", "flat").count
    texts = [p.point.program + p.point.presentation for p in map(chosen.point, range(len(chosen)))]
    assert texts == [p.program + p.presentation for p in known.space("tiny", "flat")]


def test_pairs_of_a_range_are_those_of_single_positions():
    chosen = plan(catalog(), ["elementwise"], count=60)
    assert [p.id for p in chosen.pairs(11, 47)] == [chosen.pair(j).id for j in range(11, 47)]


def test_ids_of_a_position_are_those_of_its_pair():
    chosen = plan(catalog(), ["elementwise"], count=20)
    for j in range(20):
        position, pair = chosen.point(j), chosen.pair(j)
        assert (position.program_id, position.operation_id) == (pair.program_id, pair.operation_id)


def test_families_that_lack_a_value_are_left_out():
    chosen = plan(catalog(), where={"op": ["gelu"], "dtype": ["float16"]}, count=4)
    assert {p.family for p in map(chosen.point, range(4))} == {"elementwise"}


def test_a_value_that_no_family_has_is_refused():
    with pytest.raises(UnknownNameError):
        plan(catalog(), where={"op": ["nonsense"]}, count=4)


def test_a_filter_that_leaves_nothing_is_refused():
    with pytest.raises((EmptySpaceError, UnknownNameError)):
        plan(catalog(), ["elementwise"], where={"op": ["exp"], "dtype": ["int32"]}, count=4)


def test_an_unknown_strategy_is_refused():
    with pytest.raises(UnknownNameError, match="known: autotuned"):
        plan(catalog(), ["elementwise"], strategies=["nonsense"])
