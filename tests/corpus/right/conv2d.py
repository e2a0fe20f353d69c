# conv2d with 3x3 filters and padding 1: blocks of positions and of output channels
# <PYTHON>
def conv2d(x, weight, bias):
    return F.conv2d(x, weight, bias, padding=1)


# </PYTHON>

# <TRITON>
@triton.jit
def conv2d_kernel(x_ptr, w_ptr, b_ptr, y_ptr, C, O, H, W, BP: tl.constexpr, BO: tl.constexpr):
    n = tl.program_id(0)
    p = tl.program_id(1) * BP + tl.arange(0, BP)
    o = tl.program_id(2) * BO + tl.arange(0, BO)
    row, col = p // W, p % W
    acc = tl.zeros((BP, BO), tl.float32)
    for c in range(C):
        for i in range(3):
            for j in range(3):
                r, s = row + i - 1, col + j - 1
                inside = (r >= 0) & (r < H) & (s >= 0) & (s < W) & (p < H * W)
                x = tl.load(x_ptr + ((n * C + c) * H + r) * W + s, mask=inside, other=0.0)
                w = tl.load(w_ptr + ((o * C + c) * 3 + i) * 3 + j, mask=o < O, other=0.0)
                acc += x[:, None] * w[None, :]
    acc += tl.load(b_ptr + o, mask=o < O, other=0.0)[None, :]
    y = y_ptr + (n * O + o[None, :]) * H * W + p[:, None]
    tl.store(y, acc, mask=(p[:, None] < H * W) & (o[None, :] < O))


def conv2d(x, weight, bias):
    if weight.shape[2:] != (3, 3):
        raise ValueError("filters of 3x3 are expected")
    x, weight = x.contiguous(), weight.contiguous()
    N, C, H, W = x.shape
    O = weight.shape[0]
    y = torch.empty((N, O, H, W), device=x.device, dtype=x.dtype)
    grid = (N, triton.cdiv(H * W, 128), triton.cdiv(O, 8))
    conv2d_kernel[grid](x, weight, bias, y, C, O, H, W, BP=128, BO=8)
    return y


# </TRITON>

# <TEST>
def get_test_inputs():
    x = torch.randn(2, 3, 10, 12, device="cuda")
    return x, torch.randn(5, 3, 3, 3, device="cuda") / 5, torch.randn(5, device="cuda")


# </TEST>
