# A scale that is a 0-dim tensor, read by the kernel
# <PYTHON>
def rescale(x, scale):
    return x / scale


# </PYTHON>

# <TRITON>
@triton.jit
def rescale_kernel(x_ptr, scale_ptr, y_ptr, n, BLOCK: tl.constexpr):
    i = tl.program_id(0) * BLOCK + tl.arange(0, BLOCK)
    scale = tl.load(scale_ptr)
    x = tl.load(x_ptr + i, mask=i < n)
    tl.store(y_ptr + i, x / scale, mask=i < n)


def rescale(x, scale):
    y = torch.empty_like(x)
    rescale_kernel[(triton.cdiv(x.numel(), 128),)](x, scale, y, x.numel(), BLOCK=128)
    return y


# </TRITON>

# <TEST>
def get_test_inputs():
    return torch.randn(300, device="cuda"), torch.tensor(2.5, device="cuda")


# </TEST>
