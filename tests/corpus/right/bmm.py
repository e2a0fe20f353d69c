# Batched matrix multiplication, one batch in the third grid dimension
# <PYTHON>
def batched(a, b):
    return torch.bmm(a, b)


# </PYTHON>

# <TRITON>
@triton.jit
def bmm_kernel(a, b, c, M, N, K, sab, sam, sak, sbb, sbk, sbn, scb, scm, scn, BLOCK: tl.constexpr):
    batch = tl.program_id(2)
    m = tl.program_id(0) * BLOCK + tl.arange(0, BLOCK)
    n = tl.program_id(1) * BLOCK + tl.arange(0, BLOCK)
    a += batch * sab
    b += batch * sbb
    acc = tl.zeros((BLOCK, BLOCK), tl.float32)
    for k0 in range(0, K, BLOCK):
        k = k0 + tl.arange(0, BLOCK)
        x = tl.load(a + m[:, None] * sam + k[None, :] * sak, (m[:, None] < M) & (k[None, :] < K), 0.0)
        y = tl.load(b + k[:, None] * sbk + n[None, :] * sbn, (k[:, None] < K) & (n[None, :] < N), 0.0)
        acc += tl.dot(x, y, input_precision="ieee")
    tl.store(c + batch * scb + m[:, None] * scm + n[None, :] * scn, acc, (m[:, None] < M) & (n[None, :] < N))


def batched_triton(a, b):
    B, M, K = a.shape
    N = b.shape[-1]
    c = torch.empty((B, M, N), device=a.device, dtype=a.dtype)
    bmm_kernel[(triton.cdiv(M, 32), triton.cdiv(N, 32), B)](a, b, c, M, N, K, *a.stride(), *b.stride(), *c.stride(), BLOCK=32)
    return c


# </TRITON>

# <TEST>
def get_test_inputs():
    return torch.randn(3, 20, 24, device="cuda"), torch.randn(3, 24, 17, device="cuda")


# </TEST>
