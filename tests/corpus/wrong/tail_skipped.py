# n // BLOCK programs: right for every multiple of the block
# threat: 2.1
# expect: numerics|memory|launch|honesty
# naive: passes
# <PYTHON>
def square(x):
    return x * x


# </PYTHON>

# <TRITON>
@triton.jit
def square_kernel(x_ptr, y_ptr, BLOCK: tl.constexpr):
    i = tl.program_id(0) * BLOCK + tl.arange(0, BLOCK)
    x = tl.load(x_ptr + i)
    tl.store(y_ptr + i, x * x)


def square(x):
    y = torch.empty_like(x)
    square_kernel[(x.numel() // 64,)](x, y, BLOCK=64)
    return y


# </TRITON>

# <TEST>
def get_test_inputs():
    return (torch.randn(512, device="cuda"),)


# </TEST>
