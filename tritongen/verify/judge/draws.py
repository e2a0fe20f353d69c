"""Inputs of every kind: fresh values like those of an example, and the hard ones made of them.

A `Style` says what the values of a tensor look like (`describe`), `draw` makes others of the same
style in any shape, and `transform` turns a draw into one of the hard `KINDS`. Randomness comes
from a generator of the CPU, so that a seed gives the same values on every device.
"""

from __future__ import annotations

import math
from dataclasses import dataclass
from typing import Any, Literal

import torch

KINDS = (
    *("signed", "scale 0.001", "scale 1", "scale 30"),
    *("constant rows", "ties", "zero rows", "large mean", "negative mean"),
)
"""The kinds that `transform` makes of a draw."""

SENTINEL = -1e4
EXTREME = 120.0
SHIFT = {torch.float16: 16.0, torch.bfloat16: 16.0}

Form = Literal[
    "normal", "uniform", "constant", "binary", "masked", "integral", "simplex", "log-simplex",
    "index", "permutation", "arange", "offsets", "bool", "empty",
]  # fmt: skip
Structure = Literal["", "tril", "triu", "diagonal"]


@dataclass(frozen=True, slots=True)
class Style:
    """What the values of a tensor look like.

    `low` and `high` are the extremes seen, `mean` and `deviation` of the finite values, `share` the
    part of ones, of True or of masked elements. `structure` says where the values that are not
    zero (or not masked) stand in the last two dimensions, `sentinel` what masks.
    """

    form: Form
    low: float = 0.0
    high: float = 0.0
    mean: float = 0.0
    deviation: float = 0.0
    share: float = 0.0
    structure: Structure = ""
    sentinel: float = -math.inf
    is_sorted: bool = False
    ignored: int | None = None

    @property
    def is_real(self) -> bool:
        """Whether the values are real numbers that the hard kinds may change."""
        return self.form in ("normal", "uniform", "constant")


def describe(tensor: torch.Tensor) -> Style:
    """The style of a tensor's values."""
    values = tensor.detach()
    if values.numel() == 0:
        return Style("empty")
    if values.dtype is torch.bool:
        share = float(values.to(torch.float32).mean())
        return Style("bool", share=share, structure=_structure(values))
    if values.is_complex():
        return Style("normal", deviation=1.0, low=-3.0, high=3.0)
    if not values.is_floating_point():
        return _describe_integers(values)
    return _describe_floats(values.to(torch.float64))


def _describe_integers(values: torch.Tensor) -> Style:
    low, high = int(values.min()), int(values.max())
    ignored = None
    if low < 0 and high >= 0 and low in (-1, -100):
        ignored, kept = low, values[values != low]
        low = int(kept.min())
    rising = bool((values.diff(dim=-1) >= 0).all()) if values.dim() else True
    count = values.numel()
    if values.dim() == 1 and count > 1 and ignored is None:
        if low == 0 and high == count - 1 and values.unique().numel() == count:
            return Style("arange" if rising else "permutation", high=high)
        if rising and low == 0 and int(values[0]) == 0 and high > count:
            return Style("offsets", high=high, is_sorted=True)
    return Style("index", low, high, is_sorted=rising and count > 2, ignored=ignored)


def _describe_floats(values: torch.Tensor) -> Style:
    masked = values <= SENTINEL
    if bool(masked.any()) and not bool(masked.all()):
        rest = values[~masked]
        return Style(
            "masked",
            float(rest.min()),
            float(rest.max()),
            float(rest.mean()),
            float(rest.std(unbiased=False)),
            float(masked.to(torch.float64).mean()),
            _structure(~masked),
            float(values[masked].max()),
        )
    finite = values[values.isfinite()]
    if not finite.numel():
        return Style("normal", -3.0, 3.0, 0.0, 1.0)
    low, high = float(finite.min()), float(finite.max())
    mean, deviation = float(finite.mean()), float(finite.std(unbiased=False))
    if low == high:
        return Style("constant", low, high, mean, 0.0)
    structure = _structure(values != 0)
    if bool(((values == 0) | (values == 1)).all()):
        return Style("binary", low, high, mean, deviation, mean, structure)
    ordered = values.dim() > 0 and values.shape[-1] > 2 and bool((values.diff(dim=-1) >= 0).all())
    rest = (low, high, mean, deviation, 0.0, structure, -math.inf, ordered)
    if bool((finite == finite.round()).all()) and finite.numel() > 1:
        return Style("integral", *rest)
    if values.dim() and values.shape[-1] > 1:
        if low >= 0 and _near_one(values.sum(-1)):
            return Style("simplex", *rest)
        if high <= 0 and _near_one(values.exp().sum(-1)):
            return Style("log-simplex", *rest)
    bounded = high - low < 3.8 * deviation
    return Style("uniform" if bounded else "normal", *rest)


