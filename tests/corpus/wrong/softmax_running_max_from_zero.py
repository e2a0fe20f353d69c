# The running maximum begins at zero: rows far below zero underflow
# threat: 1.4
# expect: numerics
# naive: passes
# <PYTHON>
def softmax(x):
    return torch.softmax(x, dim=-1)


# </PYTHON>

# <TRITON>
@triton.jit
def softmax_kernel(x_ptr, y_ptr, n, BLOCK: tl.constexpr):
    row = tl.program_id(0)
    peak = 0.0
    for start in range(0, n, BLOCK):
        c = start + tl.arange(0, BLOCK)
        x = tl.load(x_ptr + row * n + c, mask=c < n, other=-float("inf"))
        peak = tl.maximum(peak, tl.max(x, axis=0))
    total = 0.0
    for start in range(0, n, BLOCK):
        c = start + tl.arange(0, BLOCK)
        x = tl.load(x_ptr + row * n + c, mask=c < n, other=-float("inf"))
        total += tl.sum(tl.exp(x - peak), axis=0)
    for start in range(0, n, BLOCK):
        c = start + tl.arange(0, BLOCK)
        x = tl.load(x_ptr + row * n + c, mask=c < n, other=0.0)
        tl.store(y_ptr + row * n + c, tl.exp(x - peak) / total, mask=c < n)


def softmax(x):
    x = x.contiguous()
    y = torch.empty_like(x)
    softmax_kernel[(x.shape[0],)](x, y, x.shape[1], BLOCK=32)
    return y


# </TRITON>

# <TEST>
def get_test_inputs():
    return (torch.randn(8, 80, device="cuda"),)


# </TEST>
