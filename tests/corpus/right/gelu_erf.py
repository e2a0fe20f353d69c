# Exact GELU with tl.erf, rows of a matrix flattened
# <PYTHON>
def gelu(x):
    return 0.5 * x * (1.0 + torch.erf(x / math.sqrt(2.0)))


# </PYTHON>

# <TRITON>
@triton.jit
def _gelu_fwd(X, Y, N, BLOCK: tl.constexpr):
    off = tl.program_id(0) * BLOCK + tl.arange(0, BLOCK)
    x = tl.load(X + off, mask=off < N, other=0.0)
    cdf = 0.5 * (1.0 + tl.erf(x * 0.7071067811865476))
    tl.store(Y + off, x * cdf, mask=off < N)


def gelu_fused(x):
    x = x.contiguous()
    y = torch.empty_like(x)
    _gelu_fwd[(triton.cdiv(x.numel(), 128),)](x, y, x.numel(), BLOCK=128)
    return y


# </TRITON>

# <TEST>
def get_test_inputs():
    x = torch.randn(12, 50, device="cuda")
    return (x,)


# </TEST>
