"""What a wrapper asks of torch: every operation is seen, poisoned or refused.

Two modes are active during a call. `Operations` sees each operation at the level of aten, below
autograd, `torch.nn.functional` and operator overloading, so no spelling escapes it. `Reads` sees
the few functions of Python that hand a tensor's numbers to the host without any operation.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any, Literal

import torch
from torch.overrides import TorchFunctionMode
from torch.utils._python_dispatch import TorchDispatchMode

from tritongen.verify.probe import originals as o
from tritongen.verify.probe.guards import FILL_BYTES, fill_poison, span_of, zone_of
from tritongen.verify.probe.kinds import MOVES, kind_of
from tritongen.verify.probe.ledger import Ledger
from tritongen.verify.redirect import claim_place, place_of

HOST_FLOATS = 16
HOST_INTEGERS = 64
"""Elements of floating and of integer tensors that a wrapper may read on the host in one call."""
RANDOM_ELEMENTS = 64
PARTIAL_SHARE = 16

READERS = frozenset(
    "tolist numpy __array__ __dlpack__ to_dlpack __reduce_ex__ __reduce__ storage _typed_storage "
    "untyped_storage __deepcopy__ share_memory_ __cuda_array_interface__ cpu to".split()
)


class Watch:
    """What both modes gather during one call."""

    def __init__(
        self,
        ledger: Ledger,
        *,
        poison: int,
        zones: bool,
        allow_copies: bool,
        allow_partials: bool | Literal["any"],
        largest: int,
    ) -> None:
        self.ledger = ledger
        self.poison = poison
        self.zones = zones
        self.allow_copies = allow_copies
        self.allow_partials = allow_partials
        self.largest = largest
        self.refused: dict[str, str] = {}
        self.partials = 0
        self.floats = self.integers = 0

    def refuse(self, operation: str, why: str = "") -> None:
        """Note an operation that a wrapper may not use; the first reason stands."""
        self.refused.setdefault(operation, why)

    def read(self, tensor: torch.Tensor) -> None:
        """Count elements that the host has read; on a GPU those of its own memory count once."""
        if self.zones and o.get_device(tensor).type == "cpu":
            return
        dtype = o.get_dtype(tensor)
        count = o.numel(tensor)
        if dtype.is_floating_point or dtype.is_complex:
            self.floats += count
        else:
            self.integers += count
        if self.floats > HOST_FLOATS or self.integers > HOST_INTEGERS:
            total = self.floats + self.integers
            self.refused["host reads"] = f"the host reads elements of tensors ({total} so far)"

    def check_zones(self) -> list[str]:
        """Red zones around fresh memory that were written to, in words; for a GPU."""
        by_device: dict[str, list[Any]] = {}
        for entry in self.ledger.entries.values():
            if entry.zone:
                by_device.setdefault(str(entry.device), []).append(entry)
        return [words for zoned in by_device.values() for words in self._touched(zoned)]

    def _touched(self, zoned: list[Any]) -> list[str]:
        """The red zones that were written to, of allocations on one device, in words."""
        with o.no_functions(), o.no_dispatch():
            parts = [self._zones(entry) for entry in zoned]
            whole = o.cat([part for pair in parts for part in pair])
            byte = FILL_BYTES[self.poison]
            if not bool(o.item(o.any_(o.ne(whole, byte)))):
                return []
            found = []
            for entry, (front, back) in zip(zoned, parts, strict=True):
                for side, part in (("before", front), ("after", back)):
                    count = int(o.item(o.ne(part, byte).sum()))
                    if count:
                        size = f"{entry.payload} bytes that the wrapper allocated"
                        found.append(f"a write {side} the {size}; {count} bytes changed")
            return found

    @staticmethod
    def _zones(entry: Any) -> tuple[torch.Tensor, torch.Tensor]:
        memory = entry.bytes()
        return memory[: entry.zone], memory[entry.zone + entry.payload :]


def _tensors(args: Any) -> list[torch.Tensor]:
    found: list[torch.Tensor] = []
    for item in args:
        if isinstance(item, torch.Tensor):
            found.append(item)
        elif isinstance(item, (list, tuple)):
            found += [inner for inner in item if isinstance(inner, torch.Tensor)]
    return found


class Operations(TorchDispatchMode):
    """Every operation of aten while the wrapper runs."""

    def __init__(self, watch: Watch) -> None:
        super().__init__()
        self.watch = watch
        self.handlers: dict[str, Callable[..., Any]] = {
            kind: getattr(self, f"_{kind}")
            for kind in (
                *("empty", "constant", "fill", "copy", "into", "view", "free", "read"),
                *("random", "reduce", "scale"),
            )
        }

    @classmethod
    def _should_skip_dynamo(cls) -> bool:
        return False  # else entering the mode imports torch._dynamo, which takes seconds

    def __torch_dispatch__(
        self, func: Any, types: Any, args: Any = (), kwargs: dict[str, Any] | None = None
    ) -> Any:
        """Run one operation and note what it means."""
        kind = kind_of(func)
        with o.no_functions():
            if not kind:
                return self._other(func, args, kwargs or {})
            return self.handlers[kind](func, args, kwargs or {})

    def _name(self, func: Any) -> str:
        return func._schema.name.replace("::", ".")

    def _fresh(self, result: Any, origin: str, written: bool = False) -> Any:
        """Register the memory of a result; on a GPU it moves between red zones."""
        if not isinstance(result, torch.Tensor):
            if isinstance(result, (list, tuple)):
                return type(result)([self._fresh(item, origin, written) for item in result])
            return result
        if o.get_layout(result) is not o.strided or type(result) is not torch.Tensor:
            return result
        watch = self.watch
        if watch.zones and o.get_device(result).type != "meta" and o.numel(result):
            result, zone, payload = self._between_zones(result, copy=origin != "empty")
        else:
            zone = payload = 0
            if origin == "empty" and o.get_device(result).type != "meta":
                fill_poison(result, watch.poison)
        if o.get_device(result).type == "meta":
            return result
        entry = watch.ledger.add(result, origin, written)
        entry.zone, entry.payload = zone, payload
        return result

    def _between_zones(self, result: torch.Tensor, copy: bool) -> tuple[torch.Tensor, int, int]:
        size, stride, dtype = o.size_of(result), o.stride_of(result), o.get_dtype(result)
        payload = span_of(size, stride) * dtype.itemsize
        zone = zone_of(size, stride, dtype.itemsize)
        memory = o.empty(2 * zone + payload, dtype=o.uint8, device=o.get_device(result))
        o.fill_(memory, FILL_BYTES[self.watch.poison])
        moved = o.over(memory, dtype, zone, size, stride)
        if copy:
            o.copy_(moved, result)
        elif dtype is o.boolean:
            o.fill_(moved, self.watch.poison == 0)
        elif self.watch.poison == 0 and not (dtype.is_floating_point or dtype.is_complex):
            o.fill_(moved, o.iinfo(dtype).max - 37)
        return moved, zone, payload

    def _empty(self, func: Any, args: Any, kwargs: Any) -> Any:
        return self._fresh(func(*args, **kwargs), "empty")

    def _constant(self, func: Any, args: Any, kwargs: Any) -> Any:
        return self._fresh(func(*args, **kwargs), "constant")

    def _fill(self, func: Any, args: Any, kwargs: Any) -> Any:
        result = func(*args, **kwargs)
        value = args[1] if len(args) > 1 else kwargs.get("value")
        ledger = self.watch.ledger
        written = isinstance(value, torch.Tensor) and ledger.is_written(value)
        ledger.overwritten(args[0], self._name(func), written)
        return result

    def _copy(self, func: Any, args: Any, kwargs: Any) -> Any:
        sources = _tensors(args)
        result = func(*args, **kwargs)
        ledger = self.watch.ledger
        if isinstance(result, torch.Tensor) and sources:
            key = o.key_of(result)
            if any(o.key_of(source) == key for source in sources):
                if ledger.of(result) is None and func._schema.name == "aten::lift_fresh":
                    ledger.add(result, "constant")
                return result
            self._moved(sources, result)
        if not self.watch.allow_copies:
            self.watch.refuse(self._name(func), "this operation is itself a copy or a cast")
        written = bool(sources) and all(ledger.is_written(source) for source in sources)
        return self._fresh(result, "copy", written)

    def _moved(self, sources: list[torch.Tensor], result: torch.Tensor) -> None:
        if o.get_device(result).type == "cpu":
            for source in sources:
                if o.get_device(source).type != "cpu":
                    self.watch.read(source)

    def _into(self, func: Any, args: Any, kwargs: Any) -> Any:
        result = func(*args, **kwargs)
        target, source = args[0], args[1]
        if isinstance(source, torch.Tensor):
            self._moved([source], target)
            constant = self.watch.ledger.of(source)
            if not self.watch.allow_copies and not (constant and constant.origin == "constant"):
                self.watch.refuse(self._name(func), "this operation is itself a copy or a cast")
            written = self.watch.ledger.is_written(source)
            self.watch.ledger.overwritten(target, self._name(func), written)
        return result

    def _view(self, func: Any, args: Any, kwargs: Any) -> Any:
        return func(*args, **kwargs)

    def _free(self, func: Any, args: Any, kwargs: Any) -> Any:
        return func(*args, **kwargs)

    def _read(self, func: Any, args: Any, kwargs: Any) -> Any:
        self.watch.read(args[0])
        return func(*args, **kwargs)

    def _random(self, func: Any, args: Any, kwargs: Any) -> Any:
        result = func(*args, **kwargs)
        if o.numel(result) > RANDOM_ELEMENTS:
            self.watch.refuse(self._name(func), "torch draws the numbers")
        if _tensors(args) and o.key_of(args[0]) == o.key_of(result):
            self.watch.ledger.overwritten(result, self._name(func), False)
            return result
        return self._fresh(result, "constant")

    def _reduce(self, func: Any, args: Any, kwargs: Any) -> Any:
        return self._partial(func, args, kwargs, "reduce")

    def _scale(self, func: Any, args: Any, kwargs: Any) -> Any:
        return self._partial(func, args, kwargs, "scale")

    def _partial(self, func: Any, args: Any, kwargs: Any, kind: str) -> Any:
        """A reduction of small results of kernels, or its scaling by numbers."""
        watch, ledger = self.watch, self.watch.ledger
        sources = _tensors(args)
        if not watch.allow_partials or not sources:
            return self._other(func, args, kwargs)
        for source in sources:
            entry = ledger.of(source)
            if entry is None:
                if o.numel(source) == 1 and o.get_device(source).type == "cpu":
                    continue
                return self._other(func, args, kwargs)
            small = o.numel(source) * PARTIAL_SHARE <= watch.largest
            small |= watch.allow_partials == "any"
            if entry.origin == "constant" and o.numel(source) == 1:
                continue
            if not ledger.is_written(source) or not (small or entry.partial):
                return self._other(func, args, kwargs)
            if kind == "scale" and not entry.partial:
                return self._other(func, args, kwargs)
        if kind == "reduce":
            watch.partials += o.numel(sources[0])
        result = func(*args, **kwargs)
        known = ledger.of(result) if isinstance(result, torch.Tensor) else None
        if known is not None and o.key_of(result) == o.key_of(sources[0]):
            ledger.note(known)
            return result
        result = self._fresh(result, "partial", True)
        for item in result if isinstance(result, (list, tuple)) else [result]:
            entry = ledger.of(item)
            if entry is not None:
                entry.partial = True
        return result

    def _other(self, func: Any, args: Any, kwargs: Any) -> Any:
        """An operation that computes: it is refused, in the end, but first it runs."""
        schema = func._schema
        name = self._name(func)
        why = "it changes which memory a tensor has" if schema.name[6:] in MOVES else ""
        self.watch.refuse(name, why)
        result = func(*args, **kwargs)
        sources = _tensors(args)
        ledger = self.watch.ledger
        for source, argument in zip(args, schema.arguments, strict=False):
            info = argument.alias_info
            if isinstance(source, torch.Tensor) and info is not None and info.is_write:
                ledger.overwritten(source, name, False)
        for key, value in kwargs.items():
            if key == "out" and isinstance(value, torch.Tensor):
                ledger.overwritten(value, name, False)
        if isinstance(result, torch.Tensor):
            if not any(o.key_of(result) == o.key_of(source) for source in sources):
                return self._fresh(result, "computed")
            return result
        return self._fresh(result, "computed") if isinstance(result, (list, tuple)) else result


class Reads(TorchFunctionMode):
    """Functions that hand numbers to the host without an operation of aten."""

    def __init__(self, watch: Watch) -> None:
        super().__init__()
        self.watch = watch

    def __torch_function__(
        self, func: Any, types: Any, args: Any = (), kwargs: dict[str, Any] | None = None
    ) -> Any:
        """Count what is read; everything else passes."""
        name = getattr(func, "__name__", "")
        if name not in READERS or not args or not isinstance(args[0], torch.Tensor):
            return func(*args, **(kwargs or {}))
        source = args[0]
        if name in ("cpu", "to"):
            result = func(*args, **(kwargs or {}))
            if place_of(result) == "cpu" and place_of(source) != "cpu":
                with o.no_functions():
                    if o.get_device(source).type == "cpu":
                        self.watch.read(source)
            return result
        with o.no_functions():
            if name in ("tolist", "numpy", "__array__"):
                # What lies on a GPU is copied to the host first, which counts there
                if o.get_device(source).type == "cpu":
                    self.watch.read(source)
            else:
                self.watch.refuse(name, "it reaches the memory of a tensor behind torch's back")
        return func(*args, **(kwargs or {}))


def keep_place(result: torch.Tensor, source: torch.Tensor) -> None:
    """Let a tensor claim to be where another one claims to be."""
    place = place_of(source)
    if place is not None:
        claim_place(result, place)
