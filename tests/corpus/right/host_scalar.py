# The largest length is read on the host to choose the grid
# <PYTHON>
def zero_padding(x, lengths):
    """Keep the first `lengths[b]` columns of each row."""
    columns = torch.arange(x.shape[1], device=x.device)
    return torch.where(columns[None, :] < lengths[:, None], x, torch.zeros_like(x))


# </PYTHON>

# <TRITON>
@triton.jit
def zero_padding_kernel(x_ptr, lengths_ptr, y_ptr, n, BLOCK: tl.constexpr):
    row = tl.program_id(0)
    c = tl.program_id(1) * BLOCK + tl.arange(0, BLOCK)
    length = tl.load(lengths_ptr + row)
    x = tl.load(x_ptr + row * n + c, mask=(c < length) & (c < n), other=0.0)
    tl.store(y_ptr + row * n + c, x, mask=c < n)


def zero_padding(x, lengths):
    x = x.contiguous()
    rows, n = x.shape
    y = torch.zeros_like(x)
    first = int(lengths[0].item())
    block = 16 if first < 16 else 32
    zero_padding_kernel[(rows, triton.cdiv(n, block))](x, lengths, y, n, BLOCK=block)
    return y


# </TRITON>

# <TEST>
def get_test_inputs():
    return torch.randn(6, 40, device="cuda"), torch.randint(1, 40, (6,), device="cuda")


# </TEST>
