# Whether any element of a row exceeds a threshold: a boolean reduction
# <PYTHON>
def any_above(x, threshold: float):
    return (x > threshold).any(dim=-1)


# </PYTHON>

# <TRITON>
@triton.jit
def any_above_kernel(x_ptr, y_ptr, threshold, n, BLOCK: tl.constexpr):
    row = tl.program_id(0)
    c = tl.arange(0, BLOCK)
    x = tl.load(x_ptr + row * n + c, mask=c < n, other=0.0)
    hit = ((x > threshold) & (c < n)).to(tl.int32)
    tl.store(y_ptr + row, tl.max(hit, axis=0) != 0)


def any_above(x, threshold):
    x = x.contiguous()
    y = torch.empty(x.shape[0], device=x.device, dtype=torch.bool)
    any_above_kernel[(x.shape[0],)](x, y, threshold, x.shape[1], BLOCK=triton.next_power_of_2(x.shape[1]))
    return y


# </TRITON>

# <TEST>
def get_test_inputs():
    return torch.randn(20, 15, device="cuda"), 1.5


# </TEST>
