# The wrapper sleeps for an hour
# threat: 5.4
# expect: timeout|static
# timeout: 5
# <PYTHON>
def softmax(x):
    return torch.softmax(x, dim=-1)


# </PYTHON>

# <TRITON>
import time

@triton.jit
def zero_kernel(y_ptr, n, BLOCK: tl.constexpr):
    i = tl.program_id(0) * BLOCK + tl.arange(0, BLOCK)
    tl.store(y_ptr + i, 0.0, mask=i < n)


def softmax(x):
    time.sleep(3600)
    y = torch.empty_like(x)
    zero_kernel[(triton.cdiv(x.numel(), 64),)](y, x.numel(), BLOCK=64)
    return y


# </TRITON>

# <TEST>
def get_test_inputs():
    return (torch.randn(6, 40, device="cuda"),)


# </TEST>
