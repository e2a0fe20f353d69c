"""Patterns of example arguments, and arguments of other sizes built from them."""

from __future__ import annotations

import math
from typing import Any

import pytest
import torch

from tritongen.verify.judge import draws
from tritongen.verify.judge.symbols import Pattern, infer


def generator(seed: int = 0) -> torch.Generator:
    """A generator of the CPU."""
    return torch.Generator().manual_seed(seed)


def resized(pattern: Pattern, size: int, to: int) -> tuple[Any, ...]:
    """Arguments in which the symbol of one size has another."""
    symbol = next(s for s in pattern.symbols if s.size == size and not s.is_part)
    return pattern.build(generator(), {symbol: to})


def test_equal_sizes_change_together_and_integers_follow() -> None:
    pattern = infer((torch.randn(64, 256), torch.randn(256), 256, 2, 1e-5))
    x, weight, n, two, eps = resized(pattern, 256, 97)
    assert x.shape == (64, 97)
    assert weight.shape == (97,)
    assert (n, two, eps) == (97, 2, 1e-5)
    x, weight, n, _, _ = resized(pattern, 64, 5)
    assert (x.shape, weight.shape, n) == ((5, 256), (256,), 256)


def test_small_trailing_sizes_are_structural() -> None:
    pattern = infer((torch.randn(100, 3), torch.randn(2, 100)))
    sizes = {symbol.size for symbol in pattern.symbols}
    assert sizes == {100, 2}


def test_independent_dimensions_of_equal_size_are_proposed_apart() -> None:
    pattern = infer((torch.randn(32, 32), torch.randn(32, 32)))
    groups = {symbol.positions for symbol in pattern.symbols if symbol.is_part}
    assert {((0, 0),), ((1, 1),), ((0, 1), (1, 0))} <= groups


def test_integer_ratios_are_proposed_together() -> None:
    pattern = infer((torch.randn(8, 48), torch.randn(192, 48), torch.randn(192)))
    linked = [s for s in pattern.symbols if s.size == 48 and s.multiples]
    x, weight, bias = pattern.build(generator(), {linked[0]: 20})
    assert (x.shape, weight.shape, bias.shape) == ((8, 20), (80, 20), (80,))


def test_an_index_follows_the_dimension_that_it_points_into() -> None:
    ids = torch.randint(0, 1000, (4, 32))
    ids[0, 0] = 999
    pattern = infer((torch.randn(1000, 64), ids))
    table, drawn = resized(pattern, 1000, 17)
    assert table.shape == (17, 64)
    assert int(drawn.max()) < 17
    assert int(drawn.min()) >= 0


@pytest.mark.parametrize(
    "make",
    [
        lambda: torch.randn(6, 10).t(),
        lambda: torch.randn(2, 3, 8, 5).to(memory_format=torch.channels_last),
        lambda: torch.randn(7, 40)[:, :33],
        lambda: torch.randn(1, 20).expand(9, 20),
        lambda: torch.randn(4, 6, 5).transpose(1, 2),
        lambda: torch.randn(4, 6),
    ],
)
def test_layout_is_kept(make: Any) -> None:
    example = make()
    (built,) = infer((example,)).build(generator())
    assert built.shape == example.shape
    assert built.stride() == example.stride()
    assert built.is_contiguous() == example.is_contiguous()


def test_the_same_tensor_twice_stays_one_tensor_and_nesting_is_kept() -> None:
    x = torch.randn(9, 9)
    built = infer((x, [x, (x, 3)], {"a": x})).build(generator())
    assert built[0] is built[1][0] is built[1][1][0] is built[2]["a"]
    assert built[1][1][1] == 3


def test_fresh_values_differ_and_follow_the_seed() -> None:
    pattern = infer((torch.randn(9, 9), 0.5))
    first, again = pattern.build(generator(1)), pattern.build(generator(1))
    other = pattern.build(generator(2), vary_scalars=True)
    assert torch.equal(first[0], again[0])
    assert not torch.equal(first[0], other[0])
    assert first[1] == 0.5
    assert 0 < other[1] <= 1
    assert other[1] != 0.5


