# Sum of everything into a 0-dim tensor by atomic additions
# <PYTHON>
def total(x):
    return x.sum()


# </PYTHON>

# <TRITON>
@triton.jit
def total_kernel(x_ptr, out_ptr, n, BLOCK: tl.constexpr):
    offs = tl.program_id(0) * BLOCK + tl.arange(0, BLOCK)
    x = tl.load(x_ptr + offs, mask=offs < n, other=0.0)
    tl.atomic_add(out_ptr, tl.sum(x, axis=0))


def total(x):
    x = x.contiguous()
    out = torch.zeros((), device=x.device, dtype=torch.float32)
    total_kernel[(triton.cdiv(x.numel(), 512),)](x, out, x.numel(), BLOCK=512)
    return out


# </TRITON>

# <TEST>
def get_test_inputs():
    return (torch.randn(60, 30, device="cuda"),)


# </TEST>
