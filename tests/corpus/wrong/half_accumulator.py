# A long sum of float16 kept in float16
# threat: 1.5
# expect: numerics
# naive: passes
# <PYTHON>
def row_sum(x):
    return x.sum(-1)


# </PYTHON>

# <TRITON>
@triton.jit
def row_sum_kernel(x_ptr, y_ptr, n, BLOCK: tl.constexpr):
    row = tl.program_id(0)
    acc = tl.zeros((BLOCK,), tl.float16)
    for start in range(0, n, BLOCK):
        c = start + tl.arange(0, BLOCK)
        acc += tl.load(x_ptr + row * n + c, mask=c < n, other=0.0)
    tl.store(y_ptr + row, tl.sum(acc))


def row_sum(x):
    y = torch.empty(x.shape[0], device=x.device, dtype=x.dtype)
    row_sum_kernel[(x.shape[0],)](x, y, x.shape[1], BLOCK=16)
    return y


# </TRITON>

# <TEST>
def get_test_inputs():
    return (torch.randn(4, 2000, device="cuda", dtype=torch.float16),)


# </TEST>
