# Softmax with a running maximum and a running sum, two passes over the row
# <PYTHON>
def reference_softmax(logits):
    return torch.softmax(logits, dim=-1)


# </PYTHON>

# <TRITON>
@triton.jit
def online_softmax_kernel(in_ptr, out_ptr, stride, cols, TILE: tl.constexpr):
    row = tl.program_id(0)
    in_ptr += row * stride
    out_ptr += row * stride
    m = -float("inf")
    s = 0.0
    for start in range(0, cols, TILE):
        c = start + tl.arange(0, TILE)
        v = tl.load(in_ptr + c, mask=c < cols, other=-float("inf"))
        m_new = tl.maximum(m, tl.max(v, 0))
        s = s * tl.exp(m - m_new) + tl.sum(tl.exp(v - m_new), 0)
        m = m_new
    for start in range(0, cols, TILE):
        c = start + tl.arange(0, TILE)
        v = tl.load(in_ptr + c, mask=c < cols)
        tl.store(out_ptr + c, tl.exp(v - m) / s, mask=c < cols)


def online_softmax(logits):
    rows = logits.reshape(-1, logits.shape[-1]).contiguous()
    out = torch.empty_like(rows)
    online_softmax_kernel[(rows.shape[0],)](rows, out, rows.stride(0), rows.shape[1], TILE=64)
    return out.view(logits.shape)


# </TRITON>

# <TEST>
def get_test_inputs():
    return (torch.randn(2, 5, 100, device="cuda") * 4,)


# </TEST>
