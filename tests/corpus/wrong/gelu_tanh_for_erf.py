# GELU by tanh where erf was asked: off by 5e-4 at most
# threat: 1.3
# expect: numerics
# naive: passes
# <PYTHON>
def gelu(x):
    return F.gelu(x)


# </PYTHON>

# <TRITON>
@triton.jit
def gelu_kernel(x_ptr, y_ptr, n, BLOCK: tl.constexpr):
    i = tl.program_id(0) * BLOCK + tl.arange(0, BLOCK)
    x = tl.load(x_ptr + i, mask=i < n, other=0.0)
    z = 1.5957691216057308 * (x + 0.044715 * x * x * x)
    tl.store(y_ptr + i, x * tl.sigmoid(z), mask=i < n)


def gelu(x):
    y = torch.empty_like(x)
    gelu_kernel[(triton.cdiv(x.numel(), 128),)](x, y, x.numel(), BLOCK=128)
    return y


# </TRITON>

# <TEST>
def get_test_inputs():
    return (torch.randn(600, device="cuda"),)


# </TEST>
