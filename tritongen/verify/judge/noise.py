"""How far honest float32 code may be from the exact result: rounding as noise (Monte Carlo).

A reference is run several times in float64, and the result of every operator that rounds is moved
by a relative error of the size that float32 has there; sums by an error for any order of their
terms. How far the results then move is, element by element, what rounding alone explains. An
element-wise function so gets a bound from nothing but its own element, and a reduction one from
its own slice, without anyone having to say which is which.

The error is a function of the value that it is added to, so equal values stay equal: ties stay
ties, and constant rows constant.
"""

from __future__ import annotations

import math
from typing import Any

import torch

from tritongen.verify.judge import optables
from tritongen.verify.judge.apart import parts_of
from tritongen.verify.judge.promotion import (
    Promotion,
    each_tensor,
    is_float,
    map_tensors,
    nominal_dtype,
    unit_roundoff,
)

SINGLE = unit_roundoff(torch.float32)
DOUBLE = 4 * unit_roundoff(torch.float64)
TINY = torch.finfo(torch.float32).tiny
RUNS = 4
TURNS = ((0, 1), (2, 3), (0, 2), (1, 3), (0, 3), (1, 2))
TURN_GAIN = math.sqrt(RUNS / 2)
TF32_RANDOM = 2**-10
TF32_BIAS = 2**-10
"""Tensor cores leave the low bits out: each operand loses up to 2^-10, to the same side."""
DOT_OPERANDS = 2**-22
_RAW = "_exact_input"
_MOVED = "_moved_input"
_MIX = (-7046029254386353131, -4658895280553007687)


def deltas(values: torch.Tensor, seed: int) -> torch.Tensor:
    """Numbers in [-1, -1/2] and [1/2, 1], random but the same for the same value and seed."""
    if values.is_complex():
        values = values.real.contiguous()
    bits = values.view(torch.int64)
    mixed = (bits ^ seed) * _MIX[0]
    mixed = (mixed ^ (mixed >> 29)) * _MIX[1]
    unit = mixed.to(torch.float64) * 2.0**-64
    return unit + torch.copysign(torch.full_like(unit, 0.5), unit)


def mark_inputs(values: Any) -> Any:
    """Say of tensors that they are inputs, known exactly."""

    def mark(tensor: torch.Tensor) -> torch.Tensor:
        if is_float(tensor):
            setattr(tensor, _RAW, True)
        return tensor

    return map_tensors(mark, values)


