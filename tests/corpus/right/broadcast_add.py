# A row and a column broadcast against each other, then scaled
# <PYTHON>
def outer_sum(a, b, scale):
    return (a[:, None] + b[None, :]) * scale


# </PYTHON>

# <TRITON>
@triton.jit
def outer_sum_kernel(a, b, out, M, N, scale, BM: tl.constexpr, BN: tl.constexpr):
    i = tl.program_id(0) * BM + tl.arange(0, BM)
    j = tl.program_id(1) * BN + tl.arange(0, BN)
    x = tl.load(a + i, mask=i < M, other=0.0)
    y = tl.load(b + j, mask=j < N, other=0.0)
    z = (tl.expand_dims(x, 1) + tl.expand_dims(y, 0)) * scale
    tl.store(out + i[:, None] * N + j[None, :], z, mask=(i[:, None] < M) & (j[None, :] < N))


def outer_sum(a, b, scale):
    out = torch.empty((a.numel(), b.numel()), device=a.device, dtype=a.dtype)
    grid = (triton.cdiv(a.numel(), 16), triton.cdiv(b.numel(), 32))
    outer_sum_kernel[grid](a, b, out, a.numel(), b.numel(), scale, BM=16, BN=32)
    return out


# </TRITON>

# <TEST>
def get_test_inputs():
    return torch.randn(30, device="cuda"), torch.randn(45, device="cuda"), 0.5


# </TEST>
