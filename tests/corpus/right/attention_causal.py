# Causal attention in the manner of flash attention, float32
# <PYTHON>
def attention(q, k, v):
    """Causal attention over (heads, seq, dim)."""
    scale = q.shape[-1] ** -0.5
    scores = torch.matmul(q, k.transpose(-1, -2)) * scale
    seq = q.shape[-2]
    hidden = torch.ones(seq, seq, device=q.device, dtype=torch.bool).triu(1)
    scores = scores.masked_fill(hidden, float("-inf"))
    return torch.matmul(torch.softmax(scores, dim=-1), v)


# </PYTHON>

# <TRITON>
@triton.jit
def attention_kernel(Q, K, V, O, seq, dim, scale, BM: tl.constexpr, BN: tl.constexpr, BD: tl.constexpr):
    head = tl.program_id(1)
    start_m = tl.program_id(0) * BM
    base = head * seq * dim
    m = start_m + tl.arange(0, BM)
    d = tl.arange(0, BD)
    q = tl.load(Q + base + m[:, None] * dim + d[None, :], mask=(m[:, None] < seq) & (d[None, :] < dim), other=0.0)
    running_max = tl.full([BM], -float("inf"), tl.float32)
    running_sum = tl.zeros([BM], tl.float32)
    acc = tl.zeros([BM, BD], tl.float32)
    for start_n in range(0, tl.minimum(start_m + BM, seq), BN):
        n = start_n + tl.arange(0, BN)
        k = tl.load(K + base + n[None, :] * dim + d[:, None], mask=(n[None, :] < seq) & (d[:, None] < dim), other=0.0)
        s = tl.dot(q, k, input_precision="ieee") * scale
        s = tl.where((m[:, None] >= n[None, :]) & (n[None, :] < seq), s, -float("inf"))
        new_max = tl.maximum(running_max, tl.max(s, 1))
        p = tl.exp(s - new_max[:, None])
        alpha = tl.exp(running_max - new_max)
        running_sum = running_sum * alpha + tl.sum(p, 1)
        v = tl.load(V + base + n[:, None] * dim + d[None, :], mask=(n[:, None] < seq) & (d[None, :] < dim), other=0.0)
        acc = acc * alpha[:, None] + tl.dot(p, v, input_precision="ieee")
        running_max = new_max
    acc = acc / running_sum[:, None]
    tl.store(O + base + m[:, None] * dim + d[None, :], acc, mask=(m[:, None] < seq) & (d[None, :] < dim))


def attention(q, k, v):
    heads, seq, dim = q.shape
    q, k, v = q.contiguous(), k.contiguous(), v.contiguous()
    if dim > 128:
        raise ValueError("head dimensions up to 128 are supported")
    out = torch.empty_like(q)
    BD = max(16, triton.next_power_of_2(dim))
    attention_kernel[(triton.cdiv(seq, 32), heads)](q, k, v, out, seq, dim, dim**-0.5, BM=32, BN=32, BD=BD)
    return out


# </TRITON>

# <TEST>
def get_test_inputs():
    return tuple(torch.randn(2, 40, 24, device="cuda") for _ in range(3))


# </TEST>
