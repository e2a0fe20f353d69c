from __future__ import annotations

import pytest

from tritongen.catalog import catalog
from tritongen.errors import TemplateError


def same(left: str, right: str) -> bool:
    operations = catalog().operations
    return operations.id(left) == operations.id(right)


@pytest.mark.parametrize(
    ("left", "right"),
    [
        ("silu(x)", "mul(x, sigmoid(x))"),
        ("silu(x)", "mul(sigmoid(x), x)"),
        ("square(x)", "mul(x, x)"),
        ("squared_difference(x, y)", "square(sub(x, y))"),
        ("add(x, mul(y, z))", "add(mul(a, b), c)"),
        ("add(add(x, y), z)", "add(x, add(y, z))"),
        ("sub(x, y)", "sub(y, x)"),
        ("div(x, y)", "mul(x, reciprocal(y))"),
        ("leaky_relu(x)", "leaky_relu(x, negative_slope=0.01)"),
    ],
)
def test_the_same_mathematics_has_one_id(left, right):
    assert same(left, right)


@pytest.mark.parametrize(
    ("left", "right"),
    [
        ("silu(x)", "mul(y, sigmoid(x))"),
        ("gelu(x)", "gelu_tanh(x)"),
        ("add(x, y)", "mul(x, y)"),
        ("mul(x, mul(x, y))", "mul(x, mul(y, z))"),
        ("leaky_relu(x, negative_slope=0.2)", "leaky_relu(x, negative_slope=0.01)"),
        ("exp(add(x, y))", "add(exp(x), y)"),
        ("sum(x)", "mean(x)"),
    ],
)
def test_different_mathematics_has_different_ids(left, right):
    assert not same(left, right)


def test_what_is_no_expression_is_refused():
    with pytest.raises(TemplateError, match="not an operation"):
        catalog().operations.id("add(x,")
