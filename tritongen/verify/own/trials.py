"""Trials beyond the pair's own test: other sizes, values, layouts, scalars and precision."""

from __future__ import annotations

import inspect
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

import torch

from tritongen.verify.judge.records import Reference, Trial
from tritongen.verify.own import layouts, values
from tritongen.verify.own.device import KEY
from tritongen.verify.own.shapes import Blocks, sizes_to_try

SEED = 1_000_003
HALF = ("float16", "bfloat16")
FACTOR = 37


@dataclass(frozen=True, slots=True)
class Made:
    """One call of `make_inputs`: sizes, dtype, its other parameters, and what it gave."""

    dims: tuple[int, ...]
    dtype: Any
    extra: tuple[tuple[str, Any], ...]
    arguments: tuple[Any, ...]


@dataclass(slots=True)
class Maker:
    """`make_inputs` of a pair, and the calls that its own test made of it."""

    make: Callable[..., Any]
    dims: tuple[str, ...]
    calls: list[Made] = field(default_factory=list)

    def __call__(self, *args: Any, **kwargs: Any) -> Any:
        """As the test calls it; the call is written down."""
        result = self.make(*args, **kwargs)
        bound = inspect.signature(self.make).bind(*args, **kwargs)
        bound.apply_defaults()
        given = dict(bound.arguments)
        dims = tuple(given.pop(name) for name in self.dims)
        dtype = given.pop("dtype", None)
        given.pop("seed", None)
        arguments = tuple(result) if isinstance(result, (tuple, list)) else (result,)
        self.calls.append(Made(dims, dtype, tuple(given.items()), arguments))
        return result

    def draw(
        self, dims: Sequence[int], dtype: Any, extra: Mapping[str, Any], seed: int
    ) -> tuple[Any, ...] | None:
        """Arguments of other sizes or values; None where `make_inputs` refuses them."""
        options = dict(extra)
        if "seed" in inspect.signature(self.make).parameters:
            options["seed"] = seed
        try:
            made = self.make(*dims, dtype=dtype, **options)
        except Exception:
            return None
        return tuple(made) if isinstance(made, (tuple, list)) else (made,)

    @property
    def shapes(self) -> list[tuple[int, ...]]:
        """The different sizes that the test used, in order."""
        return list(dict.fromkeys(call.dims for call in self.calls))

    @property
    def dtypes(self) -> list[Any]:
        """The different dtypes that the test used, float32 first."""
        found = list(dict.fromkeys(call.dtype for call in self.calls))
        return sorted(found, key=lambda dtype: dtype is not torch.float32)

    @property
    def extras(self) -> list[dict[str, Any]]:
        """The different further parameters that the test used, in order."""
        return [dict(extra) for extra in dict.fromkeys(call.extra for call in self.calls)]


@dataclass(frozen=True, slots=True)
class Plan:
    """What trials are made from: the program's hash, its blocks, what layouts it takes."""

    number: int
    blocks: Sequence[Blocks]
    names: Sequence[str]
    accepted: Mapping[str, Any]
    limit: int
    indices: bool = False
    """Whether results are positions."""
    few: bool = False
    """Whether to tell the wrapper of one multiprocessor, so that its programs loop."""


def new_sizes(maker: Maker, plan: Plan) -> Iterator[Trial]:
    """Sizes from the blocks, with fresh values, the test's dtypes and magnitudes in turn."""
    dtypes, extras = maker.dtypes, maker.extras
    sizes = sizes_to_try(maker.shapes, plan.blocks, plan.limit, plan.indices)
    for index, size in enumerate(sizes):
        turn = index + plan.number
        dtype = dtypes[0] if index % 2 == 0 else dtypes[turn % len(dtypes)]
        extra = extras[turn % len(extras)]
        arguments = maker.draw(size.dims, dtype, extra, SEED + index)
        if arguments is not None:
            named = dict(zip(maker.dims, size.dims, strict=True))
            if plan.few:
                named[KEY] = 1
            yield Trial(size.name, "fresh", arguments, named)


def base_calls(maker: Maker) -> list[Made]:
    """The calls that other values and layouts start from: per dtype one of the largest size."""
    best: dict[Any, Made] = {}
    for call in maker.calls:
        held = best.get(call.dtype)
        if held is None or _size(call) > _size(held):
            best[call.dtype] = call
    return [best[dtype] for dtype in maker.dtypes]


