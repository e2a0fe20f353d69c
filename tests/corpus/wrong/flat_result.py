# The result is flat where it should have the shape of the input
# threat: 2.7
# expect: shape
# <PYTHON>
def cube(x):
    return x * x * x


# </PYTHON>

# <TRITON>
@triton.jit
def cube_kernel(x_ptr, y_ptr, n, BLOCK: tl.constexpr):
    i = tl.program_id(0) * BLOCK + tl.arange(0, BLOCK)
    x = tl.load(x_ptr + i, mask=i < n)
    tl.store(y_ptr + i, x * x * x, mask=i < n)


def cube(x):
    y = torch.empty(x.numel(), device=x.device)
    cube_kernel[(triton.cdiv(x.numel(), 128),)](x, y, x.numel(), BLOCK=128)
    return y


# </TRITON>

# <TEST>
def get_test_inputs():
    return (torch.randn(12, 11, device="cuda"),)


# </TEST>
