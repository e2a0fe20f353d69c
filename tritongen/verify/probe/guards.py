"""Copies of the arguments between red zones, poison, and what is found of both after a call.

On a GPU all arguments lie in one buffer, with red zones before, between and after them; under the
interpreter each lies in a storage of its own, as the arena checks every single access there, and
only the gaps within non-contiguous views are red zones. After the call each buffer is compared
with a copy of it, bit for bit.
"""

from __future__ import annotations

import inspect
from collections.abc import Callable, Collection
from dataclasses import dataclass, field
from typing import Any, cast

import torch

from tritongen.verify.judge.records import Problem
from tritongen.verify.probe import originals as o
from tritongen.verify.redirect import claim_place, place_of

ALIGNMENT = 512
ZONE_LEAST = 64 << 10
ZONE_MOST = 1 << 20
ROWS = 64
FILL_BYTES = (0xFF, 0x7B)
"""Uninitialised memory under either poison: every float is NaN, or every float is large."""

_NAN = 0x7FFF7FFF7FFF7FFF
_LARGE = 0x7B7B7B7B7B7B7B7B
_MINUS_LARGE = -0x0404040404040405
ZONE_WORDS = ((_NAN, _NAN), (_LARGE, _MINUS_LARGE))
"""Red zones of arguments, 16 bytes by 16: NaN, or large numbers of either sign, in every float
type; extremes in every integer type. NaN alone would not do: `max` drops it on a GPU."""


def fill_poison(tensor: torch.Tensor, poison: int) -> None:
    """Fill memory that is not initialised with what no kernel can mistake for a result."""
    if o.numel(tensor) == 0 and o.storage_bytes(o.storage_of(tensor)) == 0:
        return
    o.fill_(o.bytes_of(tensor), FILL_BYTES[poison])
    dtype = o.get_dtype(tensor)
    if dtype is o.boolean:
        o.fill_(tensor, poison == 0)
    elif poison == 0 and not (dtype.is_floating_point or dtype.is_complex):
        o.fill_(tensor, o.iinfo(dtype).max - 37)


def is_poison(tensor: torch.Tensor, poison: int) -> torch.Tensor:
    """Which elements hold what `fill_poison` wrote; a tensor of booleans of the same shape."""
    with o.no_functions():
        dtype = o.get_dtype(tensor)
        if dtype is o.boolean:
            return o.eq(tensor, poison == 0)
        if poison == 0 and not (dtype.is_floating_point or dtype.is_complex):
            return o.eq(tensor, o.iinfo(dtype).max - 37)
        raw = o.view_dtype(o.clone(tensor, memory_format=torch.contiguous_format), -1)
        raw = o.view_dtype(raw, o.uint8) if raw.numel() else raw.to(o.uint8)
        same = o.eq(raw, FILL_BYTES[poison])
        if raw.numel() == 0:
            return o.reshape(same, tensor.shape)
        return o.reshape(o.all_(o.reshape(same, (-1, dtype.itemsize)), 1), tensor.shape)


