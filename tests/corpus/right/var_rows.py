# Variance with Bessel's correction, two passes
# <PYTHON>
def variance(x):
    return torch.var(x, dim=-1, correction=1)


# </PYTHON>

# <TRITON>
@triton.jit
def variance_kernel(x_ptr, out_ptr, n, BLOCK: tl.constexpr):
    row = tl.program_id(0)
    x_ptr += row * n
    acc = tl.zeros([BLOCK], tl.float32)
    for i in range(0, n, BLOCK):
        k = i + tl.arange(0, BLOCK)
        acc += tl.load(x_ptr + k, mask=k < n, other=0.0).to(tl.float32)
    mean = tl.sum(acc) / n
    acc = tl.zeros([BLOCK], tl.float32)
    for i in range(0, n, BLOCK):
        k = i + tl.arange(0, BLOCK)
        d = tl.load(x_ptr + k, mask=k < n, other=0.0).to(tl.float32) - mean
        d = tl.where(k < n, d, 0.0)
        acc += d * d
    tl.store(out_ptr + row, tl.sum(acc) / (n - 1))


def variance_triton(x):
    x = x.contiguous()
    if x.shape[-1] < 2:
        raise ValueError("the variance of one value is not defined")
    out = x.new_empty(x.shape[:-1])
    variance_kernel[(out.numel(),)](x, out, x.shape[-1], BLOCK=64)
    return out


# </TRITON>

# <TEST>
def get_test_inputs():
    return (torch.randn(7, 200, device="cuda"),)


# </TEST>
