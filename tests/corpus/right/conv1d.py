# conv1d, stride 1, zero padding, one output channel and a block of positions a program
# <PYTHON>
def conv1d(x, weight, bias, padding: int):
    return F.conv1d(x, weight, bias, stride=1, padding=padding)


# </PYTHON>

# <TRITON>
@triton.jit
def conv1d_kernel(x_ptr, w_ptr, b_ptr, y_ptr, c_in, c_out, l_in, l_out, padding, taps, BLOCK: tl.constexpr):
    pos = tl.program_id(0) * BLOCK + tl.arange(0, BLOCK)
    oc = tl.program_id(1)
    n = tl.program_id(2)
    acc = tl.zeros((BLOCK,), tl.float32)
    for ic in range(c_in):
        for t in range(taps):
            i = pos + t - padding
            inside = (i >= 0) & (i < l_in) & (pos < l_out)
            x = tl.load(x_ptr + (n * c_in + ic) * l_in + i, mask=inside, other=0.0)
            acc += x * tl.load(w_ptr + (oc * c_in + ic) * taps + t)
    acc += tl.load(b_ptr + oc)
    tl.store(y_ptr + (n * c_out + oc) * l_out + pos, acc, mask=pos < l_out)


def conv1d(x, weight, bias, padding):
    x, weight = x.contiguous(), weight.contiguous()
    n, c_in, l_in = x.shape
    c_out, _, taps = weight.shape
    l_out = l_in + 2 * padding - taps + 1
    y = torch.empty((n, c_out, l_out), device=x.device, dtype=x.dtype)
    grid = (triton.cdiv(l_out, 64), c_out, n)
    conv1d_kernel[grid](x, weight, bias, y, c_in, c_out, l_in, l_out, padding, taps, BLOCK=64)
    return y


# </TRITON>

# <TEST>
def get_test_inputs():
    return (
        torch.randn(2, 4, 24, device="cuda"),
        torch.randn(3, 4, 3, device="cuda"),
        torch.randn(3, device="cuda"),
        1,
    )


# </TEST>
