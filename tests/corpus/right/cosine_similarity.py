# Cosine similarity of rows, three sums in one loop
# <PYTHON>
def similarity(a, b):
    return F.cosine_similarity(a, b, dim=1, eps=1e-8)


# </PYTHON>

# <TRITON>
@triton.jit
def similarity_kernel(a_ptr, b_ptr, out_ptr, n, BLOCK: tl.constexpr):
    row = tl.program_id(0)
    ab = tl.zeros((BLOCK,), tl.float32)
    aa = tl.zeros((BLOCK,), tl.float32)
    bb = tl.zeros((BLOCK,), tl.float32)
    for start in range(0, n, BLOCK):
        c = start + tl.arange(0, BLOCK)
        a = tl.load(a_ptr + row * n + c, mask=c < n, other=0.0)
        b = tl.load(b_ptr + row * n + c, mask=c < n, other=0.0)
        ab += a * b
        aa += a * a
        bb += b * b
    na = tl.maximum(tl.sqrt(tl.sum(aa)), 1e-8)
    nb = tl.maximum(tl.sqrt(tl.sum(bb)), 1e-8)
    tl.store(out_ptr + row, tl.sum(ab) / (na * nb))


def similarity(a, b):
    a, b = a.contiguous(), b.contiguous()
    out = torch.empty(a.shape[0], device=a.device, dtype=a.dtype)
    similarity_kernel[(a.shape[0],)](a, b, out, a.shape[1], BLOCK=64)
    return out


# </TRITON>

# <TEST>
def get_test_inputs():
    return torch.randn(13, 90, device="cuda"), torch.randn(13, 90, device="cuda")


# </TEST>
