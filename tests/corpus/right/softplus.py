# log(1 + exp(x)) with the large values passed through, as kernels without log1p have it
# <PYTHON>
def softplus(x):
    return F.softplus(x)


# </PYTHON>

# <TRITON>
@triton.jit
def softplus_kernel(x_ptr, y_ptr, n, BLOCK: tl.constexpr):
    i = tl.program_id(0) * BLOCK + tl.arange(0, BLOCK)
    x = tl.load(x_ptr + i, mask=i < n, other=0.0)
    y = tl.where(x > 20.0, x, tl.log(1.0 + tl.exp(x)))
    tl.store(y_ptr + i, y, mask=i < n)


def softplus(x):
    y = torch.empty_like(x)
    softplus_kernel[(triton.cdiv(x.numel(), 128),)](x, y, x.numel(), BLOCK=128)
    return y


# </TRITON>

# <TEST>
def get_test_inputs():
    return (torch.randn(400, device="cuda"),)


# </TEST>
