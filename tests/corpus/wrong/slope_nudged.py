# A slope of 0.0101 for 0.01
# threat: 1.3
# expect: numerics
# naive: passes
# <PYTHON>
def leaky_relu(x):
    return F.leaky_relu(x, 0.01)


# </PYTHON>

# <TRITON>
@triton.jit
def leaky_relu_kernel(x_ptr, y_ptr, n, BLOCK: tl.constexpr):
    i = tl.program_id(0) * BLOCK + tl.arange(0, BLOCK)
    x = tl.load(x_ptr + i, mask=i < n)
    tl.store(y_ptr + i, tl.where(x > 0, x, 0.0101 * x), mask=i < n)


def leaky_relu(x):
    y = torch.empty_like(x)
    leaky_relu_kernel[(triton.cdiv(x.numel(), 128),)](x, y, x.numel(), BLOCK=128)
    return y


# </TRITON>

# <TEST>
def get_test_inputs():
    return (torch.randn(500, device="cuda"),)


# </TEST>