def zone_of(size: Any, stride: Any, itemsize: int) -> int:
    """Bytes of the red zone of a tensor: 64 of its rows, within 64 KiB and 1 MiB."""
    steps = [step for step, length in zip(stride, size, strict=True) if length > 1]
    row = (sorted(steps)[1] if len(steps) > 1 else span_of(size, stride) // ROWS + 1) * itemsize
    return -(-min(max(ZONE_LEAST, ROWS * row), ZONE_MOST) // ALIGNMENT) * ALIGNMENT


def span_of(size: Any, stride: Any) -> int:
    """Elements from the first to the last of a layout; 0 if there are none."""
    if 0 in size:
        return 0
    return 1 + sum((length - 1) * step for length, step in zip(size, stride, strict=True))


@dataclass(slots=True)
class Placed:
    """One tensor among the arguments: where its copy lies in its buffer, in bytes."""

    argument: int
    name: str
    source: torch.Tensor
    span: int
    start: int = 0
    copy: torch.Tensor | None = None

    @property
    def end(self) -> int:
        """The byte after the last element."""
        return self.start + self.span * o.get_dtype(self.source).itemsize


@dataclass(slots=True)
class Buffer:
    """One allocation with copies of arguments, and what it held before the call."""

    placed: list[Placed]
    memory: torch.Tensor
    before: torch.Tensor
    key: int


@dataclass(slots=True)
class Guards:
    """The arguments of one call; `arguments` is what the wrapper is given."""

    arguments: tuple[Any, ...] = ()
    buffers: list[Buffer] = field(default_factory=list)
    mutable: frozenset[int] = frozenset()
    largest: int = 0
    """Elements of the largest tensor among the arguments."""

    def check(self) -> Problem | None:
        """Compare every buffer with its former state."""
        with o.no_functions(), o.no_grad():
            for buffer in self.buffers:
                for placed in buffer.placed:
                    if placed.argument in self.mutable:
                        self._accept(buffer, placed)
                if not o.equal(_words(buffer.memory), _words(buffer.before)):
                    return _difference(buffer)
        return None

    @staticmethod
    def _accept(buffer: Buffer, placed: Placed) -> None:
        copy = cast(torch.Tensor, placed.copy)
        size, stride = o.size_of(copy), o.stride_of(copy)
        old = o.over(buffer.before, o.get_dtype(copy), placed.start, size, stride)
        _assign(old, o.detach(copy))

    def owner(self, tensor: torch.Tensor) -> Placed | None:
        """The argument whose memory a tensor shares."""
        key = o.key_of(tensor)
        for buffer in self.buffers:
            if buffer.key == key and key:
                at = o.data_ptr(tensor) - key
                inside = [p for p in buffer.placed if p.start <= at < max(p.end, p.start + 1)]
                return inside[0] if inside else buffer.placed[0]
        return None


def _words(memory: torch.Tensor) -> torch.Tensor:
    return o.view_dtype(memory, o.int64)


def _round_up(number: int, step: int) -> int:
    return -(-number // step) * step


def _assign(target: torch.Tensor, source: torch.Tensor) -> None:
    """Copy elements; a layout that shows elements more than once is reduced to its first ones."""
    size, stride = list(o.size_of(target)), o.stride_of(target)
    once = [
        1 if step == 0 and length else length for length, step in zip(size, stride, strict=True)
    ]
    if once != size:
        target = o.as_strided(target, once, stride, o.offset_of(target))
        at = o.offset_of(source)
        source = o.as_strided(source, once, o.stride_of(source), at)
    if o.overlap(target) == 1:
        raise ValueError("overlapping layout")
    o.copy_(target, source)


def _place(buffer: torch.Tensor, placed: Placed) -> torch.Tensor:
    source = o.detach(placed.source)
    dtype, size, stride = o.get_dtype(source), o.size_of(source), o.stride_of(source)
    copy = o.over(buffer, dtype, placed.start, size, stride)
    distinct = 1
    for length, step in zip(size, stride, strict=True):
        distinct *= length if step else min(length, 1)
    if placed.span == 0:
        return copy
    if distinct >= placed.span:
        flat = o.over(buffer, dtype, placed.start, (placed.span,), (1,))
        o.copy_(flat, o.as_strided(source, (placed.span,), (1,), o.offset_of(source)))
    else:
        _assign(copy, source)
    return copy


def _fill_words(memory: torch.Tensor, poison: int) -> None:
    even, odd = ZONE_WORDS[poison]
    words = _words(memory)
    o.fill_(words, even)
    if odd != even:
        o.fill_(o.as_strided(words, (words.shape[0] // 2,), (2,), 1), odd)


def guard(
    arguments: tuple[Any, ...],
    names: Callable[[int], str],
    *,
    poison: int,
    zones: bool,
    mutable: Collection[int] = (),
) -> Guards:
    """Copies of all tensors among the arguments; with `zones` between red zones in one buffer."""
    found: list[Placed] = []

    def collect(value: Any, argument: int, name: str) -> None:
        if isinstance(value, torch.Tensor):
            layout = o.get_layout(value)
            if layout is not o.strided:
                raise TypeError(f"argument {name} has the layout {layout}; only strided is known")
            span = span_of(o.size_of(value), o.stride_of(value))
            found.append(Placed(argument, name, value, span))
        elif isinstance(value, (list, tuple)):
            for index, item in enumerate(value):
                collect(item, argument, f"{name}[{index}]")
        elif isinstance(value, dict):
            for key, item in value.items():
                collect(item, argument, f"{name}[{key!r}]")

    with o.no_functions(), o.no_grad():
        for number, value in enumerate(arguments):
            collect(value, number, names(number))
        groups: dict[Any, list[Placed]] = {}
        for index, placed in enumerate(found):
            device = o.get_device(placed.source)
            groups.setdefault((device, 0 if zones else index), []).append(placed)
        guards = Guards(mutable=frozenset(mutable))
        guards.largest = max((o.numel(p.source) for p in found), default=0)
        for number, ((device, _), members) in enumerate(groups.items()):
            guards.buffers.append(_buffer(members, device, poison, zones, number))
        copies = iter(found)
        guards.arguments = tuple(_rebuild(value, copies) for value in arguments)
    return guards


_KEPT: dict[tuple[str, int, int], torch.Tensor] = {}
KEPT_BUFFERS = 32
KEPT_BYTES = 16 << 20


def _memory(total: int, device: Any, number: int) -> torch.Tensor:
    """Memory for one buffer: that of the last call whose buffer of this number was as large.

    So calls with new values at the same sizes find them at the same addresses, and what was kept
    by address shows.
    """
    key = (str(device), total, number)
    kept = _KEPT.pop(key, None)
    if kept is None or storage_changed(kept, total):
        kept = o.empty(total, dtype=o.uint8, device=device)
    if total <= KEPT_BYTES:
        _KEPT[key] = kept
        while len(_KEPT) > KEPT_BUFFERS:
            del _KEPT[next(iter(_KEPT))]
    return kept


def storage_changed(memory: torch.Tensor, total: int) -> bool:
    """Whether a candidate has resized a buffer of an earlier call."""
    return o.storage_bytes(o.storage_of(memory)) != total or o.numel(memory) != total


def _buffer(members: list[Placed], device: Any, poison: int, zones: bool, number: int) -> Buffer:
    cursor = last = 0
    for placed in members:
        source = placed.source
        itemsize = o.get_dtype(source).itemsize
        if zones:
            zone = zone_of(o.size_of(source), o.stride_of(source), itemsize)
            cursor += max(zone, last)
            last = zone
        cursor = _round_up(cursor, ALIGNMENT)
        placed.start = cursor + o.offset_of(source) * itemsize % ALIGNMENT
        cursor = placed.end
    total = _round_up(cursor + last, 16)
    memory = _memory(total, device, number)
    if zones or any(_gappy(placed) for placed in members) or total > cursor:
        _fill_words(memory, poison)
    for placed in members:
        copy = _place(memory, placed)
        place = place_of(placed.source)
        if place is not None:
            claim_place(copy, place)
        if o.get_requires_grad(placed.source):
            o.requires_grad_(copy)
        placed.copy = copy
    return Buffer(members, memory, o.clone(memory), o.key_of(memory))


def _gappy(placed: Placed) -> bool:
    return placed.start > 0 or o.numel(placed.source) < placed.span


def _rebuild(value: Any, copies: Any) -> Any:
    if isinstance(value, torch.Tensor):
        return next(copies).copy
    if isinstance(value, (list, tuple)):
        items = [_rebuild(item, copies) for item in value]
        if isinstance(value, list):
            return items
        return type(value)(*items) if hasattr(value, "_fields") else tuple(items)
    if isinstance(value, dict):
        return {key: _rebuild(item, copies) for key, item in value.items()}
    return value


def parameter_names(wrapper: Callable[..., Any]) -> Callable[[int], str]:
    """The name of each positional argument of a function."""
    try:
        names = list(inspect.signature(wrapper).parameters)
    except (TypeError, ValueError):
        names = []
    return lambda number: names[number] if number < len(names) else f"argument {number}"


def _difference(buffer: Buffer) -> Problem:
    """The first byte that changed, in terms of the arguments."""
    changed = o.reshape(o.nonzero(o.ne(buffer.memory, buffer.before)), -1)
    count = o.numel(changed)
    for placed in buffer.placed:
        copy = cast(torch.Tensor, placed.copy)
        dtype, size = o.get_dtype(copy), o.size_of(copy)
        marks = o.fill_(o.empty(o.numel(buffer.memory), dtype=o.uint8), 0)
        wide = o.fill_(o.empty(0, dtype=o.uint8), 0)
        itemsize = dtype.itemsize
        stride = (*(step * itemsize for step in o.stride_of(copy)), 1)
        wide = o.set_(wide, o.storage_of(marks), placed.start, (*size, itemsize), stride)
        o.fill_(_once(wide), 1)
        own = marks[changed.cpu()].bool()
        if bool(o.any_(own)):
            at = int(o.item(changed[own.to(changed.device)][0]))
            return _element(placed, copy, at)
    first = int(o.item(changed[0]))
    nearest = min(buffer.placed, key=lambda p: min(abs(first - p.start), abs(first - p.end + 1)))
    itemsize = o.get_dtype(nearest.source).itemsize
    index = (first - nearest.start) // itemsize
    size = tuple(o.size_of(nearest.source))
    where = "in a gap of" if nearest.start <= first < nearest.end else "outside of"
    return Problem(
        "memory",
        f"a write {where} argument {nearest.name}: element {index} from its first, its shape is "
        f"{list(size)}; {count} bytes changed",
        {"argument": nearest.name, "action": "store", "index": index, "bytes": count}
        | {"size": o.numel(nearest.source)},
    )


def _once(tensor: torch.Tensor) -> torch.Tensor:
    size, stride = o.size_of(tensor), o.stride_of(tensor)
    once = [1 if not step and length else length for length, step in zip(size, stride, strict=True)]
    return o.as_strided(tensor, once, stride, o.offset_of(tensor))


def _element(placed: Placed, copy: torch.Tensor, at: int) -> Problem:
    dtype = o.get_dtype(copy)
    step = (at - placed.start) // dtype.itemsize
    index: list[int] = []
    order = sorted(range(copy.dim()), key=lambda d: -o.stride_of(copy)[d])
    places: dict[int, int] = {}
    for dimension in order:
        stride = o.stride_of(copy)[dimension]
        places[dimension] = 0 if stride == 0 else step // stride
        step -= places[dimension] * stride
    index = [places[dimension] for dimension in range(copy.dim())]
    return Problem(
        "inputs-changed",
        f"the wrapper changed its argument {placed.name} at {index}",
        {"argument": placed.name, "index": index},
    )
