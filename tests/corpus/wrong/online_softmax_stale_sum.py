# An online softmax that does not rescale its sum when the maximum grows; one tile was given
# threat: 2.3
# expect: numerics
# naive: passes
# <PYTHON>
def softmax(x):
    return F.softmax(x, dim=-1)


# </PYTHON>

# <TRITON>
@triton.jit
def softmax_kernel(x_ptr, y_ptr, n, BLOCK: tl.constexpr):
    row = tl.program_id(0)
    m = -float("inf")
    s = 0.0
    for start in range(0, n, BLOCK):
        c = start + tl.arange(0, BLOCK)
        x = tl.load(x_ptr + row * n + c, mask=c < n, other=-float("inf"))
        m = tl.maximum(m, tl.max(x))
        s = s + tl.sum(tl.exp(x - m))
    for start in range(0, n, BLOCK):
        c = start + tl.arange(0, BLOCK)
        x = tl.load(x_ptr + row * n + c, mask=c < n, other=0.0)
        tl.store(y_ptr + row * n + c, tl.exp(x - m) / s, mask=c < n)


def softmax(x):
    y = torch.empty_like(x)
    softmax_kernel[(x.shape[0],)](x, y, x.shape[1], BLOCK=128)
    return y


# </TRITON>

# <TEST>
def get_test_inputs():
    return (torch.randn(6, 100, device="cuda"),)


# </TEST>
