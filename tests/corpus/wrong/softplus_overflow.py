# log(1 + exp(x)) overflows and loses small results
# threat: 1.4
# expect: numerics
# naive: passes
# <PYTHON>
def softplus(x):
    return F.softplus(x)


# </PYTHON>

# <TRITON>
@triton.jit
def softplus_kernel(x_ptr, y_ptr, n, BLOCK: tl.constexpr):
    i = tl.program_id(0) * BLOCK + tl.arange(0, BLOCK)
    x = tl.load(x_ptr + i, mask=i < n, other=0.0)
    tl.store(y_ptr + i, tl.log(1.0 + tl.exp(x)), mask=i < n)


def softplus(x):
    y = torch.empty_like(x)
    softplus_kernel[(triton.cdiv(x.numel(), 128),)](x, y, x.numel(), BLOCK=128)
    return y


# </TRITON>

# <TEST>
def get_test_inputs():
    return (torch.randn(400, device="cuda"),)


# </TEST>
