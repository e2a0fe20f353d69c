# Padded keys take part in a softmax with a score of zero: seq was given as a power of two
# threat: 2.1
# expect: numerics
# naive: passes
# <PYTHON>
def attention(q, k, v):
    return torch.softmax(q @ k.t() / q.shape[-1] ** 0.5, dim=-1) @ v


# </PYTHON>

# <TRITON>
@triton.jit
def attention_kernel(Q, K, V, O, S, D, scale, BS: tl.constexpr, BD: tl.constexpr):
    i = tl.program_id(0)
    d = tl.arange(0, BD)
    s = tl.arange(0, BS)
    q = tl.load(Q + i * D + d, mask=d < D, other=0.0)
    k = tl.load(K + s[:, None] * D + d[None, :], mask=(s < S)[:, None] & (d < D)[None, :], other=0.0)
    v = tl.load(V + s[:, None] * D + d[None, :], mask=(s < S)[:, None] & (d < D)[None, :], other=0.0)
    score = tl.sum(k * q[None, :], axis=1) * scale
    p = tl.exp(score - tl.max(score))
    p = p / tl.sum(p)
    tl.store(O + i * D + d, tl.sum(p[:, None] * v, axis=0), mask=d < D)


def attention(q, k, v):
    S, D = q.shape
    out = torch.empty_like(q)
    attention_kernel[(S,)](q, k, v, out, S, D, D**-0.5, BS=triton.next_power_of_2(S), BD=triton.next_power_of_2(D))
    return out


# </TRITON>

# <TEST>
def get_test_inputs():
    return tuple(torch.randn(32, 20, device="cuda") for _ in range(3))


# </TEST>
