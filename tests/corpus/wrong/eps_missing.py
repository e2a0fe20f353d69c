# RMSNorm without its eps
# threat: 1.3
# expect: numerics
# naive: passes
# <PYTHON>
def rms_norm(x, weight):
    return x * torch.rsqrt(x.pow(2).mean(-1, keepdim=True) + 1e-5) * weight


# </PYTHON>

# <TRITON>
@triton.jit
def rms_kernel(x_ptr, w_ptr, y_ptr, n, BLOCK: tl.constexpr):
    row = tl.program_id(0)
    c = tl.arange(0, BLOCK)
    x = tl.load(x_ptr + row * n + c, mask=c < n, other=0.0)
    w = tl.load(w_ptr + c, mask=c < n)
    rstd = tl.rsqrt(tl.sum(x * x) / n)
    tl.store(y_ptr + row * n + c, x * rstd * w, mask=c < n)


def rms_norm(x, weight):
    y = torch.empty_like(x)
    rms_kernel[(x.shape[0],)](x, weight, y, x.shape[1], BLOCK=triton.next_power_of_2(x.shape[1]))
    return y


# </TRITON>

# <TEST>
def get_test_inputs():
    return torch.randn(6, 100, device="cuda"), torch.randn(100, device="cuda")


# </TEST>
