# Leaky ReLU with the slope as an argument
# <PYTHON>
def leaky_relu(x, negative_slope: float = 0.01):
    return F.leaky_relu(x, negative_slope)


# </PYTHON>

# <TRITON>
@triton.jit
def leaky_relu_kernel(x_ptr, y_ptr, negative_slope, numel, BLOCK_SIZE: tl.constexpr):
    offsets = tl.program_id(0) * BLOCK_SIZE + tl.arange(0, BLOCK_SIZE)
    mask = offsets < numel
    x = tl.load(x_ptr + offsets, mask=mask)
    tl.store(y_ptr + offsets, tl.where(x >= 0, x, negative_slope * x), mask=mask)


def leaky_relu(x, negative_slope: float = 0.01):
    y = torch.empty_like(x)
    leaky_relu_kernel[(triton.cdiv(x.numel(), 256),)](x, y, negative_slope, x.numel(), BLOCK_SIZE=256)
    return y


# </TRITON>

# <TEST>
def get_test_inputs():
    return (torch.randn(1030, device="cuda"), 0.2)


# </TEST>
