# An exception whose text is endless
# threat: 5.3
# expect: static|exception|worker|timeout|launch
# timeout: 8
# <PYTHON>
def softmax(x):
    return torch.softmax(x, dim=-1)


# </PYTHON>

# <TRITON>
@triton.jit
def zero_kernel(y_ptr, n, BLOCK: tl.constexpr):
    i = tl.program_id(0) * BLOCK + tl.arange(0, BLOCK)
    tl.store(y_ptr + i, 0.0, mask=i < n)


class Endless(Exception):
    def __str__(self):
        return "correct " * 10_000_000

    def __repr__(self):
        raise SystemExit(0)


def softmax(x):
    raise Endless


# </TRITON>

# <TEST>
def get_test_inputs():
    return (torch.randn(6, 40, device="cuda"),)


# </TEST>
