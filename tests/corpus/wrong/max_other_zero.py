# A row maximum whose masked lanes count as zero: wrong for rows that are negative
# threat: 1.2
# expect: numerics|memory|repeat
# <PYTHON>
def row_max(x):
    return x.max(dim=-1).values


# </PYTHON>

# <TRITON>
@triton.jit
def row_max_kernel(x_ptr, y_ptr, n, BLOCK: tl.constexpr):
    row = tl.program_id(0)
    c = tl.arange(0, BLOCK)
    x = tl.load(x_ptr + row * n + c, mask=c < n, other=0.0)
    tl.store(y_ptr + row, tl.max(x, axis=0))


def row_max(x):
    y = torch.empty(x.shape[0], device=x.device)
    row_max_kernel[(x.shape[0],)](x, y, x.shape[1], BLOCK=triton.next_power_of_2(x.shape[1]))
    return y


# </TRITON>

# <TEST>
def get_test_inputs():
    return (torch.randn(8, 3, device="cuda"),)


# </TEST>
