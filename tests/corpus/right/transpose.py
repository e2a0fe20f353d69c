# Transposition through tiles, any strides on the way in
# <PYTHON>
def transpose(x):
    return x.t().contiguous()


# </PYTHON>

# <TRITON>
@triton.jit
def transpose_kernel(x_ptr, y_ptr, M, N, sxm, sxn, sym, syn, T: tl.constexpr):
    m = tl.program_id(0) * T + tl.arange(0, T)
    n = tl.program_id(1) * T + tl.arange(0, T)
    mask = (m[:, None] < M) & (n[None, :] < N)
    x = tl.load(x_ptr + m[:, None] * sxm + n[None, :] * sxn, mask=mask)
    tl.store(y_ptr + n[:, None] * sym + m[None, :] * syn, tl.trans(x), mask=tl.trans(mask))


def transpose(x):
    M, N = x.shape
    y = torch.empty((N, M), device=x.device, dtype=x.dtype)
    transpose_kernel[(triton.cdiv(M, 16), triton.cdiv(N, 16))](x, y, M, N, x.stride(0), x.stride(1), y.stride(0), y.stride(1), T=16)
    return y


# </TRITON>

# <TEST>
def get_test_inputs():
    return (torch.randn(40, 25, device="cuda"),)


# </TEST>
