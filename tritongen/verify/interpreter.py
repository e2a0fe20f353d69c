"""Triton's interpreter as a judge: its known faults mended here, and nowhere else.

What is mended (tests/verify/test_interpreter.py notices when Triton repairs one itself):

- arithmetic, `tl.dot` and constants of bfloat16 work on raw bits; here they widen to float32 and
  round once;
- float32 to bfloat16 truncates; here it rounds to nearest even. Integers to bfloat16 likewise;
- functions of libdevice raise; here NumPy computes them (libdevice.py);
- the autotuner asks a driver for timings; here one configuration is pinned per run of a test, and
  the first call of a tuning key runs twice with the hooks in between, as benchmarking does;
- accesses outside a buffer corrupt the heap; here every one is checked (memory.py), and lanes
  that are masked off without `other` hold NaN or extremes, as they are undefined on a GPU;
- minimum, maximum and clamp propagate NaN where a GPU drops it; a bool argument is refused;
- float arguments stay Python floats; here they are float32 scalars, as in compiled code;
- a scalar is no index under Triton 3.6 with a recent NumPy;
- reductions and scans with a combine function loop over elements; here over halves
  (reductions.py);
- each launch and each call of a helper patches `triton.language` anew; here it is done once.
"""

from __future__ import annotations

import dataclasses
import functools
import inspect
from collections import Counter
from types import SimpleNamespace
from typing import Any

import numpy as np
import torch
import triton.language as tl
from triton import knobs
from triton.runtime import autotuner, interpreter, jit
from triton.runtime.errors import InterpreterError
from triton.tools.tensor_descriptor import TensorDescriptor

from tritongen.verify import libdevice
from tritongen.verify.bits import narrow, poison, toward_zero, widen
from tritongen.verify.memory import Arena
from tritongen.verify.redirect import refuse_host_tensor
from tritongen.verify.reductions import reduce_by_halves, scan_by_doubling

Handle: Any = interpreter.TensorHandle
Builder: Any = interpreter.InterpreterBuilder
native: Any = interpreter._interpreter
numpy_dtype: Any = interpreter._get_np_dtype
BF16 = tl.bfloat16
GRID_LIMITS = (2**31 - 1, 65535, 65535)


@dataclasses.dataclass(slots=True)
class State:
    """What the interpreter is told and what it saw; one per process."""

    arena: Arena = dataclasses.field(default_factory=Arena)
    launches: Counter[str] = dataclasses.field(default_factory=Counter)
    programs: int = 0
    pinned: int = 0
    configurations: int = 1
    reverse: bool = False

    def reset(self) -> None:
        """Forget the pair before."""
        self.launches.clear()
        self.programs = self.pinned = 0
        self.configurations = 1
        self.reverse = False


STATE = State()


def _values(handle: Any) -> np.ndarray:
    """The numbers of a handle: float32 for bfloat16, the data otherwise."""
    return widen(handle.data) if handle.dtype.scalar == BF16 else handle.data


def _handle(data: np.ndarray, dtype: Any) -> Any:
    """A handle of a scalar type; floats that stand for bfloat16 are rounded."""
    if dtype == BF16 and data.dtype.kind == "f":
        data = narrow(data)
    elif data.dtype.kind != "b" and not isinstance(dtype, tl.pointer_type):
        want = numpy_dtype(dtype)
        if data.dtype.itemsize > want.itemsize:
            data = data.astype(want)
    return Handle(data, dtype)


def _binary(self: Any, lhs: Any, rhs: Any, op: Any) -> Any:
    return _handle(op(_values(lhs), _values(rhs)), lhs.dtype.scalar)


def _unary(self: Any, arg: Any, op: Any) -> Any:
    return _handle(op(_values(arg)), arg.dtype.scalar)


def _fma(self: Any, x: Any, y: Any, z: Any) -> Any:
    wide = [_values(v).astype(np.float64) for v in (x, y, z)]
    total = wide[0] * wide[1] + wide[2]
    scalar = z.dtype.scalar
    return _handle(total.astype(np.float32 if scalar == BF16 else z.data.dtype), scalar)


