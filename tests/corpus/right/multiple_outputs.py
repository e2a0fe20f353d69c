# Three results: normalised rows, their mean and their reciprocal deviation
# <PYTHON>
def normalise(x, eps):
    mean = x.mean(-1)
    centred = x - mean[:, None]
    rstd = torch.rsqrt((centred * centred).mean(-1) + eps)
    return centred * rstd[:, None], mean, rstd


# </PYTHON>

# <TRITON>
@triton.jit
def normalise_kernel(x_ptr, y_ptr, mean_ptr, rstd_ptr, n, eps, BLOCK: tl.constexpr):
    row = tl.program_id(0)
    cols = tl.arange(0, BLOCK)
    x = tl.load(x_ptr + row * n + cols, mask=cols < n, other=0.0)
    mean = tl.sum(x, 0) / n
    centred = tl.where(cols < n, x - mean, 0.0)
    rstd = tl.rsqrt(tl.sum(centred * centred, 0) / n + eps)
    tl.store(mean_ptr + row, mean)
    tl.store(rstd_ptr + row, rstd)
    tl.store(y_ptr + row * n + cols, centred * rstd, mask=cols < n)


def normalise(x, eps):
    x = x.contiguous()
    rows, n = x.shape
    y = torch.empty_like(x)
    mean = torch.empty(rows, device=x.device, dtype=x.dtype)
    rstd = torch.empty(rows, device=x.device, dtype=x.dtype)
    normalise_kernel[(rows,)](x, y, mean, rstd, n, eps, BLOCK=triton.next_power_of_2(n))
    return y, mean, rstd


# </TRITON>

# <TEST>
def get_test_inputs():
    return torch.randn(8, 60, device="cuda"), 1e-5


# </TEST>
