# arange over a size that is no power of two
# threat: 3.9
# expect: compile|launch|exception
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
    y = torch.empty_like(x)
    double_kernel[(triton.cdiv(x.numel(), 100),)](x, y, x.numel(), BLOCK=100)
    return y


# </TRITON>

# <TEST>
def get_test_inputs():
    return (torch.randn(200, device="cuda"),)


# </TEST>
