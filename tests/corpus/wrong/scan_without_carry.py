# A cumulative sum that starts anew in every block; one block was given
# threat: 2.3
# expect: numerics
# naive: passes
# <PYTHON>
def cumsum(x):
    return x.cumsum(0)


# </PYTHON>

# <TRITON>
@triton.jit
def cumsum_kernel(x_ptr, y_ptr, n, BLOCK: tl.constexpr):
    i = tl.program_id(0) * BLOCK + tl.arange(0, BLOCK)
    x = tl.load(x_ptr + i, mask=i < n, other=0.0)
    tl.store(y_ptr + i, tl.cumsum(x, axis=0), mask=i < n)


def cumsum(x):
    y = torch.empty_like(x)
    cumsum_kernel[(triton.cdiv(x.numel(), 256),)](x, y, x.numel(), BLOCK=256)
    return y


# </TRITON>

# <TEST>
def get_test_inputs():
    return (torch.randn(200, device="cuda"),)


# </TEST>
