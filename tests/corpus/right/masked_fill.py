# masked_fill with a boolean mask that is broadcast over the batch
# <PYTHON>
def masked_fill(scores, mask, value: float):
    return scores.masked_fill(mask, value)


# </PYTHON>

# <TRITON>
@triton.jit
def masked_fill_kernel(s_ptr, m_ptr, o_ptr, value, per_batch, BLOCK: tl.constexpr):
    b = tl.program_id(0)
    i = tl.program_id(1) * BLOCK + tl.arange(0, BLOCK)
    inside = i < per_batch
    s = tl.load(s_ptr + b * per_batch + i, mask=inside)
    m = tl.load(m_ptr + i, mask=inside, other=0)
    tl.store(o_ptr + b * per_batch + i, tl.where(m != 0, value, s), mask=inside)


def masked_fill(scores, mask, value):
    scores = scores.contiguous()
    batch = scores.shape[0]
    per_batch = scores.numel() // batch
    if mask.numel() != per_batch:
        raise ValueError("the mask must cover one batch")
    out = torch.empty_like(scores)
    masked_fill_kernel[(batch, triton.cdiv(per_batch, 128))](scores, mask.contiguous(), out, value, per_batch, BLOCK=128)
    return out


# </TRITON>

# <TEST>
def get_test_inputs():
    scores = torch.randn(3, 12, 15, device="cuda")
    return scores, torch.rand(12, 15, device="cuda") > 0.5, -1e4


# </TEST>
