"""The comparison of results: types, shapes, layout, and every element."""

from __future__ import annotations

import math
from typing import Any

import pytest
import torch

from tritongen.verify.judge.bound import compare
from tritongen.verify.judge.records import Expectation, Problem, Trial

TRIAL = Trial("t", "fresh", (torch.zeros(2, 3),), {"M": 2})


def expectation(own: Any, exact: Any = None, bound: Any = 0.0) -> Expectation:
    """An expectation of one result."""
    exact = own.double() if exact is None else exact
    limits = torch.full(own.shape, bound, dtype=torch.float64) if bound is not None else None
    return Expectation((own,), (exact,), (limits,))


def check_of(got: Any, made: Expectation) -> str | None:
    """The name of the check that fails."""
    problem = compare(got if isinstance(got, tuple) else (got,), made, TRIAL)
    return problem.check if problem else None


def test_equal_results_are_right() -> None:
    own = torch.tensor([1.0, -0.0, math.inf, math.nan])
    assert check_of(torch.tensor([1.0, 0.0, math.inf, math.nan]), expectation(own)) is None


@pytest.mark.parametrize(
    ("got", "check"),
    [
        ((torch.ones(2, 3), torch.ones(2, 3)), "type"),
        (torch.nn.Parameter(torch.ones(2, 3)), "type"),
        ([[1.0] * 3] * 2, "type"),
        (None, "type"),
        (torch.ones(3, 2), "shape"),
        (torch.ones(2, 3, 1), "shape"),
        (torch.ones(2, 3).half(), "dtype"),
        (torch.ones(2, 3).double(), "dtype"),
        (torch.ones(3, 2).t(), "layout"),
        (torch.ones(1, 3).expand(2, 3), "layout"),
        (torch.ones(2, 3) * 1.01, "numerics"),
    ],
)
def test_each_difference_has_its_check(got: Any, check: str) -> None:
    assert check_of(got, expectation(torch.ones(2, 3))) == check


def test_layout_is_free_where_the_reference_is_not_contiguous() -> None:
    made = expectation(torch.ones(3, 2).t())
    assert check_of(torch.ones(2, 3), made) is None
    assert check_of(torch.ones(3, 2).t(), made) is None


@pytest.mark.parametrize("bad", [math.nan, math.inf, -math.inf, 1.2])
def test_one_bad_element_among_many_is_seen_and_shown(bad: float) -> None:
    got = torch.ones(70, 70)
    got[3, 5] = bad
    problem = compare((got,), expectation(torch.ones(70, 70), bound=0.1), TRIAL)
    assert isinstance(problem, Problem)
    assert problem.witness["index"] == [3, 5]
    assert problem.witness["wrong"] == 1
    assert problem.witness["expected"] == 1.0
    assert problem.witness["inputs"] == "fresh"
    assert problem.witness["shape"] == [[2, 3]]
    assert problem.witness["sizes"] == {"M": 2}


def test_the_element_furthest_beyond_its_bound_is_shown() -> None:
    own = torch.ones(3)
    made = Expectation((own,), (own.double(),), (torch.tensor([1.0, 1e-6, 1.0]).double(),))
    problem = compare((torch.tensor([3.0, 1.001, 1.0]),), made, TRIAL)
    assert problem is not None
    assert problem.witness["index"] == [1]


def test_nan_and_infinity_stand_where_the_reference_has_them() -> None:
    own = torch.tensor([math.nan, math.inf, -math.inf, 1.0])
    made = expectation(own, bound=0.5)
    for index, bad in (
        (0, 1.0),
        (0, math.inf),
        (1, 3e38),
        (1, -math.inf),
        (2, math.nan),
        (3, math.nan),
    ):
        got = own.clone()
        got[index] = bad
        assert check_of(got, made) == "numerics", (index, bad)


def test_an_infinite_bound_excuses_no_nan_elsewhere() -> None:
    own = torch.tensor([1.0, 2.0])
    made = Expectation((own,), (own.double(),), (torch.tensor([math.inf, 0.0]).double(),))
    assert check_of(torch.tensor([7.0, 2.0]), made) is None
    assert check_of(torch.tensor([7.0, 2.5]), made) == "numerics"


def test_near_overflow_infinity_of_the_right_sign_will_do() -> None:
    exact = torch.tensor([65500.0, -65500.0, 1.0]).double()
    made = expectation(exact.half(), exact, bound=40.0)
    assert check_of(torch.tensor([math.inf, -math.inf, 1.0]).half(), made) is None
    assert check_of(torch.tensor([-math.inf, -math.inf, 1.0]).half(), made) == "numerics"
    assert check_of(torch.tensor([0.0, -math.inf, 1.0]).half(), made) == "numerics"
    assert check_of(torch.tensor([math.inf, -math.inf, math.inf]).half(), made) == "numerics"


def test_subnormal_float32_results_may_be_flushed_but_not_those_of_float16() -> None:
    tiny = torch.tensor([1e-39, -1e-40]).double()
    assert check_of(torch.zeros(2), expectation(tiny.float(), tiny)) is None
    half = torch.tensor([3e-5, -3e-5]).double()
    assert check_of(torch.zeros(2).half(), expectation(half.half(), half)) == "numerics"


@pytest.mark.parametrize("dtype", [torch.int32, torch.int64, torch.bool, torch.uint8])
def test_integers_and_booleans_must_be_equal(dtype: torch.dtype) -> None:
    own = torch.tensor([1, 0, 1]).to(dtype)
    made = Expectation((own,), (own,), (None,))
    assert check_of(own.clone(), made) is None
    assert check_of(torch.tensor([1, 1, 1]).to(dtype), made) == "numerics"


def test_large_integers_are_not_compared_as_floats() -> None:
    own = torch.tensor([2**53 + 1])
    assert check_of(torch.tensor([2**53]), Expectation((own,), (own,), (None,))) == "numerics"


def test_numbers_and_other_results_are_compared_by_type_and_value() -> None:
    made = Expectation((3, 2.0, "a", None), (3, 2.0, "a", None), (None,) * 4)
    assert check_of((3, 2.0, "a", None), made) is None
    assert check_of((4, 2.0, "a", None), made) == "numerics"
    assert check_of((3, 2.5, "a", None), made) == "numerics"
    assert check_of((3.0, 2.0, "a", None), made) == "type"
    assert check_of((True, 2.0, "a", None), made) == "type"


def test_empty_results_are_compared_by_shape_alone() -> None:
    made = expectation(torch.empty(0, 3))
    assert check_of(torch.empty(0, 3), made) is None
    assert check_of(torch.empty(3, 0), made) == "shape"


def test_complex_results_are_compared_by_distance() -> None:
    own = torch.tensor([1 + 1j, 2j])
    made = Expectation((own,), (own.to(torch.complex128),), (torch.full((2,), 0.1).double(),))
    assert check_of(own + 0.05, made) is None
    assert check_of(own + 0.2j, made) == "numerics"
