# The wrapper calls an nn.Module whose forward launches the kernel
# <PYTHON>
import torch
import torch.nn as nn


class Model(nn.Module):
    def forward(self, x):
        return torch.clamp(x + 3, 0, 6) / 6 * x


def hardswish(x):
    return Model()(x)


# </PYTHON>

# <TRITON>
import torch
import torch.nn as nn
import triton
import triton.language as tl


@triton.jit
def hardswish_kernel(x_ptr, out_ptr, n_elements, BLOCK_SIZE: tl.constexpr):
    offsets = tl.program_id(0) * BLOCK_SIZE + tl.arange(0, BLOCK_SIZE)
    mask = offsets < n_elements
    x = tl.load(x_ptr + offsets, mask=mask, other=0.0)
    relu6 = tl.minimum(tl.maximum(x + 3.0, 0.0), 6.0)
    tl.store(out_ptr + offsets, x * relu6 / 6.0, mask=mask)


class ModelNew(nn.Module):
    def __init__(self):
        super().__init__()
        self.block_size = 256

    def forward(self, x):
        x = x.contiguous()
        out = torch.empty_like(x)
        n = x.numel()
        hardswish_kernel[((n + self.block_size - 1) // self.block_size,)](x, out, n, BLOCK_SIZE=self.block_size)
        return out


def hardswish(x):
    return ModelNew()(x)


# </TRITON>

# <TEST>
import torch


def get_test_inputs():
    return (torch.randn(5, 120, device="cuda"),)


# </TEST>
