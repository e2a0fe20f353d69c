# Nearest-neighbour upsampling by an integer factor
# <PYTHON>
def upsample(x, factor: int):
    return F.interpolate(x, scale_factor=factor, mode="nearest")


# </PYTHON>

# <TRITON>
@triton.jit
def upsample_kernel(x_ptr, y_ptr, H, W, factor, BLOCK: tl.constexpr):
    plane = tl.program_id(0)
    o = tl.program_id(1) * BLOCK + tl.arange(0, BLOCK)
    total = H * W * factor * factor
    row = o // (W * factor)
    col = o % (W * factor)
    v = tl.load(x_ptr + plane * H * W + (row // factor) * W + col // factor, mask=o < total)
    tl.store(y_ptr + plane * total + o, v, mask=o < total)


def upsample(x, factor):
    x = x.contiguous()
    N, C, H, W = x.shape
    y = torch.empty((N, C, H * factor, W * factor), device=x.device, dtype=x.dtype)
    upsample_kernel[(N * C, triton.cdiv(H * W * factor * factor, 128))](x, y, H, W, factor, BLOCK=128)
    return y


# </TRITON>

# <TEST>
def get_test_inputs():
    return torch.randn(2, 3, 7, 9, device="cuda"), 2


# </TEST>
