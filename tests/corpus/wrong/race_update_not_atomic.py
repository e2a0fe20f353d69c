# Each program loads, adds and stores the same cell; one after the other that is right
# threat: 3.6
# expect: numerics|repeat
# naive: passes
# device: cuda
# <PYTHON>
def column_sum(x):
    return x.sum(0)


# </PYTHON>

# <TRITON>
@triton.jit
def column_sum_kernel(x_ptr, out_ptr, cols, BLOCK: tl.constexpr):
    r = tl.program_id(0)
    c = tl.arange(0, BLOCK)
    x = tl.load(x_ptr + r * cols + c, mask=c < cols, other=0.0)
    seen = tl.load(out_ptr + c, mask=c < cols, other=0.0)
    tl.store(out_ptr + c, seen + x, mask=c < cols)


def column_sum(x):
    rows, cols = x.shape
    out = torch.zeros(cols, device=x.device)
    column_sum_kernel[(rows,)](x, out, cols, BLOCK=triton.next_power_of_2(cols))
    return out


# </TRITON>

# <TEST>
def get_test_inputs():
    return (torch.randn(500, 32, device="cuda"),)


# </TEST>
