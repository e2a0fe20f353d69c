# Inner product in two kernels; the result has no dimension
# <PYTHON>
def dot(x, y):
    return torch.dot(x, y)


# </PYTHON>

# <TRITON>
@triton.jit
def dot_partial(x_ptr, y_ptr, partial_ptr, n, BLOCK: tl.constexpr):
    pid = tl.program_id(0)
    i = pid * BLOCK + tl.arange(0, BLOCK)
    x = tl.load(x_ptr + i, mask=i < n, other=0.0)
    y = tl.load(y_ptr + i, mask=i < n, other=0.0)
    tl.store(partial_ptr + pid, tl.sum(x * y))


@triton.jit
def dot_final(partial_ptr, out_ptr, blocks, BLOCK: tl.constexpr):
    acc = tl.zeros((BLOCK,), tl.float32)
    for start in range(0, blocks, BLOCK):
        i = start + tl.arange(0, BLOCK)
        acc += tl.load(partial_ptr + i, mask=i < blocks, other=0.0)
    tl.store(out_ptr, tl.sum(acc))


def dot(x, y):
    n = x.shape[0]
    blocks = triton.cdiv(n, 128)
    partial = torch.empty((blocks,), dtype=torch.float32, device=x.device)
    out = torch.empty([], dtype=torch.float32, device=x.device)
    dot_partial[(blocks,)](x, y, partial, n, BLOCK=128)
    dot_final[(1,)](partial, out, blocks, BLOCK=64)
    return out


# </TRITON>

# <TEST>
def get_test_inputs():
    return torch.randn(900, device="cuda"), torch.randn(900, device="cuda")


# </TEST>
