# sqrt(2 / pi) written as 0.797885 is right, as 0.7978 it is not
# threat: 1.3
# expect: numerics
# naive: passes
# <PYTHON>
def gelu_tanh(x):
    return F.gelu(x, approximate="tanh")


# </PYTHON>

# <TRITON>
@triton.jit
def gelu_kernel(x_ptr, y_ptr, n, BLOCK: tl.constexpr):
    i = tl.program_id(0) * BLOCK + tl.arange(0, BLOCK)
    x = tl.load(x_ptr + i, mask=i < n, other=0.0)
    z = 0.7978 * (x + 0.044715 * x * x * x)
    tl.store(y_ptr + i, x * tl.sigmoid(2.0 * z), mask=i < n)


def gelu_tanh(x):
    y = torch.empty_like(x)
    gelu_kernel[(triton.cdiv(x.numel(), 128),)](x, y, x.numel(), BLOCK=128)
    return y


# </TRITON>

# <TEST>
def get_test_inputs():
    return (torch.randn(500, device="cuda"),)


# </TEST>
