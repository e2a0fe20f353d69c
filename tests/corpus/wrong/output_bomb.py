# A gigabyte of printed text
# threat: 5.4
# expect: numerics|exception|worker|timeout|static
# timeout: 20
# <PYTHON>
def softmax(x):
    return torch.softmax(x, dim=-1)


# </PYTHON>

# <TRITON>
@triton.jit
def zero_kernel(y_ptr, n, BLOCK: tl.constexpr):
    i = tl.program_id(0) * BLOCK + tl.arange(0, BLOCK)
    tl.store(y_ptr + i, 0.0, mask=i < n)


def softmax(x):
    line = "correct " * 8192
    for _ in range(16384):
        print(line)
    y = torch.empty_like(x)
    zero_kernel[(triton.cdiv(x.numel(), 64),)](y, x.numel(), BLOCK=64)
    return y


# </TRITON>

# <TEST>
def get_test_inputs():
    return (torch.randn(6, 40, device="cuda"),)


# </TEST>
