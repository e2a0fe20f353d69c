"""Hard values: other kinds of inputs made of those that the pair's own test draws.

What the test draws shows the domain of every argument: its range, and a gap around zero where
there is one. New values are taken from what was seen or clamped to it, so an op that needs
positive inputs, or none near zero, keeps them.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass
from typing import Any

import torch

HOLE_SAMPLES = 64
HOLE = 1e-2


@dataclass(frozen=True, slots=True)
class Range:
    """What was seen of one argument: least and greatest value, least size of a value."""

    low: float
    high: float
    least: float

    @property
    def zero(self) -> bool:
        """Whether zero is in the domain."""
        return self.low <= 0.0 <= self.high and self.least == 0.0

    def clamp(self, values: torch.Tensor) -> torch.Tensor:
        """Values moved into the domain."""
        inside = values.clamp(self.low, self.high)
        if self.least == 0.0:
            return inside
        away = torch.where(inside < 0, -self.least, self.least)
        return torch.where(inside.abs() < self.least, away, inside)


def is_whole(value: Any) -> bool:
    """Whether an argument is a tensor of integers with elements."""
    whole = (torch.int8, torch.int16, torch.int32, torch.int64, torch.uint8)
    return isinstance(value, torch.Tensor) and value.dtype in whole and value.numel() > 0


def is_real(value: Any) -> bool:
    """Whether an argument is a floating-point tensor with elements."""
    return isinstance(value, torch.Tensor) and value.is_floating_point() and value.numel() > 0


def observed(calls: Iterable[Sequence[Any]]) -> list[Range | None]:
    """The ranges of all arguments over several calls; None for what is no floating tensor."""
    low: list[float] = []
    high: list[float] = []
    least: list[float] = []
    count: list[int] = []
    for call in calls:
        while len(low) < len(call):
            low.append(float("inf"))
            high.append(float("-inf"))
            least.append(float("inf"))
            count.append(0)
        for number, value in enumerate(call):
            if not is_real(value):
                continue
            values = value.double()
            values = values[torch.isfinite(values)]
            if values.numel():
                low[number] = min(low[number], float(values.min()))
                high[number] = max(high[number], float(values.max()))
                least[number] = min(least[number], float(values.abs().min()))
                count[number] += values.numel()
    found: list[Range | None] = []
    for a, b, c, n in zip(low, high, least, count, strict=True):
        hole = c if c > HOLE and n >= HOLE_SAMPLES else 0.0
        found.append(Range(a, b, hole) if a <= b else None)
    return found


Change = Callable[[torch.Tensor, Range, torch.Generator], "torch.Tensor | None"]


def _pick(values: torch.Tensor, shape: tuple[int, ...], generator: Any) -> torch.Tensor:
    """Elements of `values` at random places."""
    flat = values.reshape(-1)
    places = torch.randint(flat.numel(), shape, generator=generator, device=flat.device)
    return flat[places]


def uniform(values: torch.Tensor, seen: Range, generator: torch.Generator) -> torch.Tensor:
    """Values from all over the range."""
    spread = torch.rand(
        values.shape, generator=generator, device=values.device, dtype=torch.float64
    )
    return seen.low + (seen.high - seen.low) * spread


def constant_rows(values: torch.Tensor, _: Range, __: torch.Generator) -> torch.Tensor:
    """Every row holds its first value throughout."""
    return values[..., :1].expand(values.shape)


def ties(values: torch.Tensor, _: Range, generator: torch.Generator) -> torch.Tensor:
    """Three different values at most."""
    few = _pick(values, (3,), generator)
    return _pick(few, tuple(values.shape), generator)


def zero_rows(values: torch.Tensor, seen: Range, _: torch.Generator) -> torch.Tensor | None:
    """Every other row, or every other stretch of four values, is zero."""
    if not seen.zero:
        return None
    result = values.clone()
    if values.dim() > 1 and values.shape[0] > 1:
        result[::2] = 0.0
    else:
        result[..., torch.arange(values.shape[-1], device=values.device) % 8 < 4] = 0.0
    return result


def large_mean(values: torch.Tensor, seen: Range, generator: torch.Generator) -> torch.Tensor:
    """Values close to the greatest that was seen, with little variance."""
    noise = torch.randn(values.shape, generator=generator, device=values.device)
    top = seen.high if abs(seen.high) >= abs(seen.low) else seen.low
    return top * (1.0 - noise.abs() * 2.0**-7)


def scaled(factor: float) -> Change:
    """All values times a factor."""

    def change(values: torch.Tensor, _: Range, __: torch.Generator) -> torch.Tensor:
        return values.double() * factor

    return change


KINDS: dict[str, Change] = {
    "uniform": uniform,
    "constant rows": constant_rows,
    "large mean": large_mean,
    "zero rows": zero_rows,
    "scale 1e-3": scaled(1e-3),
    "ties": ties,
    "scale 30": scaled(30.0),
}
"""All kinds, those first that find the most."""

PRECISE = ("uniform", "large mean", "scale 1e-3", "scale 30")
"""Kinds that show a loss of precision, and so are tried in the widest dtype."""


def changed(
    arguments: Sequence[Any], ranges: Sequence[Range | None], kind: str, seed: int
) -> tuple[Any, ...] | None:
    """The arguments with their finite floating-point values changed; None where none can be."""
    result: list[Any] = []
    any_changed = False
    for number, value in enumerate(arguments):
        seen = ranges[number] if number < len(ranges) else None
        if seen is None or not is_real(value) or value.dim() == 0:
            result.append(value)
            continue
        generator = torch.Generator(device=value.device).manual_seed(seed + number)
        made = KINDS[kind](value, seen, generator)
        if made is None:
            result.append(value)
            continue
        made = seen.clamp(made.double()).to(value.dtype)
        made = torch.where(torch.isfinite(value), made, value)
        result.append(_in_layout_of(value, made))
        any_changed = True
    return tuple(result) if any_changed else None


def whole_numbers(arguments: Sequence[Any], calls: Sequence[Any], seed: int) -> Any:
    """The arguments with integers from all over the range that was seen; None without any."""
    result = list(arguments)
    for number, value in enumerate(arguments):
        if not is_whole(value):
            continue
        seen = [call[number] for call in calls if len(call) > number and is_whole(call[number])]
        low = min([int(item.min()) for item in seen], default=0)
        high = max([int(item.max()) for item in seen], default=1)
        generator = torch.Generator(device=value.device).manual_seed(seed + number)
        result[number] = torch.randint(
            low, high + 1, value.shape, generator=generator, device=value.device
        ).to(value.dtype)
    return tuple(result) if any(map(is_whole, arguments)) else None


def multiplied(arguments: Sequence[Any], factor: int) -> Any:
    """The arguments with their 32- and 64-bit integers times a factor; None without any."""
    wide = (torch.int32, torch.int64)
    chosen = [is_whole(value) and value.dtype in wide for value in arguments]
    if not any(chosen):
        return None
    pairs = zip(arguments, chosen, strict=True)
    return tuple(value * factor if change else value for value, change in pairs)


def _in_layout_of(like: torch.Tensor, values: torch.Tensor) -> torch.Tensor:
    """New values at the strides of a tensor, gaps between its elements included."""
    if like.is_contiguous():
        return values.contiguous()
    span = 1 + sum((size - 1) * step for size, step in zip(like.shape, like.stride(), strict=True))
    flat = torch.zeros(span, dtype=like.dtype, device=like.device)
    placed = flat.as_strided(tuple(like.shape), tuple(like.stride()))
    placed.copy_(values)
    return placed


def varied_scalars(arguments: Sequence[Any], factor: float) -> tuple[Any, ...] | None:
    """The arguments with every float scalar times a factor; None where there is none."""
    if not any(isinstance(value, float) for value in arguments):
        return None
    return tuple(value * factor if isinstance(value, float) else value for value in arguments)