STYLES: dict[str, tuple[torch.Tensor, Any]] = {
    "unit interval": (torch.rand(40, 50), lambda t: bool(((t >= 0) & (t <= 1)).all())),
    "positive": (torch.randn(40, 50).abs() + 0.1, lambda t: bool((t > 0).all())),
    "negative": (-torch.randn(40, 50).abs() - 0.1, lambda t: bool((t < 0).all())),
    "shifted": (torch.randn(40, 50) + 50, lambda t: 40 < float(t.mean()) < 60),
    "ones are varied": (torch.ones(50), lambda t: bool((t > 0).all()) and float(t.std()) > 0.05),
    "zeros are varied": (torch.zeros(50), lambda t: float(t.std()) > 0.1),
    "binary": (
        (torch.rand(40, 50) > 0.5).float(),
        lambda t: set(t.unique().tolist()) == {0.0, 1.0},
    ),
    "causal mask": (
        torch.full((50, 50), -math.inf).triu(1),
        lambda t: bool((t.isinf() == torch.ones_like(t).triu(1).bool()).all()),
    ),
    "boolean causal mask": (torch.ones(50, 50).tril().bool(), lambda t: t.equal(t.tril()) and bool(t[-1].all())),
    "triangular": (torch.randn(50, 50).tril(), lambda t: t.equal(t.tril()) and bool((t != 0).sum() > 1200)),
    "probabilities": (
        torch.softmax(torch.randn(40, 50), -1),
        lambda t: bool(((t.sum(-1) - 1).abs() < 1e-5).all()),
    ),
    "log probabilities": (
        torch.log_softmax(torch.randn(40, 50), -1),
        lambda t: bool(((t.exp().sum(-1) - 1).abs() < 1e-5).all()),
    ),
    "sorted": (torch.randn(40, 50).sort().values, lambda t: bool((t.diff() >= 0).all())),
    "permutation": (torch.randperm(50), lambda t: t.sort().values.equal(torch.arange(50))),
    "arange": (torch.arange(50), lambda t: t.equal(torch.arange(50))),
    "ignored labels": (
        torch.where(torch.rand(50) < 0.2, -100, torch.randint(0, 9, (50,))),
        lambda t: bool(((t == -100) | ((t >= 0) & (t < 9))).all()) and bool((t == -100).any()),
    ),
    "whole numbers": (
        torch.randint(0, 5, (40, 50)).float(),
        lambda t: t.equal(t.round()) and float(t.max()) <= 4,
    ),
    "integers in range": (
        torch.randint(3, 9, (50, 6)),
        lambda t: int(t.min()) >= 3 and int(t.max()) <= 8,
    ),
}  # fmt: skip


@pytest.mark.parametrize("name", STYLES)
def test_fresh_values_look_like_the_example(name: str) -> None:
    example, holds = STYLES[name]
    assert holds(example) or name.endswith("varied")
    built = draws.draw(draws.describe(example), tuple(example.shape), example.dtype, generator())
    assert built.dtype == example.dtype
    assert holds(built)
    if name not in ("arange", "boolean causal mask", "causal mask"):
        assert not built.equal(example)


def test_masked_places_at_random_leave_one_open_in_each_row() -> None:
    example = torch.where(torch.rand(40, 8) < 0.8, -math.inf, 0.0)
    example[:, 0] = 0.0
    built = draws.draw(draws.describe(example), (200, 8), torch.float32, generator())
    assert bool(built.isinf().any())
    assert not bool(built.isinf().all(-1).any())


KINDS = {
    "signed": lambda x, t: bool((t < 0).any()) and torch.equal(t.abs(), x.abs()),
    "scale 0.001": lambda x, t: abs(float(t.square().mean().sqrt()) - 1e-3) < 1e-5,
    "scale 1": lambda x, t: abs(float(t.square().mean().sqrt()) - 1) < 1e-2,
    "scale 30": lambda x, t: abs(float(t.square().mean().sqrt()) - 30) < 0.3,
    "constant rows": lambda x, t: bool((t == t[:, :1]).all()) and len(t[:, 0].unique()) > 1,
    "ties": lambda x, t: len(t.unique()) < 20,
    "zero rows": lambda x, t: bool((t == 0).all(-1).any()) and bool((t != 0).any()),
    "large mean": lambda x, t: float(t.mean()) > 900 and 0.3 < float(t.std()) < 2,
    "negative mean": lambda x, t: float(t.mean()) < -900 and 0.3 < float(t.std()) < 2,
}


@pytest.mark.parametrize("kind", draws.KINDS)
def test_a_hard_kind_is_what_its_name_says(kind: str) -> None:
    x = torch.rand(20, 30, generator=generator()) + 0.1
    before = x.clone()
    changed = draws.transform(kind, x, generator())
    assert KINDS[kind](x, changed)
    assert torch.equal(x, before)
    assert changed.dtype == x.dtype
    half = draws.transform(kind, x.half(), generator())
    assert bool(half.isfinite().all())


@pytest.mark.parametrize("kind", draws.KINDS)
def test_a_hard_kind_stays_in_the_domain(kind: str) -> None:
    x = torch.rand(20, 30) * 2 - 1
    changed = draws.transform(kind, x, generator(), low=-4.0, high=4.0, min_abs=0.25)
    assert float(changed.abs().max()) <= 4.0
    assert float(changed.abs().min()) >= 0.25


@pytest.mark.parametrize("value", [1e-5, 0.1, 1.0, 0.0, -2.0, 3.5])
def test_a_varied_scalar_keeps_sign_and_unit_interval(value: float) -> None:
    for seed in range(20):
        varied = draws.vary_scalar(value, generator(seed))
        assert varied != value
        assert varied * value >= 0
        assert abs(varied) <= (2 * abs(value) or 0.5)
        assert not 0 <= value <= 1 or 0 <= varied <= 1
