# Depthwise 3x3 convolution with padding
# <PYTHON>
def depthwise(x, weight):
    return F.conv2d(x, weight, padding=1, groups=x.shape[1])


# </PYTHON>

# <TRITON>
@triton.jit
def depthwise_kernel(x_ptr, w_ptr, y_ptr, C, H, W, BLOCK: tl.constexpr):
    plane = tl.program_id(0)
    o = tl.program_id(1) * BLOCK + tl.arange(0, BLOCK)
    row, col = o // W, o % W
    acc = tl.zeros((BLOCK,), tl.float32)
    for i in tl.static_range(3):
        for j in tl.static_range(3):
            r, c = row + i - 1, col + j - 1
            inside = (r >= 0) & (r < H) & (c >= 0) & (c < W) & (o < H * W)
            x = tl.load(x_ptr + plane * H * W + r * W + c, mask=inside, other=0.0)
            acc += x * tl.load(w_ptr + (plane % C) * 9 + i * 3 + j)
    tl.store(y_ptr + plane * H * W + o, acc, mask=o < H * W)


def depthwise(x, weight):
    x, weight = x.contiguous(), weight.contiguous()
    N, C, H, W = x.shape
    if weight.shape != (C, 1, 3, 3):
        raise ValueError("one filter of 3x3 for each channel is expected")
    y = torch.empty_like(x)
    depthwise_kernel[(N * C, triton.cdiv(H * W, 64))](x, weight, y, C, H, W, BLOCK=64)
    return y


# </TRITON>

# <TEST>
def get_test_inputs():
    return torch.randn(2, 4, 9, 11, device="cuda"), torch.randn(4, 1, 3, 3, device="cuda")


# </TEST>
