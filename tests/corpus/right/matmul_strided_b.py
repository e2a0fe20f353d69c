# A product with a transposed second operand, read through its strides
# <PYTHON>
def score(q, k):
    return torch.matmul(q, k)


# </PYTHON>

# <TRITON>
@triton.jit
def score_kernel(q, k, s, M, N, K, sqm, sqk, skk, skn, ssm, ssn, B: tl.constexpr):
    m = tl.program_id(0) * B + tl.arange(0, B)
    n = tl.program_id(1) * B + tl.arange(0, B)
    acc = tl.zeros((B, B), tl.float32)
    for start in range(0, K, B):
        kk = start + tl.arange(0, B)
        a = tl.load(q + m[:, None] * sqm + kk[None, :] * sqk, mask=(m[:, None] < M) & (kk[None, :] < K), other=0.0)
        b = tl.load(k + kk[:, None] * skk + n[None, :] * skn, mask=(kk[:, None] < K) & (n[None, :] < N), other=0.0)
        acc = tl.dot(a, b, acc, input_precision="tf32x3")
    tl.store(s + m[:, None] * ssm + n[None, :] * ssn, acc, mask=(m[:, None] < M) & (n[None, :] < N))


def score(q, k):
    M, K = q.shape
    N = k.shape[1]
    s = torch.empty((M, N), device=q.device, dtype=q.dtype)
    grid = (triton.cdiv(M, 16), triton.cdiv(N, 16))
    score_kernel[grid](q, k, s, M, N, K, *q.stride(), *k.stride(), *s.stride(), B=16)
    return s


# </TRITON>

# <TEST>
def get_test_inputs():
    return torch.randn(18, 40, device="cuda"), torch.randn(25, 40, device="cuda").t()


# </TEST>
