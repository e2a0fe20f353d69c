# (rows,) for (rows, 1)
# threat: 2.7
# expect: shape
# <PYTHON>
def row_sum(x):
    return x.sum(-1, keepdim=True)


# </PYTHON>

# <TRITON>
@triton.jit
def row_sum_kernel(x_ptr, y_ptr, n, BLOCK: tl.constexpr):
    row = tl.program_id(0)
    c = tl.arange(0, BLOCK)
    tl.store(y_ptr + row, tl.sum(tl.load(x_ptr + row * n + c, mask=c < n, other=0.0)))


def row_sum(x):
    y = torch.empty(x.shape[0], device=x.device)
    row_sum_kernel[(x.shape[0],)](x, y, x.shape[1], BLOCK=triton.next_power_of_2(x.shape[1]))
    return y


# </TRITON>

# <TEST>
def get_test_inputs():
    return (torch.randn(7, 33, device="cuda"),)


# </TEST>
