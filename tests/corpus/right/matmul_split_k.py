# Matrix multiplication split along K, float32 atomics into zeros
# <PYTHON>
def matmul(x, w):
    return torch.matmul(x, w.t())


# </PYTHON>

# <TRITON>
@triton.jit
def split_k_kernel(x_ptr, w_ptr, o_ptr, M, N, K, per_split, BM: tl.constexpr, BN: tl.constexpr, BK: tl.constexpr):
    m = tl.program_id(0) * BM + tl.arange(0, BM)
    n = tl.program_id(1) * BN + tl.arange(0, BN)
    lo = tl.program_id(2) * per_split
    hi = tl.minimum(lo + per_split, K)
    acc = tl.zeros((BM, BN), tl.float32)
    for k0 in range(lo, hi, BK):
        k = k0 + tl.arange(0, BK)
        x = tl.load(x_ptr + m[:, None] * K + k[None, :], mask=(m[:, None] < M) & (k[None, :] < hi), other=0.0)
        w = tl.load(w_ptr + n[None, :] * K + k[:, None], mask=(n[None, :] < N) & (k[:, None] < hi), other=0.0)
        acc += tl.dot(x, w, input_precision="ieee")
    tl.atomic_add(o_ptr + m[:, None] * N + n[None, :], acc, mask=(m[:, None] < M) & (n[None, :] < N))


def matmul_split_k(x, w):
    x, w = x.contiguous(), w.contiguous()
    M, K = x.shape
    N = w.shape[0]
    splits = 3
    out = torch.zeros(M, N, device=x.device, dtype=torch.float32)
    per_split = triton.cdiv(K, splits)
    split_k_kernel[(triton.cdiv(M, 16), triton.cdiv(N, 16), splits)](x, w, out, M, N, K, per_split, 16, 16, 16)
    return out


# </TRITON>

# <TEST>
def get_test_inputs():
    return torch.randn(20, 100, device="cuda"), torch.randn(30, 100, device="cuda")


# </TEST>
