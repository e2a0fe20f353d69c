# SiLU in float16, computed in float32
# <PYTHON>
def silu(x):
    return F.silu(x)


# </PYTHON>

# <TRITON>
@triton.jit
def silu_kernel(x_ptr, y_ptr, n, BLOCK: tl.constexpr):
    pid = tl.program_id(0)
    offs = pid * BLOCK + tl.arange(0, BLOCK)
    x = tl.load(x_ptr + offs, mask=offs < n).to(tl.float32)
    y = x * tl.sigmoid(x)
    tl.store(y_ptr + offs, y.to(tl.float16), mask=offs < n)


def silu(x):
    y = torch.empty_like(x)
    n = x.numel()
    silu_kernel[(triton.cdiv(n, 512),)](x, y, n, BLOCK=512)
    return y


# </TRITON>

# <TEST>
def get_test_inputs():
    return (torch.randn(3, 400, device="cuda", dtype=torch.float16),)


# </TEST>
