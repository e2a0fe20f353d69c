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
- conversions to and from float8 round wrongly; here torch's own tables do it, saturating as the
  instruction of a GPU does; comparisons of bfloat16 stay bfloat16 and are then read as bits;
- `a = b = value` is refused; `warmup` returns nothing; integer overflow is checked at length;
- `tl.dot` takes sizes that no GPU takes;
- reductions and scans with a combine function loop over elements; here over halves
  (reductions.py); a sum of integers that overflows raises, here it wraps around;
- each launch and each call of a helper patches `triton.language` anew; here it is done once.
"""

from __future__ import annotations

import ast
import dataclasses
import functools
import inspect
from types import SimpleNamespace
from typing import Any

import numpy as np
import triton.language as tl
from triton import knobs
from triton.runtime import autotuner, interpreter

from tritongen.verify import fast, float8, grid, libdevice
from tritongen.verify.bits import narrow, poison, toward_zero, widen
from tritongen.verify.grid import STATE, State
from tritongen.verify.reductions import reduce_by_halves, scan_by_doubling

Handle: Any = interpreter.TensorHandle
Builder: Any = interpreter.InterpreterBuilder
native: Any = interpreter._interpreter
numpy_dtype = fast.numpy_dtype
BF16 = tl.bfloat16
FLOAT8 = float8.FORMATS

__all__ = ["STATE", "State", "install"]


def _values(handle: Any) -> np.ndarray:
    """The numbers of a handle: float32 for bfloat16 and float8, the data otherwise."""
    data = handle.data
    if data.dtype.char not in "BH":
        return data
    name = handle.dtype.scalar.name
    if name == "bf16":
        return widen(data)
    return float8.widen(data, name) if name in FLOAT8 else data


def _handle(data: np.ndarray, dtype: Any) -> Any:
    """A handle of a scalar type; floats that stand for bfloat16 are rounded, truth is int1."""
    kind = data.dtype.kind
    if kind == "b":
        return Handle(data, tl.int1)
    if dtype.name == "bf16" and kind == "f":
        data = narrow(data)
    elif dtype.name in FLOAT8 and kind == "f":
        data = float8.narrow(data, dtype.name)
    elif not isinstance(dtype, tl.pointer_type):
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
    if scalar.name in FLOAT8:
        return Handle(float8.narrow(data, scalar.name), scalar)
    return Handle(data.astype(numpy_dtype(dst_type)), scalar)


def _fp_to_fp(original: Any, self: Any, src: Any, dst_type: Any, rounding: Any) -> Any:
    scalar = dst_type.scalar
    known = {"bf16", "fp16", "fp32", "fp64", *FLOAT8}
    if src.dtype.scalar.name not in known or scalar.name not in known:
        return original(self, src, dst_type, rounding)
    if rounding is not None and "RTZ" in str(rounding) and scalar.name not in FLOAT8:
        return Handle(toward_zero(_values(src), scalar == BF16, numpy_dtype(dst_type)), scalar)
    return _cast(self, src, dst_type)


def _dot(original: Any, self: Any, a: Any, b: Any, d: Any, *rest: Any) -> Any:
    if "fp8e4b15" in (a.dtype.scalar.name, b.dtype.scalar.name):
        return original(self, a, b, d, *rest)
    left, right, scalar = _values(a), _values(b), d.dtype.scalar
    if a.dtype.scalar == tl.float32 and rest:
        STATE.precisions.add(str(getattr(rest[0], "name", rest[0])).lower())
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
    if other is None:
        fill = poison(ptrs.data.shape, dtype, element == BF16, STATE.poison)
    else:
        fill = other.data
    return Handle(native.load(ptrs.data, lanes, fill, dtype), element)


def _store(self: Any, ptrs: Any, value: Any, mask: Any, *_: Any, **__: Any) -> Any:
    lanes = np.asarray(mask.data)
    STATE.arena.check(ptrs.data, lanes, _itemsize(ptrs), "store")
    dtype = numpy_dtype(ptrs.get_element_ty())
    data = value.data if value.data.dtype == dtype else value.data.astype(dtype)
    return native.store(ptrs.data, data, lanes)


def _atomic_cas(original: Any, self: Any, ptr: Any, *rest: Any) -> Any:
    STATE.atomics = True
    STATE.arena.check(ptr.data, np.ones(ptr.data.shape, bool), _itemsize(ptr), "atomic")
    return original(self, ptr, *rest)


def _atomic_rmw(
    original: Any, self: Any, op: Any, ptr: Any, val: Any, mask: Any, *rest: Any
) -> Any:
    STATE.atomics = True
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


def _reduced(original: Any, self: Any, result: Any, dtype: Any) -> Any:
    """The result of a reduction; an integer that overflows wraps around, which NumPy refuses."""
    if isinstance(result, np.generic) and result.dtype.kind in "iu":
        result = result.astype(numpy_dtype(dtype))
    return original(self, result, dtype)


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


def _compile_and_exec(self: Any, tree: Any) -> Any:
    """As Triton does it, without lending the interpreter's own imports to the kernel."""
    space = self.fn.__globals__
    space.setdefault("interpreter_semantic", interpreter.interpreter_semantic)
    made = {**self.kwargs}
    exec(compile(tree, filename=self.filename, mode="exec"), space, made)
    return made[self.fn.__name__]


def _visit_assign(self: Any, node: ast.Assign) -> ast.Assign:
    """As Triton does it, but for `a = b = value` as well."""
    for target in node.targets:
        self.visit(target)
    name = ast.Name(id="interpreter_semantic", ctx=ast.Load())
    convert = ast.Attribute(value=name, attr="to_tensor", ctx=ast.Load())
    node.value = ast.Call(func=convert, args=[node.value, ast.Constant(value=False)], keywords=[])
    return node


def _set_options(builder: Any) -> None:
    """The limits of a GPU on `tl.dot`, and no checks of integer overflow, as in release code."""
    builder.options = dataclasses.replace(builder.options, sanitize_overflow=False)
    builder.codegen_fns["min_dot_size"] = _smallest_dot
    Builder.create_print = lambda self, *_: None


def _smallest_dot(left: Any, _right: Any) -> tuple[int, int, int]:
    return (1, 1, 32 if left.scalar.primitive_bitwidth == 8 else 16)


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
    if STATE.installed:
        return
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
    reductions: Any = interpreter.ReduceScanOpInterface
    reductions.to_tensor = _Wrapper(_reduced, reductions.to_tensor)
    convert = interpreter._implicit_cvt
    interpreter._implicit_cvt = functools.partial(_convert, convert)
    executor: Any = interpreter.GridExecutor
    executor.__call__ = grid.launch
    function: Any = interpreter.InterpretedFunction
    function.run = _Wrapper(grid.run_function, function.run)
    transformer: Any = interpreter.ASTTransformer
    transformer.visit_Assign = _visit_assign
    interpreter.FunctionRewriter.ast_transformer = transformer()
    rewriter: Any = interpreter.FunctionRewriter
    rewriter._compile_and_exec = _compile_and_exec
    tuner: Any = autotuner.Autotuner
    tuner.run = grid.autotuned
    _set_options(interpreter.interpreter_builder)
    fast.install()
    _patch_libdevice()
    _patch_once()
    STATE.installed = True
