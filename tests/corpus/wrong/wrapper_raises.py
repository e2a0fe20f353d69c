# The wrapper refuses the very inputs that were given
# threat: 3.9
# expect: exception
# <PYTHON>
def double(x):
    return x + x


# </PYTHON>

# <TRITON>
@triton.jit
def double_kernel(x_ptr, y_ptr, n, BLOCK: tl.constexpr):
    i = tl.program_id(0) * BLOCK + tl.arange(0, BLOCK)
    x = tl.load(x_ptr + i, mask=i < n)
    tl.store(y_ptr + i, x + x, mask=i < n)


def double(x):
    if x.numel() % 64:
        raise ValueError("only multiples of 64 are supported")
    y = torch.empty_like(x)
    double_kernel[(x.numel() // 64,)](x, y, x.numel(), BLOCK=64)
    return y


# </TRITON>

# <TEST>
def get_test_inputs():
    return (torch.randn(200, device="cuda"),)


# </TEST>
