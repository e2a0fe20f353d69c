# No maximum subtracted: overflows above 88
# threat: 1.4
# expect: numerics
# naive: passes
# <PYTHON>
def softmax(x):
    return F.softmax(x, dim=-1)


# </PYTHON>

# <TRITON>
@triton.jit
def softmax_kernel(x_ptr, y_ptr, n, BLOCK: tl.constexpr):
    row = tl.program_id(0)
    c = tl.arange(0, BLOCK)
    e = tl.exp(tl.load(x_ptr + row * n + c, mask=c < n, other=-float("inf")))
    tl.store(y_ptr + row * n + c, e / tl.sum(e, axis=0), mask=c < n)


def softmax(x):
    x = x.contiguous()
    y = torch.empty_like(x)
    softmax_kernel[(x.shape[0],)](x, y, x.shape[1], BLOCK=triton.next_power_of_2(x.shape[1]))
    return y


# </TRITON>

# <TEST>
def get_test_inputs():
    return (torch.randn(8, 60, device="cuda"),)


# </TEST>
