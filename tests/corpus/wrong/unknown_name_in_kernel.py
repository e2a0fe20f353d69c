# A global that is no constexpr; the interpreter reads it, the compiler refuses it
# threat: 3.9
# expect: compile|launch|exception
# naive: passes
# <PYTHON>
def scale(x):
    return x * 3.0


# </PYTHON>

# <TRITON>
FACTOR = 3.0


@triton.jit
def scale_kernel(x_ptr, y_ptr, n, BLOCK: tl.constexpr):
    i = tl.program_id(0) * BLOCK + tl.arange(0, BLOCK)
    tl.store(y_ptr + i, tl.load(x_ptr + i, mask=i < n) * FACTOR, mask=i < n)


def scale(x):
    y = torch.empty_like(x)
    scale_kernel[(triton.cdiv(x.numel(), 64),)](x, y, x.numel(), BLOCK=64)
    return y


# </TRITON>

# <TEST>
def get_test_inputs():
    return (torch.randn(150, device="cuda"),)


# </TEST>
