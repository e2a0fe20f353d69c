# Columns beyond 128 never take part in a maximum
# threat: 2.3
# expect: numerics
# naive: passes
# <PYTHON>
def amax(x):
    return x.amax(-1)


# </PYTHON>

# <TRITON>
@triton.jit
def amax_kernel(x_ptr, y_ptr, n, BLOCK: tl.constexpr):
    row = tl.program_id(0)
    c = tl.arange(0, BLOCK)
    x = tl.load(x_ptr + row * n + c, mask=c < n, other=-float("inf"))
    tl.store(y_ptr + row, tl.max(x))


def amax(x):
    y = torch.empty(x.shape[0], device=x.device)
    amax_kernel[(x.shape[0],)](x, y, x.shape[1], BLOCK=128)
    return y


# </TRITON>

# <TEST>
def get_test_inputs():
    return (torch.randn(10, 90, device="cuda"),)


# </TEST>
