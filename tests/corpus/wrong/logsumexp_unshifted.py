# logsumexp without the shift
# threat: 1.4
# expect: numerics
# naive: passes
# <PYTHON>
def logsumexp(x):
    return torch.logsumexp(x, dim=1)


# </PYTHON>

# <TRITON>
@triton.jit
def lse_kernel(x_ptr, y_ptr, n, BLOCK: tl.constexpr):
    row = tl.program_id(0)
    acc = 0.0
    for start in range(0, n, BLOCK):
        c = start + tl.arange(0, BLOCK)
        acc += tl.sum(tl.exp(tl.load(x_ptr + row * n + c, mask=c < n, other=-float("inf"))))
    tl.store(y_ptr + row, tl.log(acc))


def logsumexp(x):
    y = torch.empty(x.shape[0], device=x.device)
    lse_kernel[(x.shape[0],)](x, y, x.shape[1], BLOCK=32)
    return y


# </TRITON>

# <TEST>
def get_test_inputs():
    return (torch.randn(10, 70, device="cuda"),)


# </TEST>
