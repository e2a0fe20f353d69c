# The mask of the store is rounded up to a multiple of four
# threat: 3.1
# expect: memory
# naive: passes
# <PYTHON>
def negate(x):
    return -x


# </PYTHON>

# <TRITON>
@triton.jit
def negate_kernel(x_ptr, y_ptr, n, BLOCK: tl.constexpr):
    i = tl.program_id(0) * BLOCK + tl.arange(0, BLOCK)
    x = tl.load(x_ptr + i, mask=i < n, other=0.0)
    tl.store(y_ptr + i, -x, mask=i < (n + 3) // 4 * 4)


def negate(x):
    y = torch.empty_like(x)
    negate_kernel[(triton.cdiv(x.numel(), 64),)](x, y, x.numel(), BLOCK=64)
    return y


# </TRITON>

# <TEST>
def get_test_inputs():
    return (torch.randn(300, device="cuda"),)


# </TEST>
