# int32 indices where torch gives int64
# threat: 2.7
# expect: dtype
# naive: passes
# <PYTHON>
def argmin(x):
    return x.argmin(dim=-1)


# </PYTHON>

# <TRITON>
@triton.jit
def argmin_kernel(x_ptr, y_ptr, n, BLOCK: tl.constexpr):
    row = tl.program_id(0)
    c = tl.arange(0, BLOCK)
    x = tl.load(x_ptr + row * n + c, mask=c < n, other=float("inf"))
    tl.store(y_ptr + row, tl.argmin(x, axis=0))


def argmin(x):
    y = torch.empty(x.shape[0], device=x.device, dtype=torch.int32)
    argmin_kernel[(x.shape[0],)](x, y, x.shape[1], BLOCK=triton.next_power_of_2(x.shape[1]))
    return y


# </TRITON>

# <TEST>
def get_test_inputs():
    return (torch.randn(9, 21, device="cuda"),)


# </TEST>
