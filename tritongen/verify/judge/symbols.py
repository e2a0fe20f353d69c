"""Example arguments as a pattern: which sizes belong together, and how to build others like them.

Of a foreign candidate there is only one example call. Equal sizes become one dimension symbol, a
Python integer that equals a size follows it, and an index tensor is drawn within the size of the
dimension that it seems to point into. Which symbols are in truth independent, the reference
decides: it refuses what does not fit.
"""

from __future__ import annotations

import itertools
import math
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field, replace
from typing import Any

import torch

from tritongen.verify.judge import draws
from tritongen.verify.judge.draws import Style

Position = tuple[int, int]
"""A dimension: number of the tensor, number of the dimension."""

STRUCTURAL = 4
RATIOS = (2, 3, 4, 8)
Change = Callable[[Style, torch.Tensor, torch.Generator], torch.Tensor]


@dataclass(frozen=True, slots=True)
class Sample:
    """One tensor of the example: its dtype, place, layout and style of values."""

    shape: tuple[int, ...]
    dtype: torch.dtype
    device: torch.device
    order: tuple[int, ...]
    expanded: tuple[int, ...]
    gap: int
    style: Style
    points_into: Position | None = None
    needs_grad: bool = False


@dataclass(frozen=True, slots=True)
class Symbol:
    """Dimensions that change together, and how the sizes of others follow (`multiples`)."""

    name: str
    size: int
    positions: tuple[Position, ...]
    multiples: tuple[tuple[Position, int], ...] = ()
    scalars: tuple[int, ...] = ()
    is_part: bool = False


@dataclass(slots=True)
class Pattern:
    """The example arguments, taken apart: `leaves` in order, tensors among them as samples."""

    arguments: tuple[Any, ...]
    leaves: list[Any]
    samples: dict[int, Sample]
    same: dict[int, int] = field(default_factory=dict)
    symbols: tuple[Symbol, ...] = ()

    @property
    def elements(self) -> int:
        """Elements of all tensors of the example."""
        return sum(math.prod(sample.shape) for sample in self.samples.values())

    def unpoint(self) -> bool:
        """Draw indices within the range seen from now on; whether any were not."""
        pointing = {n: sample for n, sample in self.samples.items() if sample.points_into}
        self.samples |= {n: replace(sample, points_into=None) for n, sample in pointing.items()}
        return bool(pointing)

    def shapes(self, symbol: Symbol | None = None, size: int = 0) -> dict[int, tuple[int, ...]]:
        """The shape of every tensor when one symbol has another size."""
        return self.shapes_of({symbol: size} if symbol else {})

    def shapes_of(self, sizes: dict[Symbol, int]) -> dict[int, tuple[int, ...]]:
        """The shape of every tensor when symbols have other sizes."""
        shapes = {number: list(sample.shape) for number, sample in self.samples.items()}
        for symbol, size in sizes.items():
            for number, dim in symbol.positions:
                shapes[number][dim] = size
            for (number, dim), ratio in symbol.multiples:
                shapes[number][dim] = size * ratio
        return {number: tuple(shape) for number, shape in shapes.items()}

    def build(
        self,
        generator: torch.Generator,
        sizes: dict[Symbol, int] | None = None,
        *,
        change: Change | None = None,
        vary_scalars: bool = False,
        dtype: torch.dtype | None = None,
        integers: dict[int, int] | None = None,
    ) -> tuple[Any, ...]:
        """Arguments like the example's, with fresh values.

        Args:
            generator: of the CPU.
            sizes: other sizes for some symbols.
            change: applied to each tensor of floats after drawing.
            vary_scalars: whether float arguments change a little.
            dtype: replaces the half-precision dtypes of tensors.
            integers: other values for some leaves that are integers, by number.
        """
        sizes = sizes or {}
        shapes = self.shapes_of(sizes)
        scalars = {place: size for symbol, size in sizes.items() for place in symbol.scalars}
        scalars |= integers or {}
        built: dict[int, Any] = {}
        for number, leaf in enumerate(self.leaves):
            if number in self.same:
                built[number] = built[self.same[number]]
            elif number in self.samples:
                built[number] = self._tensor(number, shapes, generator, change, dtype)
            elif number in scalars:
                built[number] = scalars[number]
            elif vary_scalars and type(leaf) is float and math.isfinite(leaf):
                built[number] = draws.vary_scalar(leaf, generator)
            else:
                built[number] = leaf
        counter = itertools.count()
        return _rebuild(self.arguments, lambda _: built[next(counter)])

    def _tensor(
        self,
        number: int,
        shapes: dict[int, tuple[int, ...]],
        generator: torch.Generator,
        change: Change | None,
        dtype: torch.dtype | None,
    ) -> torch.Tensor:
        sample = self.samples[number]
        limit = None
        if sample.points_into is not None:
            other, dim = sample.points_into
            limit = shapes[other][dim]
        shape = tuple(1 if d in sample.expanded else size for d, size in enumerate(shapes[number]))
        wanted = sample.dtype
        if dtype is not None and wanted in (torch.float16, torch.bfloat16):
            wanted = dtype
        values = draws.draw(sample.style, shape, wanted, generator, limit=limit)
        if change is not None and wanted.is_floating_point:
            values = change(sample.style, values, generator)
        return lay_out(values, sample, shapes[number]).requires_grad_(sample.needs_grad)


