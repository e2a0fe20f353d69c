"""How a plan is cut into shards and read for splitting."""

from __future__ import annotations

from itertools import pairwise

from fake_plan import FakePlan, Point
from hypothesis import given, settings
from hypothesis import strategies as st

from tritongen.pipeline.source import bounds, operations


class Runs:
    """A plan of programs with so many variants each."""

    def __init__(self, runs):
        self.points = [
            Point("f", f"p{n}", f"o{n // 2}") for n, run in enumerate(runs) for _ in range(run)
        ]
        self.asked = 0

    def __len__(self):
        return len(self.points)

    def point(self, j):
        self.asked += 1
        return self.points[j]


relaxed = settings(max_examples=100, deadline=None)
runs = st.lists(st.integers(1, 9), min_size=1, max_size=30)


@given(runs, st.integers(1, 40))
@relaxed
def test_shards_tile_the_plan_and_hold_whole_programs(runs, size):
    plan = Runs(runs)
    shards = -(-len(plan) // size)
    spans = [bounds(plan, shard, size) for shard in range(shards)]
    assert spans[0][0] == 0
    assert spans[-1][1] == len(plan)
    assert all(a[1] == b[0] for a, b in pairwise(spans))
    programs = [{p.program_id for p in plan.points[a:b]} for a, b in spans]
    assert sum(map(len, programs)) == len(set().union(*programs))


@given(runs)
@relaxed
def test_every_operation_of_a_plan_is_seen(runs):
    plan = Runs(runs)
    assert set(operations(plan)) == {(p.family, p.operation_id) for p in plan.points}


def test_regular_plans_are_read_with_few_questions():
    plan = Runs([8] * 100)
    assert len(list(operations(plan))) == 100
    assert plan.asked < 350


def test_a_shard_starts_without_asking_for_the_ones_before():
    plan = FakePlan(10**12)
    assert bounds(plan, 10**8, 4096) == (409_600_000_000, 409_600_004_096)
