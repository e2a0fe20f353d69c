# 1/sqrt(d) is written as 0.25, which is right for d = 16 alone
# threat: 2.5
# expect: numerics
# naive: passes
# <PYTHON>
def attention(q, k, v):
    """q, k, v: (seq, dim)."""
    return F.scaled_dot_product_attention(q[None], k[None], v[None])[0]


# </PYTHON>

# <TRITON>
@triton.jit
def attention_kernel(Q, K, V, O, S, D, BS: tl.constexpr, BD: tl.constexpr):
    i = tl.program_id(0)
    d = tl.arange(0, BD)
    s = tl.arange(0, BS)
    dm, sm = d < D, s < S
    q = tl.load(Q + i * D + d, mask=dm, other=0.0)
    k = tl.load(K + s[:, None] * D + d[None, :], mask=sm[:, None] & dm[None, :], other=0.0)
    scores = tl.sum(k * q[None, :], axis=1) * 0.25
    scores = tl.where(sm, scores, -float("inf"))
    p = tl.exp(scores - tl.max(scores))
    p = p / tl.sum(p)
    v = tl.load(V + s[:, None] * D + d[None, :], mask=sm[:, None] & dm[None, :], other=0.0)
    tl.store(O + i * D + d, tl.sum(p[:, None] * v, axis=0), mask=dm)


def attention(q, k, v):
    S, D = q.shape
    out = torch.empty_like(q)
    attention_kernel[(S,)](q, k, v, out, S, D, BS=triton.next_power_of_2(S), BD=triton.next_power_of_2(D))
    return out


# </TRITON>

# <TEST>
def get_test_inputs():
    return tuple(torch.randn(20, 16, device="cuda") for _ in range(3))


# </TEST>