class Noise(Promotion):
    """Float64 with the rounding errors of float32, a different draw for each of `RUNS` runs.

    An operator errs in two of the runs (`TURNS`), by so much more, and no two of six operators in
    the same two: where the errors of two of them cancel, each is still seen alone. With a `gain` all err at once, by as much more: so
    one sees which comparisons rounding may decide. With `tf32` the
    operands of dots are rounded to TF32 as well.
    """

    def __init__(
        self,
        run: int,
        default: torch.dtype = torch.float32,
        *,
        tf32: bool = False,
        gain: float = 0.0,
    ) -> None:
        super().__init__(torch.float64, default)
        self.gain = gain
        self.run = run % RUNS
        self.seed = ((run + 1) * 0x9E3779B97F4A7C15 + 0x632BE59BD9B4E019) % (1 << 62)
        self.count = 0
        self.inside: torch.dtype | None = None
        self.tf32 = tf32
        self.rewritten: set[int] = set()
        """Storages that operators wrote in place: what they hold is no exact input."""

    def call(
        self, func: Any, name: str, args: Any, kwargs: dict[str, Any], nominal: torch.dtype
    ) -> Any:
        """Run an operator and move its results."""
        if name.endswith("_"):
            self.rewritten |= {t.untyped_storage().data_ptr() for t in each_tensor(args[:1])}
        base = name[:-1] if name.endswith("_") and name not in optables.EXACT else name
        if base in optables.EXACT or (base == "index_put" and not kwargs.get("accumulate")):
            return self._exact(func, name, args, kwargs, nominal)
        if base in optables.COMPOSITE:
            result = self._apart(func, args, kwargs, nominal)
            if result is not NotImplemented:
                return self._moved(result, nominal, None, 0.0)
        args = map_tensors(self._input, args)
        result = func(*args, **kwargs)
        if isinstance(result, torch.Tensor) and not is_float(result):
            return result
        if not self._errs():
            self.count += 1
            return result
        extra = None
        if base in optables.SUMS or base in optables.DOTS:
            extra = self._accumulated(func, name, base, args, kwargs, result, nominal)
        elif base in optables.PRODUCTS:
            length = max(1, _numel(args) // max(1, _numel(result)))
            length = args[0].shape[args[1]] if base == "cumprod" else length
            extra = result.abs() * (SINGLE * math.sqrt(length))
        elif base == "pow" and isinstance(result, torch.Tensor):
            # Kernels spell a power by exp2 and log2, whose product has a rounding of its own.
            extra = torch.special.xlog1py(result.abs(), result.abs() - 1).abs()
            extra = extra.nan_to_num_(0.0, 0.0, 0.0) * (self._unit(nominal) / math.log(2))
        elif base in optables.ABSOLUTE and isinstance(result, torch.Tensor):
            floor = optables.ABSOLUTE[base] * self._unit(nominal)
            extra = torch.full_like(result, floor) * (result != 0)
        return self._moved(result, nominal, extra, optables.ULPS.get(base, 4.0))

    def _errs(self) -> bool:
        """Whether the next operator errs in this run."""
        return self.gain > 0 or self.run in TURNS[self.count % len(TURNS)]

    def _unit(self, nominal: torch.dtype) -> float:
        return DOUBLE if nominal is torch.float64 else SINGLE

    def _input(self, tensor: torch.Tensor) -> torch.Tensor:
        """An exact input as an operator that rounds sees it: moved, everywhere alike."""
        if not getattr(tensor, _RAW, False) or tensor.dtype is not torch.float64:
            return tensor
        if tensor.untyped_storage().data_ptr() in self.rewritten:
            return tensor
        moved = getattr(tensor, _MOVED, None)
        if moved is None:
            unit = self._unit(nominal_dtype(tensor, self.default))
            moved = tensor + tensor * deltas(tensor, self.seed).mul_(unit * max(1.0, self.gain))
            moved = torch.where(torch.isfinite(tensor), moved, tensor)
            setattr(tensor, _MOVED, moved)
        return moved

    def _exact(
        self, func: Any, name: str, args: Any, kwargs: dict[str, Any], nominal: torch.dtype
    ) -> Any:
        result = func(*args, **kwargs)
        if name == "_to_copy":
            source = nominal_dtype(args[0], self.default)
            are_real = result.is_floating_point() and args[0].is_floating_point()
            if are_real and unit_roundoff(nominal) > unit_roundoff(source):
                return self._moved(result, nominal, None, 0.0)
        floats = [t for item in (*args, *kwargs.values()) for t in each_tensor(item) if is_float(t)]
        if floats and all(getattr(tensor, _RAW, False) for tensor in floats):
            mark_inputs(result)
        elif name.endswith("_"):
            for tensor in each_tensor(result):
                if getattr(tensor, _RAW, False):
                    delattr(tensor, _RAW)
        return result

    def _apart(self, func: Any, args: Any, kwargs: dict[str, Any], nominal: torch.dtype) -> Any:
        """The result by way of simpler operators, each moved; NotImplemented if that fails."""
        parts = parts_of(func)
        if parts is None:
            return NotImplemented
        outer = self.inside
        self.inside = nominal if outer is None else outer
        try:
            with self:
                return parts(*args, **kwargs)
        except Exception:
            return NotImplemented
        finally:
            self.inside = outer

    def nominal_of(self, name: str, args: Any, kwargs: dict[str, Any]) -> torch.dtype:
        """The dtype that a result stands for; within an operator taken apart, that operator's."""
        return self.inside or super().nominal_of(name, args, kwargs)

    def _accumulated(
        self, func: Any, name: str, base: str, args: Any, kwargs: Any, result: Any, nominal: Any
    ) -> torch.Tensor | None:
        """The error of a sum of n terms in any order: about sqrt(n) u times the sum of sizes."""
        if not isinstance(result, torch.Tensor) or not result.numel():
            return None
        if "out" in kwargs:
            return None
        terms = _terms(base, args, result)
        try:
            if name.endswith("_"):
                # The first argument is overwritten by now: the terms that came to it, and what it is
                sizes = map_tensors(_magnitude, args[1:])
                apart = getattr(torch.ops.aten, base).default
                total = apart(torch.zeros_like(result), *sizes, **kwargs) + result.abs()
            else:
                total = func(*map_tensors(_magnitude, args), **kwargs).abs()
        except Exception:
            return None
        steps = 0.5 * math.sqrt(terms) if terms > 1 else 0.0
        if base in optables.SUMS and terms > 64 and _constant(args[0]):
            steps = terms / 4
        error = total * (self._unit(nominal) * steps)
        if base in optables.DOTS:
            operands = DOT_OPERANDS
            half = nominal in (torch.float16, torch.bfloat16)
            if self.tf32 and nominal is torch.float32:
                operands = TF32_RANDOM
            elif half and self.inside:
                operands = unit_roundoff(nominal)
            if self.tf32 or half:
                error = error + total * (self._unit(nominal) * terms / 32)
            if nominal is not torch.float64:
                spread = func(*map_tensors(_square, args), **kwargs).abs().sqrt()
                error = error + spread * operands
                if self.tf32:
                    error = error + result.abs() * TF32_BIAS
        return error

    def _moved(self, result: Any, nominal: torch.dtype, extra: Any, ulps: float) -> Any:
        """Results with a relative error and an absolute one (`extra`), in place where they are."""
        turn = self._errs()
        self.count += 1
        relative = ulps * self._unit(nominal)
        if nominal in (torch.float16, torch.bfloat16) and not self.inside:
            relative += unit_roundoff(nominal)
        if not turn or (not relative and extra is None):
            return result
        seed = (self.seed + 0x5851F42D4C957F2D * self.count) % (1 << 62)

        def move(tensor: torch.Tensor) -> torch.Tensor:
            if tensor.dtype not in (torch.float64, torch.complex128) or not tensor.numel():
                return tensor
            delta = deltas(tensor, seed)
            size = tensor.abs().mul_(relative)
            if extra is not None:
                size = size + extra
            change = size.mul_(delta).mul_(self.gain or TURN_GAIN).nan_to_num_(0.0, 0.0, 0.0)
            if nominal is not torch.float64:
                flushed = (tensor.abs() < TINY) & (delta > 0) & (tensor != 0)
                change = torch.where(flushed, -tensor, change)
            return tensor.add_(change) if tensor._is_view() is False else tensor + change

        return map_tensors(move, result)


def _magnitude(tensor: torch.Tensor) -> torch.Tensor:
    return tensor.abs() if is_float(tensor) else tensor


def _square(tensor: torch.Tensor) -> torch.Tensor:
    return tensor * tensor if is_float(tensor) else tensor


def _constant(value: Any) -> bool:
    """Whether a tensor has long constant rows, whose sums err always to the same side."""
    if not isinstance(value, torch.Tensor) or not value.numel():
        return False
    flat = value.reshape(-1) if value.dim() < 2 else value
    return any(
        bool(((flat.amax(dim) - flat.amin(dim)) == 0).any())
        for dim in range(flat.dim())
        if flat.shape[dim] > 64
    )


def _numel(value: Any) -> int:
    return next((t.numel() for t in each_tensor(value)), 1)


def _terms(base: str, args: Any, result: torch.Tensor) -> int:
    """How many terms there are in one element of a sum."""
    tensors = [item for item in args if isinstance(item, torch.Tensor)]
    if base in optables.DOTS:
        if "convolution" in base and len(tensors) > 1:
            return max(1, tensors[1].numel() // max(1, tensors[1].shape[0]))
        left = tensors[-2] if len(tensors) > 1 else tensors[0]
        return max(1, left.shape[-1] if left.dim() else 1)
    if base in ("cumsum", "logcumsumexp"):
        dim = args[1] if len(args) > 1 and isinstance(args[1], int) else 0
        return args[0].shape[dim] if args[0].dim() else 1
    if base in ("scatter_add", "index_add", "scatter_reduce", "index_put"):
        return max(1, max(t.numel() for t in tensors) // max(1, result.numel()) * 4)
    return max(1, tensors[0].numel() // max(1, result.numel())) if tensors else 1
