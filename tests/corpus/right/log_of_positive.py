# log(x) + sqrt(x): the given inputs are positive, and only those make sense
# <PYTHON>
def log_plus_sqrt(x):
    return torch.log(x) + torch.sqrt(x)


# </PYTHON>

# <TRITON>
@triton.jit
def log_plus_sqrt_kernel(x_ptr, y_ptr, n, BLOCK: tl.constexpr):
    i = tl.program_id(0) * BLOCK + tl.arange(0, BLOCK)
    x = tl.load(x_ptr + i, mask=i < n, other=1.0)
    tl.store(y_ptr + i, tl.log(x) + tl.sqrt(x), mask=i < n)


def log_plus_sqrt(x):
    y = torch.empty_like(x)
    log_plus_sqrt_kernel[(triton.cdiv(x.numel(), 128),)](x, y, x.numel(), BLOCK=128)
    return y


# </TRITON>

# <TEST>
def get_test_inputs():
    return (torch.rand(400, device="cuda") + 0.1,)


# </TEST>
