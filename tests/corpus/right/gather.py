# torch.gather along the last dimension
# <PYTHON>
def gather(x, index):
    return torch.gather(x, 1, index)


# </PYTHON>

# <TRITON>
@triton.jit
def gather_kernel(x_ptr, index_ptr, out_ptr, x_cols, out_cols, BLOCK: tl.constexpr):
    row = tl.program_id(0)
    k = tl.program_id(1) * BLOCK + tl.arange(0, BLOCK)
    at = tl.load(index_ptr + row * out_cols + k, mask=k < out_cols, other=0)
    v = tl.load(x_ptr + row * x_cols + at, mask=k < out_cols)
    tl.store(out_ptr + row * out_cols + k, v, mask=k < out_cols)


def gather(x, index):
    x, index = x.contiguous(), index.contiguous()
    out = torch.empty(index.shape, device=x.device, dtype=x.dtype)
    gather_kernel[(index.shape[0], triton.cdiv(index.shape[1], 32))](x, index, out, x.shape[1], index.shape[1], BLOCK=32)
    return out


# </TRITON>

# <TEST>
def get_test_inputs():
    return torch.randn(9, 30, device="cuda"), torch.randint(0, 30, (9, 12), device="cuda")


# </TEST>