def _size(call: Made) -> tuple[int, int]:
    """More elements first; of equals the one whose sizes are odd."""
    counts = [value.numel() for value in call.arguments if isinstance(value, torch.Tensor)]
    return max(counts, default=0), sum(size % 2 for size in call.dims)


def hard_values(calls: Sequence[Sequence[Any]], bases: Sequence[Any], number: int) -> Iterator[Any]:
    """(kind, arguments) for every kind of hard values, the bases in turn."""
    ranges = values.observed(calls)
    for index, kind in enumerate(values.KINDS):
        base = bases[0] if kind in values.PRECISE else bases[(index + number) % len(bases)]
        made = values.changed(base, ranges, kind, SEED + number % 1000)
        if made is not None:
            yield kind, made


def whole_values(
    calls: Sequence[Sequence[Any]], bases: Sequence[Any], reference: Reference, number: int
) -> Iterator[Any]:
    """(kind, arguments) for integers: from all over the range, and beyond it.

    Beyond it only where nothing overflows: where the reference gives the same for 64-bit integers.
    """
    base = bases[number % len(bases)]
    made = values.whole_numbers(base, calls, SEED)
    if made is None:
        return
    yield "uniform integers", made
    larger = values.multiplied(made, FACTOR)
    if larger is None:
        return
    wide = tuple(value.long() if values.is_whole(value) else value for value in larger)
    narrow, same = reference.run(larger, "own"), reference.run(wide, "own")
    if narrow.ok and same.ok and len(narrow.outputs) == len(same.outputs):
        pairs = zip(narrow.outputs, same.outputs, strict=True)
        if all(bool((a == b).all()) for a, b in pairs if isinstance(a, torch.Tensor)):
            yield "large integers", larger


def layout_bases(maker: Maker | None, bases: Sequence[Any]) -> list[tuple[Any, ...]]:
    """What other layouts start from: for each dtype the largest call without a size of 1.

    With several tiles in every dimension if there is one, since pointers that advance from tile to
    tile need their strides as well.
    """
    if maker is None or not maker.calls:
        return list(bases)
    best: dict[Any, Made] = {}
    for call in maker.calls:
        held = best.get(call.dtype)
        if min(call.dims, default=2) > 1 and (held is None or _size(call) > _size(held)):
            best[call.dtype] = call
    found = [best[dtype].arguments for dtype in maker.dtypes if dtype in best]
    return found or list(bases)


def other_layouts(bases: Sequence[Any], plan: Plan) -> Iterator[Any]:
    """(kind, arguments) for the layouts that the wrapper takes, the bases in turn."""
    for index, kind in enumerate(layouts.KINDS):
        base = bases[(index + plan.number) % len(bases)]
        made = layouts.relaid(base, plan.names, plan.accepted, kind)
        if made is not None:
            yield f"{kind} layout", made


def other_scalars(bases: Sequence[Any]) -> Iterator[Any]:
    """(kind, arguments) with the float scalars varied."""
    for factor in (1.25, 0.8):
        made = values.varied_scalars(bases[0], factor)
        if made is not None:
            yield f"scalars times {factor}", made


def in_float32(bases: Sequence[Any], maker: Maker | None) -> Iterator[Any]:
    """(kind, arguments) in float32 for a pair whose test is in half precision only.

    The values are not those of a half-precision dtype, so that a cast to one inside would show.
    """
    kinds = {dtype_name(value) for base in bases for value in base if values.is_real(value)}
    if len(kinds) < 2 or not kinds <= set(HALF):
        return
    drawn = None
    if maker is not None and maker.calls:
        call = base_calls(maker)[0]
        drawn = maker.draw(call.dims, torch.float32, dict(call.extra), SEED)
    if drawn is None:
        drawn = tuple(
            value.float() * (1 - 2.0**-13) if values.is_real(value) else value for value in bases[0]
        )
    yield "in float32", drawn


def dtype_name(tensor: torch.Tensor) -> str:
    """A dtype without `torch.`."""
    return str(tensor.dtype).removeprefix("torch.")
