"""Hand-written pairs, small enough to see what a mutant should be."""

from __future__ import annotations

from tritongen.pair import Pair

HEAD = """import torch
import triton
import triton.language as tl


"""

SCALE = (
    HEAD
    + '''@triton.jit
def scale_kernel(x_ptr, out_ptr, n, BLOCK: tl.constexpr):
    """Twice x."""
    pid = tl.program_id(axis=0)
    offs = pid * BLOCK + tl.arange(0, BLOCK)
    mask = offs < n
    x = tl.load(x_ptr + offs, mask=mask).to(tl.float32)
    tl.store(out_ptr + offs, x * 2.5, mask=mask)


def scale(x):
    """Launch."""
    x = x.contiguous()
    out = torch.empty_like(x)
    n = x.numel()
    grid = (triton.cdiv(n, 64),)
    scale_kernel[grid](x, out, n, BLOCK=64)
    return out
'''
)

ROWS = (
    HEAD
    + """@triton.jit
def softmax_kernel(x_ptr, out_ptr, stride_m, stride_n, M, N, eps, BLOCK: tl.constexpr):
    row = tl.program_id(axis=0)
    cols = tl.arange(0, BLOCK)
    mask = cols < N
    x = tl.load(x_ptr + row * stride_m + cols * stride_n, mask=mask, other=0.0).to(tl.float32)
    x = tl.where(mask, x, -float("inf"))
    top = tl.max(x, axis=0)
    weights = tl.exp(x - top)
    total = tl.sum(weights, axis=0) / N
    total = tl.sqrt(total * total + eps)
    tl.store(out_ptr + row * N + cols, weights / total, mask=mask)


def softmax(x):
    M, N = x.shape
    out = torch.empty((M, N), device=x.device, dtype=x.dtype)
    grid = (M,)
    softmax_kernel[grid](
        x, out, x.stride(0), x.stride(1), M, N, 1e-5, BLOCK=triton.next_power_of_2(N)
    )
    return out.view(M, N)
"""
)

TILES = (
    HEAD
    + """@triton.jit
def product_kernel(a_ptr, b_ptr, out_ptr, M, N, K, TILE: tl.constexpr):
    pid_m = tl.program_id(axis=0)
    pid_n = tl.program_id(axis=1)
    rows = pid_m * TILE + tl.arange(0, TILE)
    cols = pid_n * TILE + tl.arange(0, TILE)
    depth = tl.arange(0, TILE)
    mask = (rows[:, None] < M) & (cols[None, :] < N)
    total = tl.zeros((TILE, TILE), dtype=tl.float32)
    for start in range(0, K, TILE):
        if start >= 0:
            inside = depth < K - start
        a = tl.load(
            a_ptr + rows[:, None] * K + start + depth[None, :],
            mask=(rows[:, None] < M) & inside[None, :],
            other=0.0,
        )
        b = tl.load(
            b_ptr + (start + depth)[:, None] * N + cols[None, :],
            mask=inside[:, None] & (cols[None, :] < N),
            other=0.0,
        )
        total = tl.dot(a, b, total, input_precision="ieee")
    tl.store(out_ptr + rows[:, None].to(tl.int64) * N + cols[None, :], total, mask=mask)


def product(a, b):
    M, K = a.shape
    N = b.shape[1]
    out = torch.empty((M, N), device=a.device, dtype=a.dtype)
    grid = (triton.cdiv(M, 16), triton.cdiv(N, 16))
    product_kernel[grid](a, b, out, M, N, K, TILE=16)
    return out
"""
)

TUNED = (
    HEAD
    + """@triton.jit
def lift(value, other):
    return -value + other


@triton.autotune(
    configs=[triton.Config({"BLOCK": 32}), triton.Config({"BLOCK": 64})],
    key=["n"],
    reset_to_zero=["out_ptr"],
)
@triton.jit
def total_kernel(x_ptr, y_ptr, out_ptr, n, BLOCK: tl.constexpr):
    offs = tl.program_id(axis=0) * BLOCK + tl.arange(0, BLOCK)
    mask = offs < n
    x = tl.load(x_ptr + offs, mask=mask, other=0.0)
    y = tl.load(y_ptr + offs, mask=mask, other=0.0)
    value = lift(x, y)
    value = tl.where(value > y, value, y)
    tl.atomic_add(out_ptr, tl.sum(value, axis=0))


@triton.jit
def finish_kernel(total_ptr, out_ptr):
    total = tl.load(total_ptr)
    total += 1.0
    tl.store(out_ptr, total)


def total(x, y, scale):
    n = x.numel()
    held = torch.zeros((1,), device=x.device, dtype=torch.float32)
    out = torch.empty((1, n), device=x.device, dtype=x.dtype)
    grid = lambda meta: (triton.cdiv(n, meta["BLOCK"]),)
    total_kernel[grid](x, y, held, n)
    finish_kernel[(1,)](held, out)
    return out, held
"""
)

BLOCK_POINTER = (
    HEAD
    + """@triton.jit
def copy_kernel(x_ptr, out_ptr, M, N, factor, TILE: tl.constexpr):
    x_block = tl.make_block_ptr(x_ptr, (M, N), (N, 1), (0, 0), (TILE, TILE), (1, 0))
    x = tl.load(x_block, boundary_check=(0, 1), padding_option="zero")
    offs = tl.arange(0, TILE)
    tl.store(out_ptr + offs[:, None] * TILE + offs[None, :], x * factor)


def copy(x, factor):
    out = torch.empty(x.shape, device=x.device, dtype=x.dtype)
    copy_kernel[(1,)](x, out, 8, 8, factor, TILE=8)
    return out
"""
)

TEST = """
import pytest
import torch

SHAPES = [(1,), (64,), (131,)]
DTYPES = [torch.float32, torch.float16]


def make_inputs(N, dtype, magnitude=1.0, seed=0):
    generator = torch.Generator(device="cuda").manual_seed(seed)
    return ((torch.randn((N,), generator=generator, device="cuda") * magnitude).to(dtype),)


def get_test_inputs():
    return make_inputs(131, torch.float32)


@pytest.mark.parametrize("shape", SHAPES)
@pytest.mark.parametrize("dtype", DTYPES)
def test_pair(shape, dtype):
    inputs = make_inputs(*shape, dtype)
    expected = reference(inputs[0].double())
    error = (scale(*inputs).double() - expected).abs()
    bound = torch.finfo(dtype).eps * expected.abs() + 2.0**-30
    assert bool((error <= bound).all())
"""
REFERENCE = "import torch\n\n\ndef reference(x):\n    return x * 2.5\n"


def pair_of(triton_code: str = SCALE, wrapper: str = "scale") -> Pair:
    """A pair with the reference and test of `SCALE`."""
    metadata = {"entry": {"reference": "reference", "wrapper": wrapper}}
    return Pair(
        id="hand",
        program_id="hand",
        operation_id="hand",
        family="hand",
        strategy="written",
        description="",
        python_code=REFERENCE,
        triton_code=triton_code,
        test_code=TEST,
        metadata=metadata,
    )
