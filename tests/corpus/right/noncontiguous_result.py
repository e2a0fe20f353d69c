# The reference returns a transposed result; the wrapper's is transposed too
# <PYTHON>
def add_transposed(x, y):
    return (x + y).t()


# </PYTHON>

# <TRITON>
@triton.jit
def add_kernel(x_ptr, y_ptr, out_ptr, n, BLOCK: tl.constexpr):
    i = tl.program_id(0) * BLOCK + tl.arange(0, BLOCK)
    x = tl.load(x_ptr + i, mask=i < n)
    y = tl.load(y_ptr + i, mask=i < n)
    tl.store(out_ptr + i, x + y, mask=i < n)


def add_transposed(x, y):
    x, y = x.contiguous(), y.contiguous()
    out = torch.empty_like(x)
    add_kernel[(triton.cdiv(x.numel(), 256),)](x, y, out, x.numel(), BLOCK=256)
    return out.t()


# </TRITON>

# <TEST>
def get_test_inputs():
    return torch.randn(20, 30, device="cuda"), torch.randn(20, 30, device="cuda")


# </TEST>
