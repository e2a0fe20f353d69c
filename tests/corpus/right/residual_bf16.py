# bfloat16 residual addition with a gain, rounded once
# <PYTHON>
def residual(x, y, gain):
    return (x.float() + y.float() * gain.float()).to(x.dtype)


# </PYTHON>

# <TRITON>
@triton.jit
def residual_kernel(x_ptr, y_ptr, g_ptr, o_ptr, total, cols, BLOCK: tl.constexpr):
    i = tl.program_id(0) * BLOCK + tl.arange(0, BLOCK)
    ok = i < total
    x = tl.load(x_ptr + i, mask=ok, other=0.0).to(tl.float32)
    y = tl.load(y_ptr + i, mask=ok, other=0.0).to(tl.float32)
    g = tl.load(g_ptr + i % cols, mask=ok, other=0.0).to(tl.float32)
    tl.store(o_ptr + i, (x + y * g).to(tl.bfloat16), mask=ok)


def residual(x, y, gain):
    x, y = x.contiguous(), y.contiguous()
    out = torch.empty_like(x)
    residual_kernel[(triton.cdiv(x.numel(), 128),)](x, y, gain, out, x.numel(), x.shape[-1], BLOCK=128)
    return out


# </TRITON>

# <TEST>
def get_test_inputs():
    make = lambda *s: torch.randn(*s, device="cuda", dtype=torch.bfloat16)
    return make(7, 50), make(7, 50), make(50)


# </TEST>
