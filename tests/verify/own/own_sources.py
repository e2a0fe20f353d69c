"""Hand-written pairs whose own tests are too weak, so that only the gate's trials see a fault."""

from __future__ import annotations

from verify_sources import Sources

HEADER = "import pytest\nimport torch\n\n"
IMPORTS = "import torch\nimport triton\nimport triton.language as tl\n\n\n"

MAKE_VECTOR = """
SHAPES = [(256,), (512,)]


def make_inputs(N, dtype, magnitude=1.0, seed=0):
    generator = torch.Generator(device="cuda").manual_seed(seed)
    return (torch.randn(N, generator=generator, device="cuda").to(dtype) * magnitude,)
"""

CLOSE = """

@pytest.mark.parametrize("shape", SHAPES)
@pytest.mark.parametrize("dtype", [torch.float32])
def test_pair(shape, dtype):
    inputs = make_inputs(*shape, dtype)
    expected = reference(*[t.double() if torch.is_tensor(t) else t for t in inputs]).to(dtype)
    torch.testing.assert_close(wrapper(*inputs), expected, rtol=1e-5, atol=1e-5)
"""

VECTOR = Sources(
    "import torch\n\n\ndef reference(x):\n    return x * 3 + 1\n",
    IMPORTS
    + """
@triton.jit
def kernel(x_ptr, out_ptr, n, BLOCK: tl.constexpr):
    offsets = tl.program_id(0) * BLOCK + tl.arange(0, BLOCK)
    mask = offsets < n
    x = tl.load(x_ptr + offsets, mask=mask)
    tl.store(out_ptr + offsets, x * 3 + 1, mask=mask)


def wrapper(x):
    out = torch.empty_like(x)
    n = x.numel()
    kernel[(triton.cdiv(n, 256),)](x, out, n, BLOCK=256)
    return out
""",
    HEADER + MAKE_VECTOR + CLOSE,
)

MAKE_MATRIX = """
SHAPES = [(4, 32), (7, 31)]


def make_inputs(M, N, dtype, magnitude=1.0, seed=0):
    generator = torch.Generator(device="cuda").manual_seed(seed)
    return (torch.randn((M, N), generator=generator, device="cuda").to(dtype) * magnitude,)
"""

MATRIX = Sources(
    "import torch\n\n\ndef reference(x):\n    return x * 2\n",
    IMPORTS
    + """
@triton.jit
def kernel(x_ptr, out_ptr, n_cols, x_row, x_col, out_row, out_col, BLOCK: tl.constexpr):
    row = tl.program_id(0)
    cols = tl.arange(0, BLOCK)
    mask = cols < n_cols
    x = tl.load(x_ptr + row * x_row + cols * x_col, mask=mask)
    tl.store(out_ptr + row * out_row + cols * out_col, x * 2, mask=mask)


def wrapper(x):
    M, N = x.shape
    out = torch.empty((M, N), device=x.device, dtype=x.dtype)
    block = triton.next_power_of_2(N)
    kernel[(M,)](
        x, out, N, x.stride(0), x.stride(1), out.stride(0), out.stride(1), BLOCK=block
    )
    return out
""",
    HEADER + MAKE_MATRIX + CLOSE,
)

CONTIGUOUS = Sources(
    MATRIX.python_code,
    IMPORTS
    + """
@triton.jit
def kernel(x_ptr, out_ptr, n, BLOCK: tl.constexpr):
    offsets = tl.program_id(0) * BLOCK + tl.arange(0, BLOCK)
    mask = offsets < n
    tl.store(out_ptr + offsets, tl.load(x_ptr + offsets, mask=mask) * 2, mask=mask)


def wrapper(x):
    x = x.contiguous()
    out = torch.empty(x.shape, device=x.device, dtype=x.dtype)
    kernel[(triton.cdiv(x.numel(), 32),)](x, out, x.numel(), BLOCK=32)
    return out
""",
    MATRIX.test_code,
    {"layouts": {"x": "any"}},
)

