"""Small hand-written pairs, right and wrong, for the tests of verification."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Any


@dataclass(frozen=True)
class Sources:
    """What `verify` reads of a pair."""

    python_code: str
    triton_code: str
    test_code: str
    metadata: dict[str, Any] = field(default_factory=dict)

    def change(self, old: str, new: str, count: int = 1) -> Sources:
        """The same pair with one edit of the Triton side; the edit must apply."""
        if self.triton_code.count(old) < count:
            raise AssertionError(f"{old!r} does not occur")
        code = self.triton_code.replace(old, new)
        return Sources(self.python_code, code, self.test_code, self.metadata)

    def with_metadata(self, **metadata: Any) -> Sources:
        """The same pair with other metadata."""
        return Sources(self.python_code, self.triton_code, self.test_code, metadata)


CHECK_CLOSE = '''
def check_close(actual, expected, bound):
    """Compare all elements in float64."""
    assert actual.dtype == expected.dtype and actual.shape == expected.shape
    error = (actual.double() - expected.double()).abs()
    limit = (bound * expected.double().abs() + bound) * actual.is_floating_point()
    assert bool((error <= limit).all()), f"max error {error.max().item():.3g}"
'''

HEADER = "import pytest\nimport torch\n\n"

ELEMENTWISE = Sources(
    "import torch\n\n\ndef torch_silu_add(x, y):\n    return x * torch.sigmoid(x) + y\n",
    '''
import torch
import triton
import triton.language as tl


@triton.jit
def silu_add_kernel(x_ptr, y_ptr, out_ptr, n_elements, BLOCK_SIZE: tl.constexpr):
    """out = silu(x) + y."""
    pid = tl.program_id(0)
    offsets = pid * BLOCK_SIZE + tl.arange(0, BLOCK_SIZE)
    mask = offsets < n_elements
    x = tl.load(x_ptr + offsets, mask=mask).to(tl.float32)
    y = tl.load(y_ptr + offsets, mask=mask).to(tl.float32)
    result = x * tl.sigmoid(x) + y
    tl.store(out_ptr + offsets, result.to(out_ptr.dtype.element_ty), mask=mask)


def triton_silu_add(x, y):
    out = torch.empty_like(x)
    n_elements = x.numel()
    grid = lambda meta: (triton.cdiv(n_elements, meta["BLOCK_SIZE"]),)
    silu_add_kernel[grid](x, y, out, n_elements, BLOCK_SIZE=256, num_warps=4)
    return out
''',
    HEADER
    + CHECK_CLOSE
    + """

@pytest.mark.parametrize("dtype", [torch.float32, torch.float16, torch.bfloat16])
@pytest.mark.parametrize("n", [1, 255, 1000, 1024])
def test_silu_add(n, dtype):
    generator = torch.Generator(device="cuda").manual_seed(0)
    x = torch.randn(n, device="cuda", dtype=dtype, generator=generator) * 3
    y = torch.randn(n, device="cuda", dtype=dtype, generator=generator)
    bound = {torch.float32: 2e-6, torch.float16: 2e-3, torch.bfloat16: 1e-2}[dtype]
    expected = torch_silu_add(x.double(), y.double()).to(dtype)
    check_close(triton_silu_add(x, y), expected, bound)
""",
)

SOFTMAX = Sources(
    "import torch\n\n\ndef torch_softmax(x):\n    return torch.softmax(x, dim=-1)\n",
    """
import torch
import triton
import triton.language as tl


@triton.jit
def softmax_kernel(x_ptr, out_ptr, stride_x, stride_out, n_cols, BLOCK_SIZE: tl.constexpr):
    row = tl.program_id(0)
    cols = tl.arange(0, BLOCK_SIZE)
    mask = cols < n_cols
    x = tl.load(x_ptr + row * stride_x + cols, mask=mask, other=-float("inf")).to(tl.float32)
    x = tl.exp(x - tl.max(x, axis=0))
    tl.store(out_ptr + row * stride_out + cols, x / tl.sum(x, axis=0), mask=mask)


def triton_softmax(x):
    n_rows, n_cols = x.shape
    out = torch.empty_like(x)
    block = triton.next_power_of_2(n_cols)
    softmax_kernel[(n_rows,)](x, out, x.stride(0), out.stride(0), n_cols, BLOCK_SIZE=block)
    return out
""",
    HEADER
    + """
@pytest.mark.parametrize(
    "shape, dtype",
    [((3, 33), torch.float32), pytest.param((5, 64), torch.float16, id="half")],
)
def test_softmax(shape, dtype):
    x = torch.randn(shape, dtype=dtype, device="cuda") * 4
    expected = torch_softmax(x.double()).to(dtype)
    torch.testing.assert_close(triton_softmax(x), expected, rtol=2e-3, atol=1e-5)
""",
)

MATMUL = Sources(
    "import torch\n\n\ndef torch_matmul(a, b):\n    return torch.matmul(a, b)\n",
    """
import torch
import triton
import triton.language as tl