def lay_out(values: torch.Tensor, sample: Sample, shape: tuple[int, ...]) -> torch.Tensor:
    """Values with the layout of a sample: order of strides, gaps between rows, expanded dims."""
    if sample.order != tuple(range(values.dim())) or sample.gap:
        sizes = [values.shape[d] for d in sample.order]
        if sample.gap and sizes:
            padded = torch.empty([*sizes[:-1], sizes[-1] + sample.gap], dtype=values.dtype)
            base = padded[..., : sizes[-1]]
        else:
            base = torch.empty(sizes, dtype=values.dtype)
        back = [sample.order.index(d) for d in range(values.dim())]
        target = base.permute(back)
        target.copy_(values)
        if sample.device.type != "cpu":
            moved = base._base if base._base is not None else base
            moved = moved.to(sample.device)
            target = moved[..., : sizes[-1]].permute(back) if sample.gap else moved.permute(back)
        return target.expand(shape) if sample.expanded else target
    values = values.to(sample.device)
    return values.expand(shape) if sample.expanded else values


def small_integers(pattern: Pattern) -> list[int]:
    """Leaves that are small integers and no size: groups, paddings, dimensions, counts."""
    followed = {number for symbol in pattern.symbols for number in symbol.scalars}
    sizes = {math.prod(sample.shape) for sample in pattern.samples.values()}
    return [
        number
        for number, leaf in enumerate(pattern.leaves)
        if type(leaf) is int and abs(leaf) <= 16 and number not in followed and leaf not in sizes
    ]


def leaves_of(value: Any) -> Iterator[Any]:
    """The parts of an argument through tuples, lists and dicts, in order."""
    if isinstance(value, (tuple, list)) and not isinstance(value, torch.Size):
        for item in value:
            yield from leaves_of(item)
    elif isinstance(value, dict):
        for item in value.values():
            yield from leaves_of(item)
    else:
        yield value


def _rebuild(value: Any, change: Callable[[Any], Any]) -> Any:
    if isinstance(value, (tuple, list)) and not isinstance(value, torch.Size):
        items = [_rebuild(item, change) for item in value]
        return type(value)(*items) if hasattr(value, "_fields") else type(value)(items)
    if isinstance(value, dict):
        return {key: _rebuild(item, change) for key, item in value.items()}
    return change(value)


def infer(arguments: tuple[Any, ...]) -> Pattern:
    """The pattern of example arguments."""
    leaves = [leaf for item in arguments for leaf in leaves_of(item)]
    samples: dict[int, Sample] = {}
    same: dict[int, int] = {}
    seen: dict[int, int] = {}
    for number, leaf in enumerate(leaves):
        if isinstance(leaf, torch.Tensor):
            if id(leaf) in seen:
                same[number] = seen[id(leaf)]
                continue
            seen[id(leaf)] = number
            samples[number] = _sample(leaf)
    samples = {n: _pointing(n, sample, samples) for n, sample in samples.items()}
    pattern = Pattern(arguments, leaves, samples, same)
    pattern.symbols = tuple(_symbols(pattern))
    return pattern


