from __future__ import annotations

import pytest

from tritongen.errors import ExpressionError
from tritongen.expr import cdiv, expression, next_power_of_2


@pytest.mark.parametrize(
    ("text", "values", "result"),
    [
        ("a + b * 2", {"a": 1, "b": 3}, 7),
        ("a if b else 'no'", {"a": 1, "b": False}, "no"),
        ("f'{a}_{b}'", {"a": "x", "b": 2}, "x_2"),
        ("any(v > 2 for v in a)", {"a": [1, 3]}, True),
        ("', '.join(['a'] + [str(v) for v in b])", {"b": [1, 2]}, "a, 1, 2"),
        ("next_power_of_2(a)", {"a": 17}, 32),
        ("64 <= a < 128", {"a": 64}, True),
    ],
)
def test_expressions_evaluate_like_python(text, values, result):
    assert expression(text, "here")(values) == result


@pytest.mark.parametrize(
    "text",
    [
        "().__class__",
        "_private",
        "lambda: 1",
        "(a := 1)",
        "'{}'.format(a)",
        "a.__len__()",
        "[*a]",
        "1 +",
    ],
)
def test_what_is_outside_the_language_is_refused_with_place_and_text(text):
    with pytest.raises(ExpressionError) as error:
        expression(text, "file:3")
    assert str(error.value).startswith("file:3")


def test_builtins_are_not_reachable():
    with pytest.raises(ExpressionError, match="open"):
        expression("open('x')", "here")({})


def test_an_unknown_name_is_named_with_the_known_ones():
    with pytest.raises(ExpressionError, match=r"unknown name 'b'.*known: a"):
        expression("a + b", "here")({"a": 1})


def test_a_failing_expression_names_its_place():
    with pytest.raises(ExpressionError, match=r"file:7.*ZeroDivisionError"):
        expression("1 // a", "file:7")({"a": 0})


def test_free_names_leave_out_bound_variables_and_functions():
    assert expression("max(v for v in a if v < limit)", "here").names == {"a", "limit"}


@pytest.mark.parametrize(("n", "power"), [(1, 1), (2, 2), (3, 4), (1024, 1024), (1025, 2048)])
def test_next_power_of_2(n, power):
    assert next_power_of_2(n) == power


def test_cdiv_rounds_up():
    assert [cdiv(n, 4) for n in (0, 1, 4, 5)] == [0, 1, 1, 2]
