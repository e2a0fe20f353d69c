# Average pooling with windows of three, computed with static_range
# <PYTHON>
def avg_pool(x):
    return F.avg_pool1d(x, kernel_size=3, stride=1)


# </PYTHON>

# <TRITON>
@triton.jit
def avg_pool_kernel(x_ptr, y_ptr, length, out_length, WINDOW: tl.constexpr, BLOCK: tl.constexpr):
    row = tl.program_id(0)
    o = tl.program_id(1) * BLOCK + tl.arange(0, BLOCK)
    acc = tl.zeros((BLOCK,), tl.float32)
    for t in tl.static_range(WINDOW):
        acc += tl.load(x_ptr + row * length + o + t, mask=o < out_length, other=0.0)
    tl.store(y_ptr + row * out_length + o, acc / WINDOW, mask=o < out_length)


def avg_pool(x):
    x = x.contiguous()
    *lead, length = x.shape
    out_length = length - 2
    y = torch.empty((*lead, out_length), device=x.device, dtype=x.dtype)
    avg_pool_kernel[(x.numel() // length, triton.cdiv(out_length, 32))](x, y, length, out_length, WINDOW=3, BLOCK=32)
    return y


# </TRITON>

# <TEST>
def get_test_inputs():
    return (torch.randn(2, 3, 50, device="cuda"),)


# </TEST>
