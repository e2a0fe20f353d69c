# The reference draws a dropout mask of its own
# threat: 6.2
# expect: reference
# status: FAILED
# <PYTHON>
def dropout(x):
    return F.dropout(x, p=0.5, training=True)


# </PYTHON>

# <TRITON>
@triton.jit
def dropout_kernel(x_ptr, y_ptr, n, seed, BLOCK: tl.constexpr):
    i = tl.program_id(0) * BLOCK + tl.arange(0, BLOCK)
    x = tl.load(x_ptr + i, mask=i < n)
    keep = tl.rand(seed, i) > 0.5
    tl.store(y_ptr + i, tl.where(keep, x * 2.0, 0.0), mask=i < n)


def dropout(x):
    y = torch.empty_like(x)
    dropout_kernel[(triton.cdiv(x.numel(), 64),)](x, y, x.numel(), 123, BLOCK=64)
    return y


# </TRITON>

# <TEST>
def get_test_inputs():
    return (torch.randn(200, device="cuda"),)


# </TEST>
