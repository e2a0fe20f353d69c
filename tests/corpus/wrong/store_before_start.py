# A halo is stored one element before the buffer
# threat: 3.1
# expect: memory
# <PYTHON>
def shift_left(x):
    return torch.cat([x[1:], x[:1] * 0])


# </PYTHON>

# <TRITON>
@triton.jit
def shift_kernel(x_ptr, y_ptr, n, BLOCK: tl.constexpr):
    i = tl.program_id(0) * BLOCK + tl.arange(0, BLOCK)
    x = tl.load(x_ptr + i, mask=i < n)
    tl.store(y_ptr + i - 1, x, mask=i < n)


def shift_left(x):
    y = torch.zeros_like(x)
    shift_kernel[(triton.cdiv(x.numel(), 64),)](x, y, x.numel(), BLOCK=64)
    return y


# </TRITON>

# <TEST>
def get_test_inputs():
    return (torch.randn(150, device="cuda"),)


# </TEST>
