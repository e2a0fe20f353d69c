"""What the scripts of cases share: kernels, one right wrapper, and the register of cases.

`CASES` maps a name to a function that gives an `Observation`; `EXPECTED` is the check of the
problem (`` for none), or `limit:<kind>`. `cuda` is what is expected on a GPU, where that differs
(None: the case is left out there).
"""

from __future__ import annotations

import os
from collections.abc import Callable
from typing import Any

import torch
import triton
import triton.language as tl

from tritongen.verify.judge.records import How, Observation
from tritongen.verify.probe import LocalSubject

N = 1000
MODE: Any = os.environ.get("PROBE_MODE", "interpret")
DEVICE = "cuda" if MODE == "cuda" else "cpu"
CASES: dict[str, Callable[[], Observation]] = {}
EXPECTED: dict[str, str] = {}
ON_CUDA: dict[str, str | None] = {}
REASONS: dict[str, str] = {}
KEPT: dict[str, Any] = {}


@triton.jit
def add_kernel(x_ptr, y_ptr, out_ptr, n, BLOCK: tl.constexpr):
    offsets = tl.program_id(0) * BLOCK + tl.arange(0, BLOCK)
    mask = offsets < n
    x = tl.load(x_ptr + offsets, mask=mask)
    y = tl.load(y_ptr + offsets, mask=mask)
    tl.store(out_ptr + offsets, x + y, mask=mask)


@triton.jit
def unmasked_kernel(x_ptr, out_ptr, n, BLOCK: tl.constexpr):
    offsets = tl.program_id(0) * BLOCK + tl.arange(0, BLOCK)
    x = tl.load(x_ptr + offsets, mask=offsets < n)
    tl.store(out_ptr + offsets, x)


@triton.jit
def rows_kernel(x_ptr, out_ptr, stride, columns, BLOCK: tl.constexpr, WIDE: tl.constexpr):
    row = tl.program_id(0)
    offsets = tl.arange(0, BLOCK)
    mask = offsets < columns
    x = tl.load(x_ptr + row * stride + offsets, mask=mask)
    tl.store(x_ptr + row * stride + columns, 1.0, mask=WIDE)
    tl.store(out_ptr + row * columns + offsets, x * 2, mask=mask)


@triton.jit
def partial_kernel(x_ptr, out_ptr, n, BLOCK: tl.constexpr):
    pid = tl.program_id(0)
    offsets = pid * BLOCK + tl.arange(0, BLOCK)
    tl.store(out_ptr + pid, tl.sum(tl.load(x_ptr + offsets, mask=offsets < n, other=0.0)))


@triton.jit
def noop_kernel(x_ptr, out_ptr, n):
    tl.load(x_ptr)


@triton.jit
def broken_kernel(x_ptr, out_ptr, n):
    tl.store(out_ptr + tl.arange(0, 3), 1.0)


@triton.jit
def asserting_kernel(x_ptr, out_ptr, N: tl.constexpr):
    tl.static_assert(N == 7)


@triton.jit
def division_kernel(x_ptr, out_ptr, n):
    missing = undefined_name  # noqa: F821
    tl.store(out_ptr, missing)


@triton.jit
def atomic_kernel(x_ptr, out_ptr, n, BLOCK: tl.constexpr):
    offsets = tl.program_id(0) * BLOCK + tl.arange(0, BLOCK)
    tl.atomic_add(out_ptr, tl.sum(tl.load(x_ptr + offsets, mask=offsets < n, other=0.0)))


@triton.jit
def dot_kernel(x_ptr, out_ptr, PRECISION: tl.constexpr):
    r = tl.arange(0, 16)
    at = r[:, None] * 16 + r[None, :]
    x = tl.load(x_ptr + at)
    tl.store(out_ptr + at, tl.dot(x, x, input_precision=PRECISION))


@triton.jit
def relay_kernel(out_ptr, n):
    pid = tl.program_id(0)
    before = tl.load(out_ptr + tl.maximum(pid - 1, 0))
    tl.store(out_ptr + pid, before + 1)


@triton.autotune(
    configs=[triton.Config({"BLOCK": 64}), triton.Config({"BLOCK": 128, "SCALE": 3})], key=["n"]
)
@triton.jit
def tuned_kernel(x_ptr, out_ptr, n, BLOCK: tl.constexpr, SCALE: tl.constexpr = 2):
    offsets = tl.program_id(0) * BLOCK + tl.arange(0, BLOCK)
    x = tl.load(x_ptr + offsets, mask=offsets < n)
    tl.store(out_ptr + offsets, x * SCALE, mask=offsets < n)


@triton.autotune(configs=[triton.Config({"BLOCK": 64}), triton.Config({"BLOCK": 128})], key=["n"])
@triton.jit
def accumulating_kernel(x_ptr, out_ptr, n, BLOCK: tl.constexpr):
    offsets = tl.program_id(0) * BLOCK + tl.arange(0, BLOCK)
    tl.atomic_add(out_ptr, tl.sum(tl.load(x_ptr + offsets, mask=offsets < n, other=0.0)))


def add(x: Any, y: Any, out: Any = None) -> Any:
    """The right wrapper, used by most others."""
    out = torch.empty_like(x) if out is None else out
    add_kernel[(triton.cdiv(x.numel(), 256),)](x, y, out, x.numel(), BLOCK=256)
    return out


def inputs(n: int = N) -> tuple[torch.Tensor, torch.Tensor]:
    """Two vectors."""
    generator = torch.Generator().manual_seed(0)
    x, y = torch.randn(2, n, generator=generator).to(DEVICE)
    return x.clone(), y.clone()


def on_device(value: Any) -> Any:
    """A tensor on the device under test, with its layout."""
    if not isinstance(value, torch.Tensor) or value.device.type == DEVICE:
        return value
    base = torch.empty(value.untyped_storage().nbytes() // value.element_size(), dtype=value.dtype)
    base.set_(value.untyped_storage(), 0, base.shape, (1,))
    return torch.as_strided(base.to(DEVICE), value.shape, value.stride(), value.storage_offset())


def subject(
    wrapper: Callable[..., Any], arguments: Any = None, how: How | None = None, **options: Any
) -> Observation:
    """One observed call."""
    arguments = inputs() if arguments is None else arguments
    arguments = tuple(on_device(value) for value in arguments)
    return LocalSubject(wrapper, MODE, **options).run(arguments, how or How())


def case(
    expected: str = "", reason: str = "", cuda: str | None = "-", **options: Any
) -> Callable[[Any], Any]:
    """Register a wrapper of two vectors; `reason` must be part of what is said."""

    def register(wrapper: Any) -> Any:
        name = wrapper.__name__
        CASES[name] = lambda: subject(wrapper, **options)
        EXPECTED[name], REASONS[name] = expected, reason
        ON_CUDA[name] = expected if cuda == "-" else cuda
        return wrapper

    return register


def observed(expected: str = "", reason: str = "", cuda: str | None = "-") -> Callable[[Any], Any]:
    """Register a function that makes its own observation."""

    def register(function: Any) -> Any:
        CASES[function.__name__] = function
        EXPECTED[function.__name__], REASONS[function.__name__] = expected, reason
        ON_CUDA[function.__name__] = expected if cuda == "-" else cuda
        return function

    return register