def _sample(tensor: torch.Tensor) -> Sample:
    strides, sizes = tensor.stride(), tuple(tensor.shape)
    expanded = tuple(
        d for d, (s, n) in enumerate(zip(strides, sizes, strict=True)) if not s and n > 1
    )
    held = [d for d in range(tensor.dim()) if d not in expanded and sizes[d] > 1]
    order = tuple(range(tensor.dim()))
    gap = 0
    if not tensor.is_contiguous() and tensor.numel():
        inner = sorted(held, key=lambda d: -strides[d])
        if inner != held:
            rest = [d for d in range(tensor.dim()) if d not in held]
            order = tuple(rest + inner)
        if len(inner) > 1:
            last, above = inner[-1], inner[-2]
            gap = max(0, strides[above] // max(1, strides[last]) - sizes[last])
    style = draws.describe(tensor)
    return Sample(
        sizes,
        tensor.dtype,
        tensor.device,
        order,
        expanded,
        min(gap, 1 << 12),
        style,
        needs_grad=tensor.requires_grad,
    )


def _pointing(number: int, sample: Sample, samples: dict[int, Sample]) -> Sample:
    """An index tensor with the dimension that its range is a size of."""
    style = sample.style
    if style.form not in ("index", "offsets") or sample.dtype.itemsize < 4:
        return sample
    reach = int(style.high) if style.form == "offsets" else int(style.high) + 1
    found: list[tuple[int, Position]] = []
    for other, candidate in samples.items():
        if other == number:
            continue
        for dim, size in enumerate(candidate.shape):
            fits = size == reach if style.form == "offsets" else reach <= size < 4 * reach + 8
            if fits and size > 1:
                found.append((size, (other, dim)))
    if not found or style.low < 0:
        return sample
    return replace(sample, points_into=min(found)[1])


def _symbols(pattern: Pattern) -> Iterator[Symbol]:
    """Symbols for every size that may vary; first whole ones, then parts of them."""
    by_size: dict[int, list[Position]] = {}
    for number, sample in pattern.samples.items():
        for dim, size in enumerate(sample.shape):
            trailing = dim == len(sample.shape) - 1 and len(sample.shape) > 1
            if size > (STRUCTURAL if trailing else 1):
                by_size.setdefault(size, []).append((number, dim))
    batch = _batch_of_one(pattern)
    if batch:
        by_size[1] = batch
    names = iter("NMKBDHSLCPQRTUVW")
    whole: list[Symbol] = []
    for size, positions in by_size.items():
        scalars = tuple(
            number
            for number, leaf in enumerate(pattern.leaves)
            if type(leaf) is int and leaf == size and size > STRUCTURAL
        )
        name = next(names, f"S{size}")
        whole.append(Symbol(name, size, tuple(positions), (), scalars))
    yield from whole
    for symbol in whole:
        yield from _parts(pattern, symbol)
    for symbol in whole:
        linked = tuple(
            (position, ratio)
            for other in whole
            for ratio in RATIOS
            if symbol.size > 1 and other.size == ratio * symbol.size
            for position in other.positions
        )
        if linked:
            yield Symbol(
                f"{symbol.name}*", symbol.size, symbol.positions, linked, symbol.scalars, True
            )


def _batch_of_one(pattern: Pattern) -> list[Position]:
    """Leading dimensions of size 1, where the first tensor of several dimensions has one."""
    deep = [number for number, sample in pattern.samples.items() if len(sample.shape) > 1]
    if not deep or pattern.samples[deep[0]].shape[0] != 1:
        return []
    return [(number, 0) for number in deep if pattern.samples[number].shape[0] == 1]


def _parts(pattern: Pattern, symbol: Symbol) -> Iterator[Symbol]:
    """Single dimensions and pairs of a symbol's, which may be independent of the others."""
    positions = [
        (number, dim)
        for number, dim in symbol.positions
        if pattern.samples[number].dtype.is_floating_point
    ]
    if len(symbol.positions) < 2 or len(positions) > 6 or symbol.size == 1:
        return
    holders = [number for number, _ in symbol.positions]
    if len(set(holders)) == len(holders) and len({pattern.samples[n].shape for n in holders}) == 1:
        return  # tensors of one shape, without a square: they go together
    groups = [*((p,) for p in positions), *itertools.combinations(positions, 2)]
    for index, group in enumerate(groups):
        if len(group) < len(symbol.positions):
            yield Symbol(f"{symbol.name}{index + 1}", symbol.size, tuple(group), is_part=True)
