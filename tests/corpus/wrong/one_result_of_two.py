# The second result is left out
# threat: 2.7
# expect: type|shape
# <PYTHON>
def min_and_max(x):
    return x.amin(-1), x.amax(-1)


# </PYTHON>

# <TRITON>
@triton.jit
def min_kernel(x_ptr, y_ptr, n, BLOCK: tl.constexpr):
    row = tl.program_id(0)
    c = tl.arange(0, BLOCK)
    tl.store(y_ptr + row, tl.min(tl.load(x_ptr + row * n + c, mask=c < n, other=float("inf"))))


def min_and_max(x):
    y = torch.empty(x.shape[0], device=x.device)
    min_kernel[(x.shape[0],)](x, y, x.shape[1], BLOCK=triton.next_power_of_2(x.shape[1]))
    return y


# </TRITON>

# <TEST>
def get_test_inputs():
    return (torch.randn(6, 30, device="cuda"),)


# </TEST>
