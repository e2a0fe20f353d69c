# argmax over rows; the first of equal maxima, as torch gives it
# <PYTHON>
def argmax(x):
    return x.argmax(dim=-1)


# </PYTHON>

# <TRITON>
@triton.jit
def argmax_kernel(x_ptr, out_ptr, n_cols, BLOCK: tl.constexpr):
    row = tl.program_id(0)
    cols = tl.arange(0, BLOCK)
    x = tl.load(x_ptr + row * n_cols + cols, mask=cols < n_cols, other=-float("inf"))
    tl.store(out_ptr + row, tl.argmax(x, axis=0, tie_break_left=True).to(tl.int64))


def argmax_rows(x):
    rows, cols = x.shape
    out = torch.empty(rows, dtype=torch.int64, device=x.device)
    argmax_kernel[(rows,)](x.contiguous(), out, cols, BLOCK=triton.next_power_of_2(cols))
    return out


# </TRITON>

# <TEST>
def get_test_inputs():
    return (torch.randn(30, 45, device="cuda"),)


# </TEST>
