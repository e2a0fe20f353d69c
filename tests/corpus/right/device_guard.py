# The launch under torch.cuda.device, as libraries for several GPUs write it
# <PYTHON>
def tanh_shrink(x):
    return x - torch.tanh(x)


# </PYTHON>

# <TRITON>
from triton.language.extra import libdevice


@triton.jit
def tanh_shrink_kernel(x_ptr, y_ptr, n, BLOCK: tl.constexpr):
    i = tl.program_id(0) * BLOCK + tl.arange(0, BLOCK)
    x = tl.load(x_ptr + i, mask=i < n, other=0.0)
    # In float64, since x - tanh(x) cancels near zero
    wide = x.to(tl.float64)
    tl.store(y_ptr + i, (wide - libdevice.tanh(wide)).to(tl.float32), mask=i < n)


def tanh_shrink(x):
    y = torch.empty_like(x)
    with torch.cuda.device(x.device):
        tanh_shrink_kernel[(triton.cdiv(x.numel(), 128),)](x, y, x.numel(), BLOCK=128)
    return y


# </TRITON>

# <TEST>
def get_test_inputs():
    return (torch.randn(330, device="cuda"),)


# </TEST>