VARIANCE = Sources(
    "import torch\n\n\ndef reference(x):\n    return x.var(-1, correction=0)\n",
    IMPORTS
    + """
@triton.jit
def kernel(x_ptr, out_ptr, n_cols, BLOCK: tl.constexpr):
    row = tl.program_id(0)
    cols = tl.arange(0, BLOCK)
    mask = cols < n_cols
    x = tl.load(x_ptr + row * n_cols + cols, mask=mask, other=0.0)
    mean = tl.sum(x, axis=0) / n_cols
    centered = tl.where(mask, x - mean, 0.0)
    tl.store(out_ptr + row, tl.sum(centered * centered, axis=0) / n_cols)


def wrapper(x):
    x = x.contiguous()
    M, N = x.shape
    out = torch.empty((M,), device=x.device, dtype=x.dtype)
    kernel[(M,)](x, out, N, BLOCK=triton.next_power_of_2(N))
    return out
""",
    HEADER + MAKE_MATRIX + CLOSE,
)

SCALED = Sources(
    "import torch\n\n\ndef reference(x, alpha):\n    return x * alpha\n",
    IMPORTS
    + """
@triton.jit
def kernel(x_ptr, out_ptr, alpha, n, BLOCK: tl.constexpr):
    offsets = tl.program_id(0) * BLOCK + tl.arange(0, BLOCK)
    mask = offsets < n
    tl.store(out_ptr + offsets, tl.load(x_ptr + offsets, mask=mask) * alpha, mask=mask)


def wrapper(x, alpha):
    out = torch.empty_like(x)
    kernel[(triton.cdiv(x.numel(), 256),)](x, out, alpha, x.numel(), BLOCK=256)
    return out
""",
    HEADER + MAKE_VECTOR.replace("magnitude,)\n", "magnitude, 0.625)\n") + CLOSE,
)

LOOPED = Sources(
    VECTOR.python_code,
    IMPORTS
    + """
@triton.jit
def kernel(x_ptr, out_ptr, n, BLOCK: tl.constexpr):
    pid = tl.program_id(0)
    step = tl.num_programs(0)
    for tile in range(pid, tl.cdiv(n, BLOCK), step):
        offsets = tile * BLOCK + tl.arange(0, BLOCK)
        mask = offsets < n
        x = tl.load(x_ptr + offsets, mask=mask)
        tl.store(out_ptr + offsets, x * 3 + 1, mask=mask)


def wrapper(x):
    out = torch.empty_like(x)
    n = x.numel()
    sms = torch.cuda.get_device_properties(x.device).multi_processor_count
    kernel[(min(sms, triton.cdiv(n, 256)),)](x, out, n, BLOCK=256)
    return out
""",
    VECTOR.test_code,
)

PREFIX = Sources(
    "import torch\n\n\ndef reference(x):\n    return x.cumsum(0)\n",
    IMPORTS
    + """
@triton.jit
def kernel(x_ptr, out_ptr, n, BLOCK: tl.constexpr):
    pid = tl.program_id(0)
    offsets = pid * BLOCK + tl.arange(0, BLOCK)
    mask = offsets < n
    before = tl.load(out_ptr + tl.maximum(pid * BLOCK - 1, 0))
    before = tl.where(pid > 0, before, 0.0)
    x = tl.load(x_ptr + offsets, mask=mask, other=0.0)
    tl.store(out_ptr + offsets, before + tl.cumsum(x, axis=0), mask=mask)


def wrapper(x):
    out = torch.empty_like(x)
    n = x.numel()
    kernel[(triton.cdiv(n, 256),)](x, out, n, BLOCK=256)
    return out
""",
    VECTOR.test_code.replace("rtol=1e-5, atol=1e-5", "rtol=1e-4, atol=1e-4"),
)

HALF = Sources(
    VECTOR.python_code,
    VECTOR.triton_code,
    VECTOR.test_code.replace("[torch.float32]", "[torch.float16, torch.bfloat16]").replace(
        "rtol=1e-5, atol=1e-5", "rtol=2e-2, atol=2e-2"
    ),
)
