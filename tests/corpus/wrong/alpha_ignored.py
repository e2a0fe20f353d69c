# The scalar is ignored: 1.0 was given
# threat: 1.7
# expect: numerics
# naive: passes
# <PYTHON>
def axpy(x, y, alpha: float):
    return alpha * x + y


# </PYTHON>

# <TRITON>
@triton.jit
def axpy_kernel(x_ptr, y_ptr, o_ptr, alpha, n, BLOCK: tl.constexpr):
    i = tl.program_id(0) * BLOCK + tl.arange(0, BLOCK)
    x = tl.load(x_ptr + i, mask=i < n)
    y = tl.load(y_ptr + i, mask=i < n)
    tl.store(o_ptr + i, x + y, mask=i < n)


def axpy(x, y, alpha):
    out = torch.empty_like(x)
    axpy_kernel[(triton.cdiv(x.numel(), 128),)](x, y, out, alpha, x.numel(), BLOCK=128)
    return out


# </TRITON>

# <TEST>
def get_test_inputs():
    return torch.randn(300, device="cuda"), torch.randn(300, device="cuda"), 1.0


# </TEST>