def _clamp(self: Any, arg: Any, low: Any, high: Any, propagate: Any) -> Any:
    x, lo, hi = _values(arg), _values(low), _values(high)
    clamped = np.fmin(np.fmax(x, lo), hi)
    if "ALL" in str(propagate):
        clamped = np.where(np.isnan(x), x, clamped)
    return _handle(clamped, arg.dtype.scalar)


def _erf(self: Any, arg: Any) -> Any:
    data = libdevice.FLOAT["erf"](arg.data).astype(arg.data.dtype)
    return Handle(data, arg.dtype.scalar)


def _cast(self: Any, src: Any, dst_type: Any) -> Any:
    scalar = dst_type.scalar
    data = _values(src)
    if scalar == BF16:
        return Handle(narrow(data.astype(np.float32)), scalar)
    return Handle(data.astype(numpy_dtype(dst_type)), scalar)


def _fp_to_fp(original: Any, self: Any, src: Any, dst_type: Any, rounding: Any) -> Any:
    scalar = dst_type.scalar
    standard = (BF16, tl.float16, tl.float32, tl.float64)
    if src.dtype.scalar not in standard or scalar not in standard:
        return original(self, src, dst_type, rounding)
    if rounding is not None and "RTZ" in str(rounding):
        return Handle(toward_zero(_values(src), scalar == BF16, numpy_dtype(dst_type)), scalar)
    return _cast(self, src, dst_type)


def _dot(original: Any, self: Any, a: Any, b: Any, d: Any, *rest: Any) -> Any:
    if a.dtype.scalar.is_fp8() or b.dtype.scalar.is_fp8():
        return original(self, a, b, d, *rest)
    left, right, scalar = _values(a), _values(b), d.dtype.scalar
    exact = left.dtype.kind != "f" or left.dtype.itemsize == 8
    compute = np.float64 if exact else np.float32
    product = np.matmul(left.astype(compute), right.astype(compute))
    if d.data.dtype.kind != "f" and scalar != BF16:
        return Handle(product.astype(d.data.dtype) + d.data, scalar)
    total = product + _values(d).astype(compute)
    return _handle(total if scalar == BF16 else total.astype(d.data.dtype), scalar)


