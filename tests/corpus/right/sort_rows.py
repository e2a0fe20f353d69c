# Values of each row in ascending order
# <PYTHON>
def sort_rows(x):
    return torch.sort(x, dim=-1).values


# </PYTHON>

# <TRITON>
@triton.jit
def sort_kernel(x_ptr, y_ptr, n, BLOCK: tl.constexpr):
    row = tl.program_id(0)
    c = tl.arange(0, BLOCK)
    x = tl.load(x_ptr + row * n + c, mask=c < n, other=float("inf"))
    tl.store(y_ptr + row * n + c, tl.sort(x), mask=c < n)


def sort_rows(x):
    x = x.contiguous()
    y = torch.empty_like(x)
    sort_kernel[(x.shape[0],)](x, y, x.shape[1], BLOCK=max(2, triton.next_power_of_2(x.shape[1])))
    return y


# </TRITON>

# <TEST>
def get_test_inputs():
    return (torch.randn(6, 27, device="cuda"),)


# </TEST>
