# get_test_inputs gives keyword arguments
# <PYTHON>
def clamp(x, low, high):
    return torch.clamp(x, min=low, max=high)


# </PYTHON>

# <TRITON>
@triton.jit
def clamp_kernel(x_ptr, y_ptr, low, high, n, BLOCK: tl.constexpr):
    i = tl.program_id(0) * BLOCK + tl.arange(0, BLOCK)
    x = tl.load(x_ptr + i, mask=i < n)
    tl.store(y_ptr + i, tl.minimum(tl.maximum(x, low), high), mask=i < n)


def clamp(x, low, high):
    y = torch.empty_like(x)
    clamp_kernel[(triton.cdiv(x.numel(), 128),)](x, y, low, high, x.numel(), BLOCK=128)
    return y


# </TRITON>

# <TEST>
def get_test_inputs():
    return {"x": torch.randn(220, device="cuda"), "low": -0.7, "high": 0.9}


# </TEST>
