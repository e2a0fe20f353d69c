# Offsets in int64, rows gathered with a stride that may be large
# <PYTHON>
def take_column(x, column: int):
    return x[:, column].contiguous()


# </PYTHON>

# <TRITON>
@triton.jit
def take_column_kernel(x_ptr, out_ptr, rows, stride, column, BLOCK: tl.constexpr):
    r = tl.program_id(0).to(tl.int64) * BLOCK + tl.arange(0, BLOCK).to(tl.int64)
    v = tl.load(x_ptr + r * stride + column, mask=r < rows)
    tl.store(out_ptr + r, v, mask=r < rows)


def take_column(x, column):
    x = x.contiguous()
    if column < 0:
        column += x.shape[1]
    if not 0 <= column < x.shape[1]:
        raise IndexError("no such column")
    out = torch.empty(x.shape[0], device=x.device, dtype=x.dtype)
    take_column_kernel[(triton.cdiv(x.shape[0], 64),)](x, out, x.shape[0], x.stride(0), column, BLOCK=64)
    return out


# </TRITON>

# <TEST>
def get_test_inputs():
    return torch.randn(100, 7, device="cuda"), 3


# </TEST>
