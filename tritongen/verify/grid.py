"""A launch under the interpreter: the programs of a grid, one after the other, in the arena."""

from __future__ import annotations

import dataclasses
import functools
import inspect
from collections import Counter
from types import SimpleNamespace
from typing import Any

import numpy as np
import torch
from triton.runtime import interpreter, jit
from triton.runtime.errors import InterpreterError
from triton.tools.tensor_descriptor import TensorDescriptor

from tritongen.verify.arguments import tensors_of
from tritongen.verify.memory import Arena
from tritongen.verify.redirect import refuse_host_tensor
from tritongen.verify.tuning import tuned

GRID_LIMITS = (2**31 - 1, 65535, 65535)
_NO_FUNCTIONS = torch._C.DisableTorchFunction
_NO_DISPATCH = torch._C._DisableTorchDispatch


@dataclasses.dataclass(slots=True)
class State:
    """What the interpreter is told and what it saw; one per process."""

    arena: Arena = dataclasses.field(default_factory=Arena)
    launches: Counter[str] = dataclasses.field(default_factory=Counter)
    programs: int = 0
    pinned: int = 0
    configurations: int = 1
    reverse: bool = False
    interleave: bool = False
    suppressed: bool = False
    poison: int = 0
    """Which of two fillings lanes have that are masked off and given nothing else."""

    installed: bool = False
    atomics: bool = False
    precisions: set[str] = dataclasses.field(default_factory=set)
    observer: Any = None
    """Told of launches: `launching(kernel, tensors)`, `launched(kernel, tensors, written)` and
    `failed(kernel, error)`; `written` has the addresses of the storages that were written."""

    constants: Any = None
    """Told of the constants of every launch: `constants(kernel, {name: value})`."""

    def reset(self) -> None:
        """Forget the pair before."""
        self.launches.clear()
        self.programs = self.pinned = self.poison = 0
        self.configurations = 1
        self.reverse = self.interleave = self.suppressed = self.atomics = False
        self.precisions.clear()
        self.observer = self.constants = None
        self.arena.fault = None
        self.arena.windows.clear()


STATE = State()


def _place(value: Any, name: str) -> Any:
    """An argument with its memory in the arena."""
    if isinstance(value, torch.Tensor):
        refuse_host_tensor(value, name)
        return STATE.arena.place(value, name)
    if isinstance(value, tuple):
        items = [_place(item, name) for item in value]
        return type(value)(*items) if hasattr(value, "_fields") else tuple(items)
    if isinstance(value, TensorDescriptor):
        return dataclasses.replace(value, base=_place(value.base, name))
    if isinstance(value, jit.TensorWrapper):
        return jit.TensorWrapper(_place(value.base, name), value.dtype)
    return value


def launch(self: Any, *args: Any, **kwargs: Any) -> None:
    """One launch: all programs of the grid, one after the other."""
    names = _parameters(self.fn)
    kwargs = {key: value for key, value in kwargs.items() if key in names}
    for hook in self.pre_run_hooks:
        hook(*args, **kwargs)
    kernel = self.fn.__name__
    raw = inspect.getcallargs(self.fn, *args, **kwargs)
    grid = self.grid(raw) if callable(self.grid) else self.grid
    grid = _check_grid(grid, kernel)
    STATE.launches[kernel] += 1
    STATE.programs += grid[0] * grid[1] * grid[2]
    arena, observer = STATE.arena, STATE.observer
    if STATE.constants is not None:
        STATE.constants(kernel, {name: raw[name] for name in self.constexprs})
    with _NO_FUNCTIONS(), _NO_DISPATCH(), np.errstate(all="ignore"):
        tensors = tensors_of(raw.values()) if observer is not None else []
        if observer is not None:
            observer.launching(kernel, tensors)
        if STATE.suppressed:
            for name, value in raw.items():
                refuse_host_tensor(value, name)
            return
        arena.begin(kernel)
        bound = {name: _place(value, name) for name, value in raw.items()}
        call = {
            name: value if name in self.constexprs else interpreter._implicit_cvt(value)
            for name, value in bound.items()
        }
        builder = interpreter.interpreter_builder
        builder.set_grid_dim(*grid)
        try:
            for x in _order(grid[0]):
                for y in _order(grid[1]):
                    for z in _order(grid[2]):
                        builder.set_grid_idx(x, y, z)
                        self.fn(**call)
        except Exception as error:
            if observer is not None:
                observer.failed(kernel, error)
            raise InterpreterError(f"in kernel {kernel}: {error!r}") from error
        written = arena.finish()
        if observer is not None:
            observer.launched(kernel, tensors, written)


@functools.lru_cache(512)
def _parameters(function: Any) -> frozenset[str]:
    return frozenset(inspect.getfullargspec(function).args)


def _order(count: int) -> Any:
    """The numbers of programs along one axis in the order in which they run."""
    numbers = range(count - 1, -1, -1) if STATE.reverse else range(count)
    return [*numbers[1::2], *numbers[::2]] if STATE.interleave else numbers


def _check_grid(grid: Any, kernel: str) -> tuple[int, int, int]:
    sizes = list(grid) if isinstance(grid, (tuple, list)) else [grid]
    if not 1 <= len(sizes) <= 3:
        raise ValueError(f"kernel {kernel}: a grid has 1 to 3 dimensions, not {len(sizes)}")
    sizes = [int(size) if hasattr(size, "__index__") else size for size in sizes]
    for size, limit in zip(sizes, GRID_LIMITS, strict=False):
        if not isinstance(size, int) or not 0 <= size <= limit:
            raise ValueError(f"kernel {kernel}: grid {tuple(sizes)} exceeds {GRID_LIMITS}")
    sizes += [1] * (3 - len(sizes))
    return sizes[0], sizes[1], sizes[2]


def autotuned(self: Any, *args: Any, **kwargs: Any) -> Any:
    """What stands in for `Autotuner.run`: the pinned configuration."""
    result, count = tuned(self, args, kwargs, STATE.pinned)
    STATE.configurations = max(STATE.configurations, count)
    return result


class Warm:
    """What `kernel.warmup(...)` gives: it can be asked for resources, and launched."""

    n_regs, n_spills, n_max_threads, name = 32, 0, 1024, "kernel"
    function = module = None

    def __init__(self, kernel: Any) -> None:
        self._kernel = kernel
        self.asm: dict[str, str] = {}
        self.metadata = SimpleNamespace(
            shared=0, num_warps=4, num_stages=2, num_ctas=1, warp_size=32, name=kernel.__name__
        )

    def _init_handles(self) -> None: ...

    def result(self) -> Any:
        """The compiled kernel, where warming up is asynchronous."""
        return self

    def __getitem__(self, grid: Any) -> Any:
        kernel = self._kernel

        def runner(*args: Any, stream: Any = None) -> None:
            kernel.run(*args, grid=grid, warmup=False)

        return runner


def run_function(original: Any, self: Any, *args: Any, grid: Any, warmup: bool, **kw: Any) -> Any:
    """What stands in for `InterpretedFunction.run`."""
    if warmup:
        return Warm(self)
    return original(self, *args, grid=grid, warmup=False, **kw)
