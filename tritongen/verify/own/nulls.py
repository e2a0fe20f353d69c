"""Null kernels: what computes nothing of its own and must not pass the pair's test.

A null is a function from the arguments and the right results to results of the same form. The
wrapper is replaced by it and the test's cases are run, hardest first, until one fails. No kernel
runs. A test that lets one through proves nothing about kernels, so its pair is refused, unless the
null is the right answer for all inputs that the gate tries.
"""

from __future__ import annotations

import contextlib
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Any

import torch

Outputs = tuple[Any, ...]


@dataclass(frozen=True, slots=True)
class Facts:
    """What a null may use: the arguments, the right results, and those for other inputs."""

    arguments: tuple[Any, ...]
    outputs: Outputs
    earlier: Callable[[], Outputs | None]
    tile: int


Null = Callable[[Facts], Outputs | None]


def _each(facts: Facts, change: Callable[[torch.Tensor], torch.Tensor | None]) -> Outputs | None:
    """`change` of every result that is a tensor; None where one of them cannot be changed."""
    made: list[Any] = []
    for value in facts.outputs:
        if isinstance(value, torch.Tensor):
            value = change(value)
            if value is None:
                return None
        made.append(value)
    return tuple(made)


def _first_input(facts: Facts) -> torch.Tensor | None:
    return next((item for item in facts.arguments if isinstance(item, torch.Tensor)), None)


def zeros(facts: Facts) -> Outputs | None:
    """All zeros."""
    return _each(facts, torch.zeros_like)


def ones(facts: Facts) -> Outputs | None:
    """All ones."""
    return _each(facts, torch.ones_like)


def identity(facts: Facts) -> Outputs | None:
    """The first input, cast to the result's dtype, where it has as many elements."""
    first = _first_input(facts)

    def change(out: torch.Tensor) -> torch.Tensor | None:
        if first is None:
            return None
        if first.shape == out.shape:
            return first.to(out.dtype)
        if first.numel() == out.numel():
            return first.reshape(out.shape).to(out.dtype)
        with contextlib.suppress(RuntimeError):
            return first.to(out.dtype).expand(out.shape).contiguous()
        return None

    return _each(facts, change)


def mean(facts: Facts) -> Outputs | None:
    """The mean of the first input, over its last dimension where the shapes allow it."""
    first = _first_input(facts)
    if first is None or first.numel() == 0:
        return None
    values = first.double()
    finite = torch.where(torch.isfinite(values), values, 0.0)

    def change(out: torch.Tensor) -> torch.Tensor:
        if finite.dim() and out.numel():
            rows = finite.mean(dim=-1, keepdim=True)
            for candidate in (rows, rows.squeeze(-1)):
                with contextlib.suppress(RuntimeError):
                    return candidate.expand(out.shape).to(out.dtype)
        return torch.full_like(out, finite.mean().item())

    return _each(facts, change)


def stale(facts: Facts) -> Outputs | None:
    """The results of an earlier call: a buffer that was not written."""
    earlier = facts.earlier()
    if earlier is None or len(earlier) != len(facts.outputs):
        return None
    for was, now in zip(earlier, facts.outputs, strict=True):
        same = isinstance(was, torch.Tensor) and isinstance(now, torch.Tensor)
        if same and (was.shape != now.shape or was.dtype != now.dtype):
            return None
    return earlier


def first_tile(facts: Facts) -> Outputs | None:
    """Right in the first tile, zero behind it."""

    def change(out: torch.Tensor) -> torch.Tensor:
        flat = out.reshape(-1).clone()
        flat[min(facts.tile, (flat.numel() + 1) // 2) :] = 0
        return flat.reshape(out.shape)

    return _each(facts, change)


def all_but_last(facts: Facts) -> Outputs | None:
    """Right but for the last element, which has another value."""

    def change(out: torch.Tensor) -> torch.Tensor:
        flat = out.reshape(-1).clone()
        if flat.numel():
            flat[-1] = _another(flat)
        return flat.reshape(out.shape)

    return _each(facts, change)


def _another(flat: torch.Tensor) -> torch.Tensor:
    """A value that is not that of the last element: that of another, else one more."""
    last = flat[-1]
    others = flat[(flat != last) & (flat == flat)]
    if others.numel():
        return others[0]
    return ~last if flat.dtype is torch.bool else torch.nan_to_num(last, 0.0, 0.0, 0.0) + 1


STALE = "stale buffer"
NULLS: dict[str, Null] = {
    "zeros": zeros,
    "constant": ones,
    "identity": identity,
    "mean": mean,
    STALE: stale,
    "first tile only": first_tile,
    "all but the last element": all_but_last,
}


def same(left: Sequence[Any], right: Sequence[Any]) -> bool:
    """Whether two sets of results agree bit for bit but for the sign of zero and kinds of NaN."""
    if len(left) != len(right):
        return False
    for a, b in zip(left, right, strict=True):
        if isinstance(a, torch.Tensor) and isinstance(b, torch.Tensor):
            if a.shape != b.shape or a.dtype != b.dtype:
                return False
            with torch._C.DisableTorchFunction():
                if not bool(((a == b) | ((a != a) & (b != b))).all()):
                    return False
        elif a is not b and a != b:
            return False
    return True
