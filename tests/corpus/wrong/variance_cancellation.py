# E[x^2] - E[x]^2 in float32
# threat: 1.4
# expect: numerics
# naive: passes
# <PYTHON>
def batch_statistics(x):
    return x.mean(dim=0), x.var(dim=0, correction=0)


# </PYTHON>

# <TRITON>
@triton.jit
def stats_kernel(x_ptr, mean_ptr, var_ptr, rows, cols, BLOCK: tl.constexpr):
    c = tl.program_id(0) * BLOCK + tl.arange(0, BLOCK)
    s = tl.zeros((BLOCK,), tl.float32)
    ss = tl.zeros((BLOCK,), tl.float32)
    for r in range(rows):
        x = tl.load(x_ptr + r * cols + c, mask=c < cols, other=0.0)
        s += x
        ss += x * x
    mean = s / rows
    tl.store(mean_ptr + c, mean, mask=c < cols)
    tl.store(var_ptr + c, ss / rows - mean * mean, mask=c < cols)


def batch_statistics(x):
    rows, cols = x.shape
    mean = torch.empty(cols, device=x.device)
    var = torch.empty(cols, device=x.device)
    stats_kernel[(triton.cdiv(cols, 32),)](x, mean, var, rows, cols, BLOCK=32)
    return mean, var


# </TRITON>

# <TEST>
def get_test_inputs():
    return (torch.randn(50, 40, device="cuda"),)


# </TEST>
