# A kernel for rows of at most 256 columns that says so
# <PYTHON>
def row_norm(x):
    return torch.linalg.vector_norm(x, dim=-1)


# </PYTHON>

# <TRITON>
MAX_COLS = 256


@triton.jit
def row_norm_kernel(x_ptr, out_ptr, n_cols, COLS: tl.constexpr):
    row = tl.program_id(0)
    c = tl.arange(0, COLS)
    x = tl.load(x_ptr + row * n_cols + c, mask=c < n_cols, other=0.0)
    tl.store(out_ptr + row, tl.sqrt(tl.sum(x * x, axis=0)))


def row_norm(x):
    if x.dim() != 2 or x.shape[1] > MAX_COLS:
        raise ValueError(f"two dimensions and at most {MAX_COLS} columns are supported")
    if not x.is_contiguous():
        raise ValueError("x must be contiguous")
    out = torch.empty(x.shape[0], device=x.device, dtype=x.dtype)
    row_norm_kernel[(x.shape[0],)](x, out, x.shape[1], COLS=MAX_COLS)
    return out


# </TRITON>

# <TEST>
def get_test_inputs():
    return (torch.randn(14, 90, device="cuda"),)


# </TEST>
