"""In the reference's sandbox: PYTHON and TEST blocks, the given inputs, runs at any precision."""

from __future__ import annotations

import contextlib
import inspect
import statistics
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import torch
from torch.utils._python_dispatch import TorchDispatchMode

from tritongen.verify import redirect
from tritongen.verify.foreign.entries import INPUTS, OTHER_INPUTS
from tritongen.verify.foreign.load import entry_point, load, public_names
from tritongen.verify.foreign.move import to_device
from tritongen.verify.judge.local import LocalReference, copy_values, flatten, set_seeds
from tritongen.verify.probe.kinds import kind_of

MOVING = frozenset(("empty", "constant", "fill", "copy", "into", "view", "free", "read"))
BY_CASTS = frozenset((("aten::trunc", ""), ("aten::ne", "Scalar")))
"""Operations that compute and yet are nothing but two casts: to integers or booleans and back."""
PLAIN = (bool, int, float, complex, str, bytes, type(None), torch.dtype, torch.device)


class ReferenceSide:
    """The reference of one candidate in this process."""

    def __init__(self, message: dict[str, Any]) -> None:
        """Load the blocks; `message` has `python`, `test` (or None), `entry`, `device`, `seed`."""
        self.cuda = message["device"] == "cuda"
        self.seed: int = message["seed"]
        folder = Path.cwd()
        set_seeds(self.seed)
        with self.surroundings():
            self.python = load("PYTHON", message["python"], folder)
            self.function = entry_point(self.python, message["entry"])
            self.test = None
            if message["test"] is not None:
                given = public_names(self.python)
                self.test = load("TEST", message["test"], folder, **given)
        self.reference = LocalReference(
            self.function, seed=self.seed, surroundings=self.surroundings
        )

    def surroundings(self) -> contextlib.AbstractContextManager[Any]:
        """Where sources say `cuda` and there is none, the CPU takes its place."""
        return contextlib.nullcontext() if self.cuda else redirect.redirected(poison=False)

    def inputs(self) -> tuple[Any, ...]:
        """What `get_test_inputs()` gives, as positional arguments."""
        other: Any = getattr(self.test, OTHER_INPUTS, None)
        make: Callable[[], Any] = getattr(self.test, INPUTS, other)
        set_seeds(self.seed)
        with self.surroundings():
            given = make()
        if isinstance(given, dict):
            bound = inspect.signature(self.function).bind(**given)
            bound.apply_defaults()
            if bound.kwargs:
                raise TypeError(f"{INPUTS}() gives keyword-only arguments: {sorted(bound.kwargs)}")
            given = bound.args
        elif not isinstance(given, (tuple, list)):
            given = (given,)
        return tuple(_plain(value, f"argument {number}") for number, value in enumerate(given))

    def traits(self, arguments: tuple[Any, ...]) -> dict[str, Any]:
        """What a wrapper may do because the reference does it.

        `mutable`: numbers of the arguments that it writes. `free`: numbers of the results that are
        arguments which it does not write. `computes`: whether it does anything but allocate, fill,
        copy and cast. `elements`: of all results.
        """
        copies = copy_values(self.placed(arguments))
        before = copy_values(copies)
        set_seeds(self.seed)
        seen = _Kinds()
        with self.surroundings(), seen:
            results = flatten(self.function(*copies))
        changed = [
            number
            for number, (old, new) in enumerate(zip(before, copies, strict=True))
            if not _same(old, new)
        ]
        owners = {
            copy.untyped_storage().data_ptr(): number
            for number, copy in enumerate(copies)
            if isinstance(copy, torch.Tensor) and copy.numel()
        }
        free = [
            number
            for number, result in enumerate(results)
            if isinstance(result, torch.Tensor)
            and owners.get(result.untyped_storage().data_ptr(), -1) not in (-1, *changed)
        ]
        sizes = [result.numel() for result in results if isinstance(result, torch.Tensor)]
        return {
            "mutable": changed,
            "free": free,
            "computes": seen.computes,
            "elements": sum(sizes) if sizes else 1,
        }

    def run(self, arguments: tuple[Any, ...], precision: Any) -> dict[str, Any]:
        """One run; see `LocalReference`."""
        ran = self.reference.run(self.placed(arguments), precision)
        return {"outputs": ran.outputs, "error": ran.error}

    def placed(self, arguments: tuple[Any, ...]) -> tuple[Any, ...]:
        """The arguments on the device."""
        return to_device(arguments, "cuda") if self.cuda else arguments

    def timing(self, arguments: tuple[Any, ...], seconds: float) -> dict[str, Any]:
        """Milliseconds of a call on the GPU and the kernels that it launches."""
        placed = copy_values(self.placed(arguments))
        return measure(lambda: self.function(*placed), seconds)


