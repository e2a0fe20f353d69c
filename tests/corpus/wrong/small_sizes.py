# Fewer elements than a block: the mean is taken over the block
# threat: 2.2
# expect: numerics
# naive: passes
# <PYTHON>
def mean(x):
    return x.mean(-1)


# </PYTHON>

# <TRITON>
@triton.jit
def mean_kernel(x_ptr, y_ptr, n, BLOCK: tl.constexpr):
    row = tl.program_id(0)
    acc = tl.zeros((BLOCK,), tl.float32)
    for start in range(0, n, BLOCK):
        c = start + tl.arange(0, BLOCK)
        acc += tl.load(x_ptr + row * n + c, mask=c < n, other=0.0)
    tl.store(y_ptr + row, tl.sum(acc) / tl.maximum(n, BLOCK))


def mean(x):
    y = torch.empty(x.shape[0], device=x.device)
    mean_kernel[(x.shape[0],)](x, y, x.shape[1], BLOCK=64)
    return y


# </TRITON>

# <TEST>
def get_test_inputs():
    return (torch.randn(6, 100, device="cuda"),)


# </TEST>
