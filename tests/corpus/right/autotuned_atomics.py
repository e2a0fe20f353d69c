# Atomics under autotune, with reset_to_zero
# <PYTHON>
def column_sum(x):
    return x.sum(dim=0)


# </PYTHON>

# <TRITON>
@triton.autotune(
    configs=[triton.Config({"ROWS": 8}, num_warps=2), triton.Config({"ROWS": 32}, num_warps=4)],
    key=["rows", "cols"],
    reset_to_zero=["out_ptr"],
)
@triton.jit
def column_sum_kernel(x_ptr, out_ptr, rows, cols, ROWS: tl.constexpr, COLS: tl.constexpr):
    r = tl.program_id(0) * ROWS + tl.arange(0, ROWS)
    c = tl.program_id(1) * COLS + tl.arange(0, COLS)
    mask = (r[:, None] < rows) & (c[None, :] < cols)
    x = tl.load(x_ptr + r[:, None] * cols + c[None, :], mask=mask, other=0.0)
    tl.atomic_add(out_ptr + c, tl.sum(x, axis=0), mask=c < cols)


def column_sum(x):
    x = x.contiguous()
    rows, cols = x.shape
    out = torch.zeros(cols, device=x.device, dtype=torch.float32)
    grid = lambda meta: (triton.cdiv(rows, meta["ROWS"]), triton.cdiv(cols, 64))
    column_sum_kernel[grid](x, out, rows, cols, COLS=64)
    return out


# </TRITON>

# <TEST>
def get_test_inputs():
    return (torch.randn(50, 40, device="cuda"),)


# </TEST>
