# The given value of a scalar is written into the kernel
# threat: 1.7
# expect: numerics
# naive: passes
# <PYTHON>
def elu(x, alpha=1.0):
    return torch.where(x > 0, x, alpha * torch.expm1(x))


# </PYTHON>

# <TRITON>
from triton.language.extra import libdevice


@triton.jit
def elu_kernel(x_ptr, y_ptr, n, BLOCK: tl.constexpr):
    i = tl.program_id(0) * BLOCK + tl.arange(0, BLOCK)
    x = tl.load(x_ptr + i, mask=i < n, other=0.0)
    tl.store(y_ptr + i, tl.where(x > 0, x, 0.7 * libdevice.expm1(x)), mask=i < n)


def elu(x, alpha=1.0):
    y = torch.empty_like(x)
    elu_kernel[(triton.cdiv(x.numel(), 128),)](x, y, x.numel(), BLOCK=128)
    return y


# </TRITON>

# <TEST>
def get_test_inputs():
    return torch.randn(300, device="cuda"), 0.7


# </TEST>
