# ReLU over a flat tensor, as in every tutorial
# <PYTHON>
import torch


def relu(x: torch.Tensor) -> torch.Tensor:
    return torch.relu(x)


# </PYTHON>

# <TRITON>
import torch
import triton
import triton.language as tl


@triton.jit
def relu_kernel(x_ptr, y_ptr, n_elements, BLOCK_SIZE: tl.constexpr):
    pid = tl.program_id(axis=0)
    block_start = pid * BLOCK_SIZE
    offsets = block_start + tl.arange(0, BLOCK_SIZE)
    mask = offsets < n_elements
    x = tl.load(x_ptr + offsets, mask=mask)
    y = tl.where(x > 0, x, 0.0)
    tl.store(y_ptr + offsets, y, mask=mask)


def relu_triton(x: torch.Tensor) -> torch.Tensor:
    y = torch.empty_like(x)
    n_elements = x.numel()
    grid = lambda meta: (triton.cdiv(n_elements, meta["BLOCK_SIZE"]),)
    relu_kernel[grid](x, y, n_elements, BLOCK_SIZE=256)
    return y


# </TRITON>

# <TEST>
def get_test_inputs():
    return (torch.randn(1000, device="cuda"),)


# </TEST>
