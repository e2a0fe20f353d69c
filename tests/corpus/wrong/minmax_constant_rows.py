# (x - min) / (max - min) without the guard for rows that are constant
# threat: 1.4
# expect: numerics
# naive: passes
# <PYTHON>
def minmax(x):
    low = x.amin(-1, keepdim=True)
    high = x.amax(-1, keepdim=True)
    return (x - low) / (high - low).clamp_min(1e-12)


# </PYTHON>

# <TRITON>
@triton.jit
def minmax_kernel(x_ptr, y_ptr, n, BLOCK: tl.constexpr):
    row = tl.program_id(0)
    c = tl.arange(0, BLOCK)
    low = tl.min(tl.load(x_ptr + row * n + c, mask=c < n, other=float("inf")))
    high = tl.max(tl.load(x_ptr + row * n + c, mask=c < n, other=-float("inf")))
    x = tl.load(x_ptr + row * n + c, mask=c < n, other=0.0)
    tl.store(y_ptr + row * n + c, (x - low) / (high - low), mask=c < n)


def minmax(x):
    y = torch.empty_like(x)
    minmax_kernel[(x.shape[0],)](x, y, x.shape[1], BLOCK=triton.next_power_of_2(x.shape[1]))
    return y


# </TRITON>

# <TEST>
def get_test_inputs():
    return (torch.randn(6, 50, device="cuda"),)


# </TEST>
