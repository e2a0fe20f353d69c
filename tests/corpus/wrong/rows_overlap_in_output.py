# Rows are stored in whole blocks, so each writes over the start of the next; one row was given
# threat: 3.3
# expect: numerics|memory|repeat
# naive: passes
# <PYTHON>
def exponential(x):
    return torch.exp(x)


# </PYTHON>

# <TRITON>
@triton.jit
def exp_kernel(x_ptr, y_ptr, total, n, BLOCK: tl.constexpr):
    row = tl.program_id(0)
    c = tl.arange(0, BLOCK)
    at = row * n + c
    x = tl.load(x_ptr + at, mask=c < n, other=0.0)
    tl.store(y_ptr + at, tl.exp(x), mask=at < total)


def exponential(x):
    y = torch.empty_like(x)
    exp_kernel[(x.shape[0],)](x, y, x.numel(), x.shape[1], BLOCK=triton.next_power_of_2(x.shape[1]))
    return y


# </TRITON>

# <TEST>
def get_test_inputs():
    return (torch.randn(1, 48, device="cuda"),)


# </TEST>
