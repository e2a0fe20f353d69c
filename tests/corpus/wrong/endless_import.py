# The block never finishes loading
# threat: 5.4
# expect: timeout|load
# timeout: 5
# <PYTHON>
def softmax(x):
    return torch.softmax(x, dim=-1)


# </PYTHON>

# <TRITON>
@triton.jit
def zero_kernel(y_ptr, n, BLOCK: tl.constexpr):
    i = tl.program_id(0) * BLOCK + tl.arange(0, BLOCK)
    tl.store(y_ptr + i, 0.0, mask=i < n)

n = 0
while n >= 0:
    n += 1


def softmax(x):
    y = torch.empty_like(x)
    zero_kernel[(triton.cdiv(x.numel(), 64),)](y, x.numel(), BLOCK=64)
    return y


# </TRITON>

# <TEST>
def get_test_inputs():
    return (torch.randn(6, 40, device="cuda"),)


# </TEST>
