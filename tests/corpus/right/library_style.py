# Types, a dataclass, __all__, no_grad and constants, as in a package
# <PYTHON>
from typing import Optional

import torch


def scaled_square(x: torch.Tensor, bias: Optional[torch.Tensor] = None) -> torch.Tensor:
    y = x * x * 0.5
    if bias is not None:
        y = y + bias
    return y


# </PYTHON>

# <TRITON>
from __future__ import annotations

from dataclasses import dataclass
from typing import Optional

import torch
import triton
import triton.language as tl

__all__ = ["scaled_square"]

HALF: tl.constexpr = tl.constexpr(0.5)


@dataclass(frozen=True)
class LaunchConfig:
    """How the kernel is launched."""

    block: int = 128
    num_warps: int = 4


_CONFIG = LaunchConfig()


@triton.jit
def _scaled_square_kernel(x_ptr, bias_ptr, y_ptr, n, cols, HAS_BIAS: tl.constexpr, BLOCK: tl.constexpr):
    i = tl.program_id(0) * BLOCK + tl.arange(0, BLOCK)
    x = tl.load(x_ptr + i, mask=i < n)
    y = x * x * HALF
    if HAS_BIAS:
        y += tl.load(bias_ptr + i % cols, mask=i < n)
    tl.store(y_ptr + i, y, mask=i < n)


@torch.no_grad()
def scaled_square(x: torch.Tensor, bias: Optional[torch.Tensor] = None) -> torch.Tensor:
    """0.5 * x**2, and a bias of the last dimension."""
    x = x.contiguous()
    y = torch.empty_like(x)
    n, cols = x.numel(), x.shape[-1]
    _scaled_square_kernel[(triton.cdiv(n, _CONFIG.block),)](
        x, bias, y, n, cols, HAS_BIAS=bias is not None, BLOCK=_CONFIG.block, num_warps=_CONFIG.num_warps
    )
    return y


# </TRITON>

# <TEST>
import torch


def get_test_inputs():
    return torch.randn(6, 70, device="cuda"), torch.randn(70, device="cuda")


# </TEST>