@triton.jit
def matmul_kernel(
    a_ptr, b_ptr, c_ptr, M, N, K, stride_am, stride_ak, stride_bk, stride_bn, stride_cm, stride_cn,
    BLOCK_M: tl.constexpr, BLOCK_N: tl.constexpr, BLOCK_K: tl.constexpr,
):
    pid_m = tl.program_id(0)
    pid_n = tl.program_id(1)
    rm = pid_m * BLOCK_M + tl.arange(0, BLOCK_M)
    rn = pid_n * BLOCK_N + tl.arange(0, BLOCK_N)
    rk = tl.arange(0, BLOCK_K)
    acc = tl.zeros((BLOCK_M, BLOCK_N), dtype=tl.float32)
    for k in range(0, K, BLOCK_K):
        ks = k + rk
        a_mask = (rm[:, None] < M) & (ks[None, :] < K)
        b_mask = (ks[:, None] < K) & (rn[None, :] < N)
        a = tl.load(a_ptr + rm[:, None] * stride_am + ks[None, :] * stride_ak, mask=a_mask, other=0.0)
        b = tl.load(b_ptr + ks[:, None] * stride_bk + rn[None, :] * stride_bn, mask=b_mask, other=0.0)
        acc = tl.dot(a, b, acc, input_precision="ieee")
    c_mask = (rm[:, None] < M) & (rn[None, :] < N)
    c_ptrs = c_ptr + rm[:, None] * stride_cm + rn[None, :] * stride_cn
    tl.store(c_ptrs, acc.to(c_ptr.dtype.element_ty), mask=c_mask)


def triton_matmul(a, b):
    M, K = a.shape
    N = b.shape[1]
    c = torch.empty((M, N), device=a.device, dtype=a.dtype)
    grid = (triton.cdiv(M, 32), triton.cdiv(N, 32))
    matmul_kernel[grid](
        a, b, c, M, N, K, a.stride(0), a.stride(1), b.stride(0), b.stride(1), c.stride(0), c.stride(1),
        BLOCK_M=32, BLOCK_N=32, BLOCK_K=32, num_warps=4, num_stages=2,
    )
    return c
""",
    HEADER
    + CHECK_CLOSE
    + """

@pytest.mark.parametrize("dtype", [torch.float32, torch.bfloat16])
@pytest.mark.parametrize("shape", [(33, 47, 70), (64, 32, 64)])
def test_matmul(shape, dtype):
    M, N, K = shape
    a = torch.randn(M, K, device="cuda").to(dtype)
    b = torch.randn(K, N, device="cuda").to(dtype)
    expected = torch_matmul(a.double(), b.double()).to(dtype)
    check_close(triton_matmul(a, b), expected, {torch.float32: 1e-5, torch.bfloat16: 1.6e-2}[dtype])
""",
)

AUTOTUNED = Sources(
    "import torch\n\n\ndef torch_double(x):\n    return x + x\n",
    """
import torch
import triton
import triton.language as tl


@triton.autotune(
    configs=[
        triton.Config({"BLOCK_SIZE": 128}, num_warps=2),
        triton.Config({"BLOCK_SIZE": 512}, num_warps=4),
    ],
    key=["n"],
)
@triton.jit
def double_kernel(x_ptr, out_ptr, n, BLOCK_SIZE: tl.constexpr):
    offsets = tl.program_id(0) * BLOCK_SIZE + tl.arange(0, BLOCK_SIZE)
    mask = offsets < n
    x = tl.load(x_ptr + offsets, mask=mask)
    tl.store(out_ptr + offsets, x + x, mask=mask)


def triton_double(x):
    out = torch.empty_like(x)
    n = x.numel()
    double_kernel[lambda meta: (triton.cdiv(n, meta["BLOCK_SIZE"]),)](x, out, n)
    return out
""",
    HEADER
    + """
@pytest.mark.parametrize("n", [100, 1000])
def test_double(n):
    x = torch.randn(n, device="cuda")
    torch.testing.assert_close(triton_double(x), torch_double(x), rtol=0, atol=0)
""",
)

TWO_KERNELS = Sources(
    "import torch\n\n\ndef torch_total(x):\n    return x.sum()\n",
    """
import torch
import triton
import triton.language as tl


@triton.jit
def total_partial_kernel(x_ptr, partial_ptr, n, BLOCK_SIZE: tl.constexpr):
    pid = tl.program_id(0)
    offsets = pid * BLOCK_SIZE + tl.arange(0, BLOCK_SIZE)
    x = tl.load(x_ptr + offsets, mask=offsets < n, other=0.0)
    tl.store(partial_ptr + pid, tl.sum(x, axis=0))


@triton.jit
def total_final_kernel(partial_ptr, out_ptr, n, BLOCK_SIZE: tl.constexpr):
    offsets = tl.arange(0, BLOCK_SIZE)
    x = tl.load(partial_ptr + offsets, mask=offsets < n, other=0.0)
    tl.store(out_ptr, tl.sum(x, axis=0))


def triton_total(x):
    n = x.numel()
    blocks = triton.cdiv(n, 256)
    partial = torch.empty(blocks, device=x.device)
    out = torch.empty((), device=x.device)
    total_partial_kernel[(blocks,)](x, partial, n, BLOCK_SIZE=256)
    total_final_kernel[(1,)](partial, out, blocks, BLOCK_SIZE=triton.next_power_of_2(blocks))
    return out
""",
    HEADER
    + """
@pytest.mark.parametrize("n", [1, 700, 1024])
def test_total(n):
    x = torch.randn(n, device="cuda")
    torch.testing.assert_close(triton_total(x), torch_total(x), rtol=1e-4, atol=1e-4)
""",
)

ATOMIC = Sources(
    "import torch\n\n\ndef torch_total(x):\n    return x.sum()\n",
    """
import torch
import triton
import triton.language as tl


@triton.jit
def total_kernel(x_ptr, out_ptr, n, BLOCK_SIZE: tl.constexpr):
    offsets = tl.program_id(0) * BLOCK_SIZE + tl.arange(0, BLOCK_SIZE)
    x = tl.load(x_ptr + offsets, mask=offsets < n, other=0.0)
    tl.atomic_add(out_ptr, tl.sum(x, axis=0))


def triton_total(x):
    out = torch.zeros((), device=x.device)
    total_kernel[(triton.cdiv(x.numel(), 256),)](x, out, x.numel(), BLOCK_SIZE=256)
    return out
""",
    TWO_KERNELS.test_code,
    {"atomics": True},
)
