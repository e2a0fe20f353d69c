# Sum over the last dimension in tiles
# <PYTHON>
def row_sum(x):
    return x.sum(dim=1)


# </PYTHON>

# <TRITON>
@triton.jit
def row_sum_kernel(x_ptr, out_ptr, n_cols, stride_row, stride_col, BLOCK: tl.constexpr):
    row = tl.program_id(0)
    acc = tl.zeros((BLOCK,), dtype=tl.float32)
    for off in range(0, n_cols, BLOCK):
        cols = off + tl.arange(0, BLOCK)
        acc += tl.load(x_ptr + row * stride_row + cols * stride_col, mask=cols < n_cols, other=0.0)
    tl.store(out_ptr + row, tl.sum(acc, axis=0))


def row_sum_triton(x):
    out = torch.empty((x.shape[0],), device=x.device, dtype=x.dtype)
    row_sum_kernel[(x.shape[0],)](x, out, x.shape[1], x.stride(0), x.stride(1), BLOCK=64)
    return out


# </TRITON>

# <TEST>
def get_test_inputs():
    return (torch.randn(9, 150, device="cuda"),)


# </TEST>
