# Descending for ascending; the given rows are constant
# threat: 1.6
# expect: numerics
# naive: passes
# <PYTHON>
def sort(x):
    return x.sort(dim=-1).values


# </PYTHON>

# <TRITON>
@triton.jit
def sort_kernel(x_ptr, y_ptr, n, BLOCK: tl.constexpr):
    row = tl.program_id(0)
    c = tl.arange(0, BLOCK)
    x = tl.load(x_ptr + row * n + c, mask=c < n, other=-float("inf"))
    tl.store(y_ptr + row * n + c, tl.sort(x, descending=True), mask=c < n)


def sort(x):
    y = torch.empty_like(x)
    sort_kernel[(x.shape[0],)](x, y, x.shape[1], BLOCK=triton.next_power_of_2(x.shape[1]))
    return y


# </TRITON>

# <TEST>
def get_test_inputs():
    return (torch.ones(4, 20, device="cuda"),)


# </TEST>
