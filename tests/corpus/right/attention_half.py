# Attention in float16: scores in float32, weights rounded before the second product
# <PYTHON>
def attention(q, k, v):
    return F.scaled_dot_product_attention(q, k, v)


# </PYTHON>

# <TRITON>
@triton.jit
def attention_kernel(Q, K, V, O, seq, dim, scale, BM: tl.constexpr, BN: tl.constexpr, BD: tl.constexpr):
    m = tl.program_id(0) * BM + tl.arange(0, BM)
    base = tl.program_id(1) * seq * dim
    d = tl.arange(0, BD)
    q = tl.load(Q + base + m[:, None] * dim + d[None, :], mask=(m[:, None] < seq) & (d[None, :] < dim), other=0.0)
    m_i = tl.full([BM], -float("inf"), tl.float32)
    l_i = tl.zeros([BM], tl.float32)
    acc = tl.zeros([BM, BD], tl.float32)
    for start in range(0, seq, BN):
        n = start + tl.arange(0, BN)
        inside = (n[:, None] < seq) & (d[None, :] < dim)
        k = tl.load(K + base + n[:, None] * dim + d[None, :], mask=inside, other=0.0)
        v = tl.load(V + base + n[:, None] * dim + d[None, :], mask=inside, other=0.0)
        s = tl.dot(q, tl.trans(k)) * scale
        s = tl.where(n[None, :] < seq, s, -float("inf"))
        m_new = tl.maximum(m_i, tl.max(s, 1))
        p = tl.exp(s - m_new[:, None])
        alpha = tl.exp(m_i - m_new)
        l_i = l_i * alpha + tl.sum(p, 1)
        acc = acc * alpha[:, None] + tl.dot(p.to(v.dtype), v)
        m_i = m_new
    o = (acc / l_i[:, None]).to(O.dtype.element_ty)
    tl.store(O + base + m[:, None] * dim + d[None, :], o, mask=(m[:, None] < seq) & (d[None, :] < dim))


def attention(q, k, v):
    q, k, v = q.contiguous(), k.contiguous(), v.contiguous()
    B, H, S, D = q.shape
    if k.shape != q.shape or v.shape != q.shape:
        raise ValueError("q, k and v must have one shape")
    o = torch.empty_like(q)
    BD = max(16, triton.next_power_of_2(D))
    attention_kernel[(triton.cdiv(S, 32), B * H)](q, k, v, o, S, D, D**-0.5, BM=32, BN=32, BD=BD)
    return o


# </TRITON>

# <TEST>
def get_test_inputs():
    return tuple(torch.randn(1, 2, 36, 32, device="cuda", dtype=torch.float16) for _ in range(3))


# </TEST>
