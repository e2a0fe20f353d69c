# The window at the end of a row reaches into the next row of the same buffer
# threat: 3.3
# expect: numerics|memory
# <PYTHON>
def smooth(x):
    return (x + F.pad(x, (0, 1))[:, 1:]) / 2


# </PYTHON>

# <TRITON>
@triton.jit
def smooth_kernel(x_ptr, y_ptr, rows, n, BLOCK: tl.constexpr):
    row = tl.program_id(0)
    c = tl.arange(0, BLOCK)
    at = row * n + c
    a = tl.load(x_ptr + at, mask=c < n, other=0.0)
    b = tl.load(x_ptr + at + 1, mask=(c < n) & (at + 1 < rows * n), other=0.0)
    tl.store(y_ptr + at, (a + b) / 2, mask=c < n)


def smooth(x):
    y = torch.empty_like(x)
    smooth_kernel[(x.shape[0],)](x, y, x.shape[0], x.shape[1], BLOCK=triton.next_power_of_2(x.shape[1]))
    return y


# </TRITON>

# <TEST>
def get_test_inputs():
    return (torch.randn(5, 30, device="cuda"),)


# </TEST>
