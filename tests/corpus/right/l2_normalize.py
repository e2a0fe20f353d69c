# Rows divided by their norm, never by less than eps
# <PYTHON>
def normalize(x):
    return F.normalize(x, p=2.0, dim=-1, eps=1e-12)


# </PYTHON>

# <TRITON>
@triton.jit
def normalize_kernel(x_ptr, y_ptr, n, BLOCK: tl.constexpr):
    row = tl.program_id(0)
    c = tl.arange(0, BLOCK)
    x = tl.load(x_ptr + row * n + c, mask=c < n, other=0.0)
    norm = tl.sqrt(tl.sum(x * x, axis=0))
    tl.store(y_ptr + row * n + c, x / tl.maximum(norm, 1e-12), mask=c < n)


def normalize(x):
    x = x.contiguous()
    y = torch.empty_like(x)
    normalize_kernel[(x.shape[0],)](x, y, x.shape[1], BLOCK=triton.next_power_of_2(x.shape[1]))
    return y


# </TRITON>

# <TEST>
def get_test_inputs():
    return (torch.randn(11, 50, device="cuda"),)


# </TEST>