class _Kinds(TorchDispatchMode):
    """Whether an operation was seen that computes."""

    computes = False

    def __torch_dispatch__(
        self, func: Any, types: Any, args: Any = (), kwargs: dict[str, Any] | None = None
    ) -> Any:
        """Run the operation."""
        by_casts = (func._schema.name, func._schema.overload_name) in BY_CASTS
        self.computes |= kind_of(func) not in MOVING and not by_casts
        return func(*args, **(kwargs or {}))


def measure(call: Callable[[], Any], seconds: float) -> dict[str, Any]:
    """Median milliseconds of a call between events of the GPU, L2 cleared, and its kernels."""
    with torch.no_grad():
        return {"ms": _milliseconds(call, seconds), "kernels": _kernels(call)}


def _milliseconds(call: Callable[[], Any], seconds: float) -> float:
    for _ in range(3):
        call()
    torch.cuda.synchronize()
    cache = torch.empty(64 << 20, dtype=torch.int8, device="cuda")
    taken: list[float] = []
    end = time.monotonic() + seconds
    while len(taken) < 5 or (len(taken) < 100 and time.monotonic() < end):
        cache.zero_()
        events = [torch.cuda.Event(enable_timing=True) for _ in range(2)]
        events[0].record()
        call()
        events[1].record()
        events[1].synchronize()
        taken.append(events[0].elapsed_time(events[1]))
    return statistics.median(taken)


def _kernels(call: Callable[[], Any]) -> int | None:
    """GPU kernels of one call as the profiler sees them; None where it sees nothing."""
    try:
        from torch.profiler import ProfilerActivity, profile

        with profile(activities=[ProfilerActivity.CUDA]) as profiler:
            call()
            torch.cuda.synchronize()
        events = profiler.events() or []
        names = [event.name for event in events if "CUDA" in str(event.device_type)]
    except Exception:
        return None
    return len([name for name in names if not name.startswith(("Mem", "Activity"))]) or None


def _plain(value: Any, name: str) -> Any:
    """A value that can be sent: exact tensors, numbers, text, and lists of them."""
    if isinstance(value, torch.Tensor):
        return value.detach().as_subclass(torch.Tensor)
    if isinstance(value, (np.ndarray, np.generic)):
        return torch.as_tensor(value) if value.ndim else value.item()
    if isinstance(value, (tuple, list)):
        items = [_plain(item, f"{name}[{index}]") for index, item in enumerate(value)]
        return items if isinstance(value, list) else tuple(items)
    if isinstance(value, PLAIN):
        return value
    raise TypeError(f"{name} of {INPUTS}() is a {type(value).__name__}, which cannot be judged")


def _same(old: Any, new: Any) -> bool:
    if isinstance(old, torch.Tensor):
        if old.shape != new.shape or old.stride() != new.stride():
            return False
        with torch.no_grad():
            same = old == new
            if old.is_floating_point() or old.is_complex():
                same |= old.isnan() & new.isnan()
            return bool(same.all())
    if isinstance(old, (tuple, list)):
        return all(_same(a, b) for a, b in zip(old, new, strict=True))
    return True
