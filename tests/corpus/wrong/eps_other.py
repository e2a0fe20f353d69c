# LayerNorm with an eps of 1e-6 for 1e-5
# threat: 1.3
# expect: numerics
# naive: passes
# <PYTHON>
def layer_norm(x):
    return F.layer_norm(x, x.shape[-1:], eps=1e-5)


# </PYTHON>

# <TRITON>
@triton.jit
def ln_kernel(x_ptr, y_ptr, n, BLOCK: tl.constexpr):
    row = tl.program_id(0)
    c = tl.arange(0, BLOCK)
    x = tl.load(x_ptr + row * n + c, mask=c < n, other=0.0)
    mean = tl.sum(x) / n
    d = tl.where(c < n, x - mean, 0.0)
    rstd = 1.0 / tl.sqrt(tl.sum(d * d) / n + 1e-6)
    tl.store(y_ptr + row * n + c, d * rstd, mask=c < n)


def layer_norm(x):
    y = torch.empty_like(x)
    n = x.shape[-1]
    ln_kernel[(x.numel() // n,)](x, y, n, BLOCK=triton.next_power_of_2(n))
    return y


# </TRITON>

# <TEST>
def get_test_inputs():
    return (torch.randn(2, 4, 64, device="cuda"),)


# </TEST>
