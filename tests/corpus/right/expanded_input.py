# A bias that is expanded (stride 0), read through its strides
# <PYTHON>
def add_bias(x, bias):
    return x + bias


# </PYTHON>

# <TRITON>
@triton.jit
def add_bias_kernel(x_ptr, b_ptr, y_ptr, M, N, sxm, sxn, sbm, sbn, BM: tl.constexpr, BN: tl.constexpr):
    m = tl.program_id(0) * BM + tl.arange(0, BM)[:, None]
    n = tl.program_id(1) * BN + tl.arange(0, BN)[None, :]
    inside = (m < M) & (n < N)
    x = tl.load(x_ptr + m * sxm + n * sxn, mask=inside)
    b = tl.load(b_ptr + m * sbm + n * sbn, mask=inside)
    tl.store(y_ptr + m * N + n, x + b, mask=inside)


def add_bias(x, bias):
    M, N = x.shape
    y = torch.empty((M, N), device=x.device, dtype=x.dtype)
    grid = (triton.cdiv(M, 16), triton.cdiv(N, 32))
    add_bias_kernel[grid](x, bias, y, M, N, *x.stride(), *bias.stride(), BM=16, BN=32)
    return y


# </TRITON>

# <TEST>
def get_test_inputs():
    return torch.randn(20, 45, device="cuda"), torch.randn(45, device="cuda").expand(20, 45)


# </TEST>
