"""Script: which faults Triton's own interpreter still has; prints {name: present} as JSON.

Run with TRITON_INTERPRET=1 and nothing of `tritongen.verify` installed.
"""

from __future__ import annotations

import json
import subprocess
import sys
from collections.abc import Callable
from typing import Any

import torch
import triton
import triton.language as tl
from triton.language.extra import libdevice


@triton.jit
def dot_kernel(a_ptr, b_ptr, out_ptr):
    r = tl.arange(0, 16)
    at = r[:, None] * 16 + r[None, :]
    tl.store(out_ptr + at, tl.dot(tl.load(a_ptr + at), tl.load(b_ptr + at)))


@triton.jit
def cast_kernel(x_ptr, out_ptr):
    r = tl.arange(0, 16)
    tl.store(out_ptr + r, tl.load(x_ptr + r).to(out_ptr.dtype.element_ty))


@triton.jit
def add_kernel(x_ptr, out_ptr):
    r = tl.arange(0, 16)
    x = tl.load(x_ptr + r)
    tl.store(out_ptr + r, x + x)


@triton.jit
def tanh_kernel(x_ptr, out_ptr):
    r = tl.arange(0, 16)
    tl.store(out_ptr + r, libdevice.tanh(tl.load(x_ptr + r)))


@triton.jit
def maximum_kernel(x_ptr, out_ptr):
    r = tl.arange(0, 16)
    tl.store(out_ptr + r, tl.maximum(tl.load(x_ptr + r), 0.0))


@triton.jit
def bool_kernel(out_ptr, flag):
    r = tl.arange(0, 16)
    tl.store(out_ptr + r, tl.where(flag, 1.0, 2.0) + tl.zeros((16,), tl.float32))


@triton.jit
def float_kernel(out_ptr, value):
    r = tl.arange(0, 16)
    tl.store(out_ptr + r, value.to(tl.float32) + tl.zeros((16,), tl.float32))


@triton.jit
def atomic_kernel(out_ptr):
    r = tl.arange(0, 16)
    tl.atomic_add(out_ptr + r, tl.full((16,), 1.5, out_ptr.dtype.element_ty))


@triton.autotune(configs=[triton.Config({"N": 16}), triton.Config({"N": 8})], key=[])
@triton.jit
def tuned_kernel(out_ptr, N: tl.constexpr):
    tl.store(out_ptr + tl.arange(0, N), tl.zeros((N,), tl.float32))


@triton.jit
def float8_kernel(x_ptr, out_ptr):
    r = tl.arange(0, 16)
    tl.store(out_ptr + r, tl.load(x_ptr + r).to(tl.float8e4nv).to(tl.float32))


@triton.jit
def sort_kernel(x_ptr, out_ptr):
    r = tl.arange(0, 16)
    tl.store(out_ptr + r, tl.sort(tl.load(x_ptr + r)))


@triton.jit
def assign_kernel(x_ptr, out_ptr):
    r = tl.arange(0, 16)
    a = b = tl.load(x_ptr + r)
    tl.store(out_ptr + r, a + b)


@triton.jit
def sum_kernel(x_ptr, out_ptr):
    tl.store(out_ptr, tl.sum(tl.load(x_ptr + tl.arange(0, 16))))


@triton.jit
def small_dot_kernel(a_ptr, out_ptr):
    r = tl.arange(0, 8)
    at = r[:, None] * 8 + r[None, :]
    a = tl.load(a_ptr + at)
    tl.store(out_ptr + at, tl.dot(a, a))


def float8_rounding() -> bool:
    x = torch.linspace(0.4990, 0.5, 16)
    out = torch.empty(16)
    float8_kernel[(1,)](x, out)
    return torch.equal(out, x.to(torch.float8_e4m3fn).float())


def bf16_sort() -> bool:
    x = torch.randn(16).bfloat16()
    out = torch.empty_like(x)
    sort_kernel[(1,)](x, out)
    return torch.equal(out, x.sort().values)


def double_assignment() -> bool:
    x = torch.randn(16)
    out = torch.empty_like(x)
    assign_kernel[(1,)](x, out)
    return torch.equal(out, x + x)


