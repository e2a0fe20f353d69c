# Embedding lookup with int64 indices
# <PYTHON>
def embedding(indices, table):
    return F.embedding(indices, table)


# </PYTHON>

# <TRITON>
@triton.jit
def gather_rows(idx_ptr, table_ptr, out_ptr, dim, BLOCK_D: tl.constexpr):
    token = tl.program_id(0)
    row = tl.load(idx_ptr + token)
    for d0 in range(0, dim, BLOCK_D):
        d = d0 + tl.arange(0, BLOCK_D)
        vec = tl.load(table_ptr + row * dim + d, mask=d < dim)
        tl.store(out_ptr + token * dim + d, vec, mask=d < dim)


def embedding(indices, table):
    flat = indices.reshape(-1)
    dim = table.shape[1]
    out = torch.empty(*indices.shape, dim, device=table.device, dtype=table.dtype)
    gather_rows[(flat.numel(),)](flat, table, out, dim, BLOCK_D=32)
    return out


# </TRITON>

# <TEST>
def get_test_inputs():
    vocab, dim = 50, 40
    return torch.randint(0, vocab, (3, 8), device="cuda"), torch.randn(vocab, dim, device="cuda")


# </TEST>