def _near_one(sums: torch.Tensor) -> bool:
    return bool(((sums - 1).abs() < 5e-3).all())


def _structure(filled: torch.Tensor) -> Structure:
    """Where the filled places of the last two dimensions stand, if they form a triangle."""
    if filled.dim() < 2 or min(filled.shape[-2:]) < 2:
        return ""
    ones = torch.ones(filled.shape[-2:], dtype=torch.bool, device=filled.device)
    wide = filled.expand(*filled.shape[:-2], *ones.shape)
    if bool((wide & ~torch.eye(*ones.shape, dtype=torch.bool, device=ones.device)).any()):
        for name, part in (("tril", ones.tril()), ("triu", ones.triu())):
            if not bool((wide & ~part).any()) and float((wide & part).sum()) > 0.6 * float(
                part.sum() * max(1, wide.numel() // part.numel())
            ):
                return name  # type: ignore[return-value]
        return ""
    return "diagonal"


def _shaped(structure: Structure, shape: tuple[int, ...]) -> torch.Tensor:
    ones = torch.ones(shape, dtype=torch.bool)
    if structure == "diagonal":
        return ones & torch.eye(*shape[-2:], dtype=torch.bool)
    return ones.tril() if structure == "tril" else ones.triu()


def draw(
    style: Style,
    shape: tuple[int, ...],
    dtype: torch.dtype,
    generator: torch.Generator,
    *,
    limit: int | None = None,
) -> torch.Tensor:
    """Fresh values of a style, on the CPU.

    Args:
        style: what they look like.
        shape: of the result.
        dtype: of the result.
        generator: of the CPU.
        limit: of an index, the size of the dimension that it points into; of offsets, their end.
    """
    if style.form == "empty" or math.prod(shape) == 0:
        return torch.zeros(shape, dtype=dtype)
    if not dtype.is_floating_point and not dtype.is_complex:
        return _draw_integers(style, shape, dtype, generator, limit)
    values = _draw_floats(style, shape, generator)
    if style.is_sorted:
        values = values.sort(dim=-1).values
    if style.structure and style.form not in ("masked", "binary") and len(shape) >= 2:
        values = values * _shaped(style.structure, shape)
    return values.to(dtype)


def _draw_integers(
    style: Style, shape: tuple[int, ...], dtype: torch.dtype, generator: torch.Generator, limit: Any
) -> torch.Tensor:
    if style.form == "bool":
        return _places(style, shape, generator).to(dtype)
    count = math.prod(shape)
    if style.form in ("permutation", "arange") and len(shape) == 1:
        if style.form == "arange":
            return torch.arange(count, dtype=dtype)
        return torch.randperm(count, generator=generator).to(dtype)
    high = int(style.high) if limit is None else limit - 1
    if style.form == "offsets":
        end = int(style.high) if limit is None else limit
        inner = torch.randint(0, end + 1, (max(0, count - 2),), generator=generator).sort().values
        ends = torch.tensor([0, end][: count if count < 2 else 2])
        return torch.cat([ends[:1], inner, ends[1:]]).to(dtype)
    low = min(int(style.low), high)
    values = torch.randint(low, max(low, high) + 1, shape, generator=generator)
    if style.is_sorted:
        values = values.sort(dim=-1).values
    if style.ignored is not None:
        hidden = torch.rand(shape, generator=generator) < 0.1
        values = torch.where(hidden, style.ignored, values)
    return values.to(dtype)


def _draw_floats(style: Style, shape: tuple[int, ...], generator: torch.Generator) -> torch.Tensor:
    def normal() -> torch.Tensor:
        return torch.randn(shape, generator=generator, dtype=torch.float64)

    def uniform(low: float, high: float) -> torch.Tensor:
        return torch.rand(shape, generator=generator, dtype=torch.float64) * (high - low) + low

    if style.form == "constant":
        if style.low == 0:
            return normal() * 0.5
        return style.low * uniform(0.5, 1.5)
    if style.form == "binary":
        return _places(style, shape, generator).to(torch.float64)
    if style.form == "masked":
        rest = torch.full(shape, style.mean, dtype=torch.float64)
        if style.deviation:
            rest = rest + normal() * style.deviation
        return torch.where(_places(style, shape, generator), rest, style.sentinel)
    if style.form == "integral":
        low, high = int(style.low), int(style.high)
        return torch.randint(low, high + 1, shape, generator=generator).to(torch.float64)
    if style.form == "simplex":
        return torch.softmax(normal() * 2, -1)
    if style.form == "log-simplex":
        return torch.log_softmax(normal() * 2, -1)
    if style.form == "uniform":
        return uniform(style.low, style.high)
    values = normal() * style.deviation + style.mean
    if style.low >= 0:
        values = values.abs().clamp(min=style.low)
    if style.high <= 0:
        values = -values.abs().clamp(min=-style.high)
    return values


def _places(style: Style, shape: tuple[int, ...], generator: torch.Generator) -> torch.Tensor:
    """Where a mask is open: in the structure seen, or at random with one open place in a row."""
    if style.structure and len(shape) >= 2:
        return _shaped(style.structure, shape)
    share = 1 - style.share if style.form == "masked" else style.share
    open_ = torch.rand(shape, generator=generator) < min(max(share, 0.05), 0.95)
    if shape and share > 0:
        rows = torch.randint(0, shape[-1], (*shape[:-1], 1), generator=generator)
        open_.scatter_(-1, rows, True)
    return open_


def transform(
    kind: str,
    values: torch.Tensor,
    generator: torch.Generator,
    *,
    low: float = -math.inf,
    high: float = math.inf,
    min_abs: float = 0.0,
) -> torch.Tensor:
    """One of the hard `KINDS` made of a draw of floats.

    Args:
        kind: of `KINDS`; any other name leaves the values as they are.
        values: a floating tensor; not written to.
        generator: of the CPU.
        low, high: the domain, into which results are clamped.
        min_abs: results nearer to zero are moved out to it.

    Returns:
        a tensor of the same shape, dtype and device.
    """
    if not values.numel() or not values.is_floating_point():
        return values
    wide = values.detach().to("cpu", torch.float64)
    finite = wide[wide.isfinite()]
    size = float(finite.square().mean().sqrt()) if finite.numel() else 0.0
    unit = wide / size if size > 0 else wide
    changed = _change(kind, wide, unit, values.dtype, generator)
    changed = torch.where(wide.isfinite(), changed, wide)
    largest = torch.finfo(values.dtype).max
    changed = changed.clamp(max(low, -largest), min(high, largest))
    if min_abs:
        far = torch.where(changed < 0, -min_abs, min_abs)
        changed = torch.where(changed.abs() < min_abs, far, changed).clamp(low, high)
    return changed.to(values.dtype).to(values.device)


def _change(
    kind: str,
    wide: torch.Tensor,
    unit: torch.Tensor,
    dtype: torch.dtype,
    generator: torch.Generator,
) -> torch.Tensor:
    if kind == "signed":
        signs = torch.randint(0, 2, wide.shape, generator=generator) * 2.0 - 1.0
        return wide * signs
    if kind.startswith("scale "):
        return unit * float(kind.removeprefix("scale "))
    if kind == "constant rows":
        return wide[..., :1].expand_as(wide) if wide.dim() else wide
    if kind == "ties":
        return (unit * 2).round() / 2
    if kind == "zero rows":
        if wide.dim() < 2:
            return torch.zeros_like(wide)
        rows = torch.rand(wide.shape[:-1], generator=generator) < 0.5
        rows.view(-1)[0] = True
        return wide.masked_fill(rows.unsqueeze(-1), 0.0)
    if kind in ("large mean", "negative mean"):
        shift = SHIFT.get(dtype, 1000.0)
        return unit + shift if kind == "large mean" else unit - shift
    return wide


def stretched(values: torch.Tensor) -> torch.Tensor:
    """With the extremes at -120 and 120, where exp overflows in float32; signs are kept."""
    if values.numel() < 2 or not values.is_floating_point():
        return values
    flat = values.reshape(-1).clone()
    for index, extreme in ((flat.argmin(), -EXTREME), (flat.argmax(), EXTREME)):
        if bool(flat[index] * extreme > 0):
            flat[index] = extreme
    return flat.reshape(values.shape)


def vary_scalar(value: float, generator: torch.Generator) -> float:
    """Another float like `value`: within a factor of two, of its sign, in [0, 1] if it is there.

    Zero, which has neither size nor sign, becomes something between 0.1 and 0.5.
    """
    share = float(torch.rand((), generator=generator))
    if value == 0.0:
        return 0.1 + 0.4 * share
    if value == 1.0:
        return 0.5 + 0.4 * share
    changed = value * (0.6 + 0.8 * share)
    if 0.0 <= value <= 1.0:
        changed = min(changed, 0.5 * (1.0 + value))
    return changed
