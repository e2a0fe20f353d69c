# Lower triangle of each matrix of a batch
# <PYTHON>
def tril(x, diagonal: int):
    return torch.tril(x, diagonal)


# </PYTHON>

# <TRITON>
@triton.jit
def tril_kernel(x_ptr, y_ptr, M, N, diagonal, BLOCK: tl.constexpr):
    b = tl.program_id(0)
    m = tl.program_id(1) * BLOCK + tl.arange(0, BLOCK)[:, None]
    for n0 in range(0, N, BLOCK):
        n = n0 + tl.arange(0, BLOCK)[None, :]
        at = (b * M + m) * N + n
        inside = (m < M) & (n < N)
        x = tl.load(x_ptr + at, mask=inside & (n <= m + diagonal), other=0.0)
        tl.store(y_ptr + at, x, mask=inside)


def tril(x, diagonal):
    x = x.contiguous()
    M, N = x.shape[-2:]
    y = torch.empty_like(x)
    tril_kernel[(x.numel() // (M * N), triton.cdiv(M, 32))](x, y, M, N, diagonal, BLOCK=32)
    return y


# </TRITON>

# <TEST>
def get_test_inputs():
    return torch.randn(2, 20, 30, device="cuda"), 1


# </TEST>
