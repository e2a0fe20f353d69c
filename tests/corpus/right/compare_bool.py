# A comparison with a boolean result
# <PYTHON>
def in_range(x, low: float, high: float):
    return (x >= low) & (x < high)


# </PYTHON>

# <TRITON>
@triton.jit
def in_range_kernel(x_ptr, out_ptr, low, high, n, BLOCK: tl.constexpr):
    i = tl.program_id(0) * BLOCK + tl.arange(0, BLOCK)
    x = tl.load(x_ptr + i, mask=i < n, other=0.0)
    tl.store(out_ptr + i, (x >= low) & (x < high), mask=i < n)


def in_range(x, low, high):
    out = torch.empty(x.shape, dtype=torch.bool, device=x.device)
    in_range_kernel[(triton.cdiv(x.numel(), 128),)](x.contiguous(), out, low, high, x.numel(), BLOCK=128)
    return out


# </TRITON>

# <TEST>
def get_test_inputs():
    return torch.randn(20, 17, device="cuda"), -0.5, 1.0


# </TEST>
