# The rows of a block are not masked: at least one block of rows is assumed
# threat: 2.2
# expect: memory|numerics
# naive: passes
# <PYTHON>
def row_sum(x):
    return x.sum(1)


# </PYTHON>

# <TRITON>
@triton.jit
def row_sum_kernel(x_ptr, y_ptr, n, ROWS: tl.constexpr, COLS: tl.constexpr):
    r = tl.program_id(0) * ROWS + tl.arange(0, ROWS)
    c = tl.arange(0, COLS)
    x = tl.load(x_ptr + r[:, None] * n + c[None, :], mask=(c < n)[None, :], other=0.0)
    tl.store(y_ptr + r, tl.sum(x, axis=1))


def row_sum(x):
    y = torch.empty(x.shape[0], device=x.device)
    row_sum_kernel[(triton.cdiv(x.shape[0], 4),)](x, y, x.shape[1], ROWS=4, COLS=triton.next_power_of_2(x.shape[1]))
    return y


# </TRITON>

# <TEST>
def get_test_inputs():
    return (torch.randn(16, 30, device="cuda"),)


# </TEST>