def _itemsize(pointers: Any) -> int:
    return max(1, pointers.get_element_ty().primitive_bitwidth // 8)


def _load(self: Any, ptrs: Any, mask: Any, other: Any, *_: Any, **__: Any) -> Any:
    element = ptrs.get_element_ty()
    dtype = numpy_dtype(element)
    lanes = np.asarray(mask.data)
    STATE.arena.check(ptrs.data, lanes, _itemsize(ptrs), "load")
    fill = poison(ptrs.data.shape, dtype, element == BF16) if other is None else other.data
    return Handle(native.load(ptrs.data, lanes, fill, dtype), element)


def _store(self: Any, ptrs: Any, value: Any, mask: Any, *_: Any, **__: Any) -> Any:
    lanes = np.asarray(mask.data)
    STATE.arena.check(ptrs.data, lanes, _itemsize(ptrs), "store")
    dtype = numpy_dtype(ptrs.get_element_ty())
    data = value.data if value.data.dtype == dtype else value.data.astype(dtype)
    return native.store(ptrs.data, data, lanes)


def _atomic_cas(original: Any, self: Any, ptr: Any, *rest: Any) -> Any:
    STATE.arena.check(ptr.data, np.ones(ptr.data.shape, bool), _itemsize(ptr), "atomic")
    return original(self, ptr, *rest)


def _atomic_rmw(
    original: Any, self: Any, op: Any, ptr: Any, val: Any, mask: Any, *rest: Any
) -> Any:
    STATE.arena.check(ptr.data, mask.data, _itemsize(ptr), "atomic")
    element = ptr.get_element_ty()
    if element not in (BF16, tl.float16):
        return original(self, op, ptr, val, mask, *rest)
    dtype = numpy_dtype(element)
    shape = ptr.data.shape
    pointers, values = ptr.data.ravel(), np.broadcast_to(_values(val), shape).ravel()
    old = np.zeros(pointers.shape, dtype)
    left = np.flatnonzero(np.broadcast_to(mask.data, shape).ravel())
    while left.size:
        _, first = np.unique(pointers[left], return_index=True)
        at = left[first]
        everywhere = np.ones(at.shape, bool)
        old[at] = native.load(pointers[at], everywhere, old[at], dtype)
        before = _values(Handle(old[at], element))
        name = str(op)
        after = values[at] if "XCHG" in name else _ATOMICS[name.split(".")[-1]](before, values[at])
        native.store(pointers[at], _handle(after.astype(before.dtype), element).data, everywhere)
        left = np.delete(left, first)
    return Handle(old.reshape(shape), element)


_ATOMICS: dict[str, Any] = {
    **dict.fromkeys(("FADD", "ADD"), np.add),
    **dict.fromkeys(("MAX", "UMAX"), np.fmax),
    **dict.fromkeys(("MIN", "UMIN"), np.fmin),
}


def _extern(
    self: Any, _lib: Any, _path: Any, symbol: str, args: Any, result: Any, _pure: Any
) -> Any:
    values = [_values(arg) for arg in args]
    return Handle(libdevice.evaluate(symbol, values, numpy_dtype(result)), result.scalar)


def _int_to_ptr(original: Any, self: Any, src: Any, dst_type: Any) -> Any:
    STATE.arena.admit_foreign()
    return original(self, src, dst_type)


def _convert(original: Any, value: Any) -> Any:
    """An argument of a launch as compiled code sees it."""
    if isinstance(value, bool):
        return tl.tensor(Handle(np.array([value]), tl.int1), tl.int1)
    if isinstance(value, float):
        return tl.tensor(Handle(np.array([value], dtype=np.float32), tl.float32), tl.float32)
    return original(value)


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


def _launch(self: Any, *args: Any, **kwargs: Any) -> None:
    """One launch: all programs of the grid, one after the other."""
    names = inspect.getfullargspec(self.fn).args
    kwargs = {key: value for key, value in kwargs.items() if key in names}
    for hook in self.pre_run_hooks:
        hook(*args, **kwargs)
    kernel = self.fn.__name__
    raw = inspect.getcallargs(self.fn, *args, **kwargs)
    grid = self.grid(raw) if callable(self.grid) else self.grid
    grid = _check_grid(grid, kernel)
    STATE.launches[kernel] += 1
    STATE.programs += grid[0] * grid[1] * grid[2]
    arena = STATE.arena
    with torch._C.DisableTorchFunction(), np.errstate(all="ignore"):
        arena.begin(kernel)
        bound = {name: _place(value, name) for name, value in raw.items()}
        call = {
            name: value if name in self.constexprs else interpreter._implicit_cvt(value)
            for name, value in bound.items()
        }
        builder = interpreter.interpreter_builder
        builder.set_grid_dim(*grid)
        order = (lambda n: range(n - 1, -1, -1)) if STATE.reverse else range
        try:
            for x in order(grid[0]):
                for y in order(grid[1]):
                    for z in order(grid[2]):
                        builder.set_grid_idx(x, y, z)
                        self.fn(**call)
        except Exception as error:
            raise InterpreterError(f"in kernel {kernel}: {error!r}") from error
        arena.finish()


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


def _autotuned(self: Any, *args: Any, **kwargs: Any) -> Any:
    """One configuration, pinned; the first call of a key also runs as its benchmark would."""
    self.nargs = dict(zip(self.arg_names, args, strict=False))
    several = len(self.configs) > 1
    configs = self.prune_configs(kwargs) if several else self.configs
    STATE.configurations = max(STATE.configurations, len(configs))
    config = configs[STATE.pinned % len(configs)]
    clash = kwargs.keys() & config.kwargs.keys()
    if clash:
        raise ValueError(f"Conflicting meta-parameters: {', '.join(sorted(clash))}.")
    full = {**self.nargs, **kwargs, **config.all_kwargs()}
    known = {**self.nargs, **kwargs}
    key = tuple(
        [known[name] for name in self.keys if name in known]
        + [str(v.dtype) for k, v in known.items() if k in self.arg_names and hasattr(v, "dtype")]
    )
    if several and key not in self.cache:
        self.cache[key] = config
        if config.pre_hook:
            config.pre_hook(full)
        self.pre_hook(full)
        self.fn.run(*args, **kwargs, **config.all_kwargs())
        self.post_hook(full, exception=None)
        self.pre_hook(full, reset_only=True)
    self.best_config = config
    if config.pre_hook is not None:
        config.pre_hook(full)
    result = self.fn.run(*args, **kwargs, **config.all_kwargs())
    self.nargs = None
    return result


def _compile_and_exec(self: Any, tree: Any) -> Any:
    """As Triton does it, without lending the interpreter's own imports to the kernel."""
    space = self.fn.__globals__
    space.setdefault("interpreter_semantic", interpreter.interpreter_semantic)
    made = {**self.kwargs}
    exec(compile(tree, filename=self.filename, mode="exec"), space, made)
    return made[self.fn.__name__]


def _patch_once() -> None:
    """Patch `triton.language` for the life of the process."""
    patch = interpreter._patch_lang
    patch(SimpleNamespace(__globals__={"tl": tl, "core": tl.core}))
    tensor: Any = tl.tensor
    tensor.__index__ = lambda self: int(self.handle.data.item())

    def visible(fn: Any) -> Any:
        spaces = fn.__globals__.values()
        if not any(inspect.ismodule(value) and value in (tl, tl.core) for value in spaces):
            raise NameError("triton.language must be visible from within jit'd function")
        return SimpleNamespace(restore=lambda: None)

    interpreter._patch_lang = visible


def _patch_libdevice() -> None:
    """The functions of the CUDA library under the name that kernels import."""
    from triton.language.extra import libdevice as stubs
    from triton.language.extra.cuda import libdevice as cuda

    for name, function in list(vars(cuda).items()):
        if callable(function) and tl.core.is_builtin(function):
            bound = functools.partial(function, _semantic=interpreter.interpreter_semantic)
            setattr(cuda, name, bound)
            setattr(stubs, name, bound)


class _Wrapper:
    """`function(original, self, ...)` as a function of (self, ...)."""

    def __init__(self, function: Any, original: Any) -> None:
        self.function, self.original = function, original

    def __call__(self, *args: Any, **kwargs: Any) -> Any:
        return self.function(self.original, *args, **kwargs)

    def __get__(self, instance: Any, owner: Any = None) -> Any:
        return functools.partial(self, instance) if instance is not None else self


def install() -> None:
    """Mend the interpreter of this process, which must have been started with TRITON_INTERPRET."""
    if not knobs.runtime.interpret:
        raise RuntimeError("the interpreter needs TRITON_INTERPRET=1 before triton is imported")
    replacements: dict[str, Any] = {
        "binary_op": _binary,
        "unary_op": _unary,
        "create_fma": _fma,
        "create_clampf": _clamp,
        "create_erf": _erf,
        "cast_impl": _cast,
        "create_masked_load": _load,
        "create_masked_store": _store,
        "create_extern_elementwise": _extern,
        "create_minnumf": lambda self, x, y: _binary(self, x, y, np.fmin),
        "create_maxnumf": lambda self, x, y: _binary(self, x, y, np.fmax),
        "get_bf16": lambda self, x: Handle(narrow(np.array([x], dtype=np.float32)), BF16),
    }
    for name, function in replacements.items():
        setattr(Builder, name, function)
    for name, function in (
        ("create_fp_to_fp", _fp_to_fp),
        ("create_dot", _dot),
        ("create_atomic_cas", _atomic_cas),
        ("create_atomic_rmw", _atomic_rmw),
        ("create_int_to_ptr", _int_to_ptr),
    ):
        setattr(Builder, name, _Wrapper(function, getattr(Builder, name)))
    reduce_ops: Any = interpreter.ReduceOps
    scan_ops: Any = interpreter.ScanOps
    reduce_ops.generic_reduce = _Wrapper(reduce_by_halves, reduce_ops.generic_reduce)
    scan_ops.generic_scan = _Wrapper(scan_by_doubling, scan_ops.generic_scan)
    convert = interpreter._implicit_cvt
    interpreter._implicit_cvt = functools.partial(_convert, convert)
    executor: Any = interpreter.GridExecutor
    executor.__call__ = _launch
    rewriter: Any = interpreter.FunctionRewriter
    rewriter._compile_and_exec = _compile_and_exec
    tuner: Any = autotuner.Autotuner
    tuner.run = _autotuned
    _patch_libdevice()
    _patch_once()
