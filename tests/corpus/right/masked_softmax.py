# Softmax of scores with an additive mask of minus infinity
# <PYTHON>
def masked_softmax(scores, mask):
    return torch.softmax(scores + mask, dim=-1)


# </PYTHON>

# <TRITON>
@triton.jit
def masked_softmax_kernel(s_ptr, m_ptr, y_ptr, n, BLOCK: tl.constexpr):
    row = tl.program_id(0)
    c = tl.arange(0, BLOCK)
    s = tl.load(s_ptr + row * n + c, mask=c < n, other=-float("inf"))
    s += tl.load(m_ptr + row * n + c, mask=c < n, other=0.0)
    e = tl.exp(s - tl.max(s, axis=0))
    tl.store(y_ptr + row * n + c, e / tl.sum(e, axis=0), mask=c < n)


def masked_softmax(scores, mask):
    scores, mask = scores.contiguous(), mask.contiguous()
    if scores.shape != mask.shape:
        raise ValueError("scores and mask must have one shape")
    y = torch.empty_like(scores)
    rows, n = scores.shape
    masked_softmax_kernel[(rows,)](scores, mask, y, n, BLOCK=triton.next_power_of_2(n))
    return y


# </TRITON>

# <TEST>
def get_test_inputs():
    scores = torch.randn(24, 24, device="cuda")
    mask = torch.full((24, 24), float("-inf"), device="cuda").triu(1)
    return scores, mask


# </TEST>
