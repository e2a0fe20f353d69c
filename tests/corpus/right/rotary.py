# Rotary position embedding, halves rotated
# <PYTHON>
def rotary(q, cos, sin):
    """q: (seq, heads, dim); cos, sin: (seq, dim // 2)."""
    half = q.shape[-1] // 2
    q1, q2 = q[..., :half], q[..., half:]
    c, s = cos[:, None, :], sin[:, None, :]
    return torch.cat((q1 * c - q2 * s, q2 * c + q1 * s), dim=-1)


# </PYTHON>

# <TRITON>
@triton.jit
def rotary_kernel(q_ptr, cos_ptr, sin_ptr, out_ptr, n_heads, half, BLOCK: tl.constexpr):
    seq = tl.program_id(0)
    head = tl.program_id(1)
    i = tl.arange(0, BLOCK)
    mask = i < half
    base = (seq * n_heads + head) * 2 * half
    q1 = tl.load(q_ptr + base + i, mask=mask)
    q2 = tl.load(q_ptr + base + half + i, mask=mask)
    c = tl.load(cos_ptr + seq * half + i, mask=mask)
    s = tl.load(sin_ptr + seq * half + i, mask=mask)
    tl.store(out_ptr + base + i, q1 * c - q2 * s, mask=mask)
    tl.store(out_ptr + base + half + i, q2 * c + q1 * s, mask=mask)


def rotary(q, cos, sin):
    q, cos, sin = q.contiguous(), cos.contiguous(), sin.contiguous()
    seq, heads, dim = q.shape
    if dim % 2:
        raise ValueError("the head dimension must be even")
    out = torch.empty_like(q)
    rotary_kernel[(seq, heads)](q, cos, sin, out, heads, dim // 2, BLOCK=triton.next_power_of_2(dim // 2))
    return out


# </TRITON>

# <TEST>
def get_test_inputs():
    seq, heads, dim = 10, 3, 24
    angles = torch.rand(seq, dim // 2, device="cuda") * 6.28
    return torch.randn(seq, heads, dim, device="cuda"), torch.cos(angles), torch.sin(angles)


# </TEST>
