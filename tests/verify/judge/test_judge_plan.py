"""What the plan of a foreign candidate proposes, and what it leaves alone."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import pytest
import torch

from tritongen.verify.judge import draws
from tritongen.verify.judge.plan import foreign_trials
from tritongen.verify.judge.symbols import infer, small_integers


def parts(*arguments: Any) -> set[Any]:
    return {symbol.positions for symbol in infer(arguments).symbols if symbol.is_part}


def shapes(arguments: tuple[Any, ...], accepts: Callable[..., Any]) -> list[Any]:
    """The shapes of all trials, where `accepts` says by raising what the reference refuses."""
    plan = foreign_trials(arguments, 0)
    seen: list[Any] = []
    answer: bool | None = None
    while True:
        try:
            trial = plan.send(answer)
        except StopIteration:
            return seen
        try:
            accepts(*trial.arguments)
            answer = True
            seen.append([tuple(t.shape) for t in trial.arguments if isinstance(t, torch.Tensor)])
        except Exception:
            answer = False


def test_a_leading_one_is_a_batch_that_grows() -> None:
    found = shapes((torch.randn(1, 6, 40), torch.randn(1, 40)), lambda x, w: x * w[:, None])
    assert any(x[0] > 1 and x[0] == w[0] for x, w in found)


def test_a_leading_one_beside_a_larger_first_argument_is_a_broadcast() -> None:
    found = shapes((torch.randn(8, 40), torch.randn(1, 40)), lambda x, w: x * w)
    assert all(w[0] == 1 for _, w in found)


def test_tensors_of_one_shape_go_together() -> None:
    q, k, v = [torch.randn(2, 40, 24) for _ in range(3)]
    assert parts(q, k, v) == set()


def test_a_square_and_operands_of_different_shapes_are_taken_apart() -> None:
    assert ((0, 1),) in parts(torch.randn(32, 32))
    assert ((0, 0),) in parts(torch.randn(32, 16), torch.randn(16, 32))


def test_one_is_not_tried_where_it_would_be_a_broadcast() -> None:
    def rotate(q: torch.Tensor, cos: torch.Tensor) -> torch.Tensor:
        return q[:, : q.shape[1] // 2] * cos

    found = shapes((torch.randn(10, 24), torch.randn(10, 12)), rotate)
    assert all(cos[1] != 1 or q[1] in (2, 3) for q, cos in found)


def test_a_small_integer_takes_another_value_that_the_reference_accepts() -> None:
    values: list[int] = []

    def group_norm(x: torch.Tensor, groups: int) -> None:
        torch.nn.functional.group_norm(x, groups)
        values.append(groups)

    shapes((torch.randn(3, 8, 10), 1), group_norm)
    assert 2 in values


def test_an_integer_that_is_a_size_or_a_count_of_elements_is_left_to_the_sizes() -> None:
    pattern = infer((torch.randn(3, 5), 15, 3, 7, True))
    assert [pattern.leaves[number] for number in small_integers(pattern)] == [3, 7]
    pattern = infer((torch.randn(30, 12), 12))
    assert small_integers(pattern) == []


def test_indices_stay_in_the_range_seen_where_they_point_into_nothing_that_is_given() -> None:
    def segments(values: torch.Tensor, index: torch.Tensor) -> None:
        torch.zeros(6, values.shape[1]).index_add(0, index, values)

    index = torch.arange(40) % 6
    assert len(shapes((torch.randn(40, 20), index), segments)) > 10


@pytest.mark.parametrize("low", [-3.0, 0.1])
def test_the_extremes_of_scale_30_overflow_an_exponential(low: float) -> None:
    values = draws.stretched(torch.linspace(low, 3.0, 50))
    assert bool(torch.exp(values).isinf().any())
    assert float(values.min()) == (-draws.EXTREME if low < 0 else pytest.approx(low))
