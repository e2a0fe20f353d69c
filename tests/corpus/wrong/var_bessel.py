# N - 1 for N, at N = 1024
# threat: 1.3
# expect: numerics
# naive: passes
# <PYTHON>
def variance(x):
    return x.var(dim=-1, unbiased=False)


# </PYTHON>

# <TRITON>
@triton.jit
def var_kernel(x_ptr, y_ptr, n, BLOCK: tl.constexpr):
    row = tl.program_id(0)
    c = tl.arange(0, BLOCK)
    x = tl.load(x_ptr + row * n + c, mask=c < n, other=0.0)
    mean = tl.sum(x) / n
    d = tl.where(c < n, x - mean, 0.0)
    tl.store(y_ptr + row, tl.sum(d * d) / (n - 1))


def variance(x):
    y = torch.empty(x.shape[0], device=x.device)
    var_kernel[(x.shape[0],)](x, y, x.shape[1], BLOCK=triton.next_power_of_2(x.shape[1]))
    return y


# </TRITON>

# <TEST>
def get_test_inputs():
    return (torch.randn(3, 1024, device="cuda"),)


# </TEST>
