# float16 in and out, cast by torch before and after a float32 kernel
# <PYTHON>
def exp_half(x):
    return torch.exp(x.float() * 0.1).half()


# </PYTHON>

# <TRITON>
@triton.jit
def exp_kernel(x_ptr, y_ptr, n, BLOCK: tl.constexpr):
    i = tl.program_id(0) * BLOCK + tl.arange(0, BLOCK)
    x = tl.load(x_ptr + i, mask=i < n, other=0.0)
    tl.store(y_ptr + i, tl.exp(x * 0.1), mask=i < n)


def exp_half(x):
    wide = x.float()
    y = torch.empty_like(wide)
    exp_kernel[(triton.cdiv(x.numel(), 128),)](wide, y, x.numel(), BLOCK=128)
    return y.half()


# </TRITON>

# <TEST>
def get_test_inputs():
    return (torch.randn(300, device="cuda", dtype=torch.float16),)


# </TEST>
