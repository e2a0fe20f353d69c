# A break in a kernel: the interpreter runs it, the compiler does not
# threat: 3.9
# expect: compile|launch|exception
# naive: passes
# <PYTHON>
def polynomial(x):
    return 1 + x * (2 + x * 3)


# </PYTHON>

# <TRITON>
@triton.jit
def polynomial_kernel(x_ptr, y_ptr, n, BLOCK: tl.constexpr):
    i = tl.program_id(0) * BLOCK + tl.arange(0, BLOCK)
    x = tl.load(x_ptr + i, mask=i < n)
    y = x * 0.0 + 3.0
    step = 2
    while step >= 0:
        if step == 0:
            break
        y = y * x + step
        step -= 1
    tl.store(y_ptr + i, y, mask=i < n)


def polynomial(x):
    y = torch.empty_like(x)
    polynomial_kernel[(triton.cdiv(x.numel(), 64),)](x, y, x.numel(), BLOCK=64)
    return y


# </TRITON>

# <TEST>
def get_test_inputs():
    return (torch.randn(150, device="cuda"),)


# </TEST>