def warmup() -> bool:
    out = torch.empty(16)
    kernel: Any = cast_kernel.warmup(torch.ones(16), out, grid=(1,))
    kernel[(1, 1, 1)](torch.ones(16), out)
    return bool((out == 1).all())


def overflowing_sum() -> bool:
    x = torch.full((16,), 2**30, dtype=torch.int32)
    x[0] = 5
    out = torch.empty((), dtype=torch.int32)
    sum_kernel[(1,)](x, out)
    return int(out) == int(x.sum(dtype=torch.int32))


def dot_smaller_than_any_gpu_takes() -> bool:
    a = torch.randn(8, 8)
    try:
        small_dot_kernel[(1,)](a, torch.empty(8, 8))
    except Exception:
        return True
    return False


def bf16_dot() -> bool:
    a = torch.randn(16, 16).bfloat16()
    out = torch.empty(16, 16)
    dot_kernel[(1,)](a, a, out)
    return torch.allclose(out, a.float() @ a.float(), rtol=1e-3, atol=1e-3)


def bf16_rounding() -> bool:
    x = torch.randn(16)
    out = torch.empty(16, dtype=torch.bfloat16)
    cast_kernel[(1,)](x, out)
    return torch.equal(out, x.bfloat16())


def int_to_bf16() -> bool:
    x = torch.arange(16, dtype=torch.int32)
    out = torch.empty(16, dtype=torch.bfloat16)
    cast_kernel[(1,)](x, out)
    return torch.equal(out, x.bfloat16())


def bf16_arithmetic() -> bool:
    x = torch.randn(16).bfloat16()
    out = torch.empty_like(x)
    add_kernel[(1,)](x, out)
    return torch.equal(out, x + x)


def libdevice_calls() -> bool:
    x = torch.randn(16)
    out = torch.empty(16)
    tanh_kernel[(1,)](x, out)
    return torch.allclose(out, x.tanh())


def maximum_of_nan() -> bool:
    out = torch.empty(16)
    maximum_kernel[(1,)](torch.full((16,), float("nan")), out)
    return bool((out == 0).all())


def bool_argument() -> bool:
    out = torch.empty(16)
    bool_kernel[(1,)](out, True)
    return bool((out == 1).all())


def float_argument() -> bool:
    out = torch.empty(16)
    float_kernel[(1,)](out, 0.5)
    return bool((out == 0.5).all())


def bf16_atomics() -> bool:
    out = torch.ones(16, dtype=torch.bfloat16)
    atomic_kernel[(1,)](out)
    return bool((out == 2.5).all())


def autotuner() -> bool:
    out = torch.ones(16)
    tuned_kernel[(1,)](out)
    return True


PROBES: list[Callable[[], bool]] = [
    bf16_dot,
    bf16_rounding,
    int_to_bf16,
    bf16_arithmetic,
    libdevice_calls,
    maximum_of_nan,
    bool_argument,
    float_argument,
    bf16_atomics,
    autotuner,
    float8_rounding,
    bf16_sort,
    double_assignment,
    warmup,
    overflowing_sum,
    dot_smaller_than_any_gpu_takes,
]


def main() -> None:
    """All probes, each in this process: none of them harms the heap."""
    torch.manual_seed(0)
    report = {}
    for probe in PROBES:
        try:
            report[probe.__name__] = not probe()
        except Exception:
            report[probe.__name__] = True
    print(json.dumps(report))


def run(installed: bool) -> dict[str, bool]:
    """The report of a fresh process, with or without what tritongen mends."""
    import os

    code = "import sys; sys.path[:0] = sys.argv[1:]\n"
    if installed:
        code += (
            "import tritongen.verify.interpreter as i, tritongen.verify.redirect as r\n"
            "r.install(); i.install()\n"
        )
    code += "import raw_faults; raw_faults.main()"
    here = os.path.dirname(os.path.abspath(__file__))
    root = os.path.dirname(os.path.dirname(here))
    done = subprocess.run(
        [sys.executable, "-c", code, here, root],
        env={**os.environ, "TRITON_INTERPRET": "1"},
        capture_output=True,
        text=True,
        check=True,
    )
    return json.loads(done.stdout.splitlines()[-1])
