# Dropout with a given boolean mask and a probability
# <PYTHON>
def apply_dropout(x, keep, p: float):
    return torch.where(keep, x / (1.0 - p), torch.zeros_like(x))


# </PYTHON>

# <TRITON>
@triton.jit
def dropout_kernel(x_ptr, keep_ptr, out_ptr, n, p, BLOCK: tl.constexpr):
    offs = tl.program_id(0) * BLOCK + tl.arange(0, BLOCK)
    mask = offs < n
    x = tl.load(x_ptr + offs, mask=mask)
    keep = tl.load(keep_ptr + offs, mask=mask)
    tl.store(out_ptr + offs, tl.where(keep, x / (1 - p), 0.0), mask=mask)


def apply_dropout(x, keep, p):
    x, keep = x.contiguous(), keep.contiguous()
    out = torch.empty_like(x)
    dropout_kernel[(triton.cdiv(x.numel(), 128),)](x, keep, out, x.numel(), p, BLOCK=128)
    return out


# </TRITON>

# <TEST>
def get_test_inputs():
    x = torch.randn(500, device="cuda")
    return (x, torch.rand(500, device="cuda") > 0.25, 0.25)


# </TEST>
