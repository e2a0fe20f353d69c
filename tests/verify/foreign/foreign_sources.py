"""Sources of a small candidate, and ways to change them."""

from __future__ import annotations

PYTHON = """def twice(x):
    return torch.mul(x, 2)
"""
TRITON = """@triton.jit
def twice_kernel(x_ptr, out_ptr, n, BLOCK: tl.constexpr):
    offsets = tl.program_id(0) * BLOCK + tl.arange(0, BLOCK)
    mask = offsets < n
    x = tl.load(x_ptr + offsets, mask=mask)
    tl.store(out_ptr + offsets, x * 2, mask=mask)


def twice_triton(x):
    out = torch.empty_like(x)
    twice_kernel[(triton.cdiv(x.numel(), 64),)](x, out, x.numel(), BLOCK=64)
    return out
"""
TEST = """def get_test_inputs():
    return (torch.randn(200, device="cuda"),)
"""


def blocks(python: str = PYTHON, triton: str = TRITON, test: str = TEST) -> str:
    """The three sources as a file."""
    sources = {"PYTHON": python, "TRITON": triton, "TEST": test}
    return "\n".join([f"# <{name}>\n{text}# </{name}>" for name, text in sources.items()])
