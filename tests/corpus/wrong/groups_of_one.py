# The number of groups is ignored: one group was given
# threat: 1.7
# expect: numerics
# naive: passes
# <PYTHON>
def group_norm(x, groups: int):
    return F.group_norm(x, groups)


# </PYTHON>

# <TRITON>
@triton.jit
def gn_kernel(x_ptr, y_ptr, size, BLOCK: tl.constexpr):
    row = tl.program_id(0)
    c = tl.arange(0, BLOCK)
    x = tl.load(x_ptr + row * size + c, mask=c < size, other=0.0)
    d = tl.where(c < size, x - tl.sum(x) / size, 0.0)
    tl.store(y_ptr + row * size + c, d * tl.rsqrt(tl.sum(d * d) / size + 1e-5), mask=c < size)


def group_norm(x, groups):
    y = torch.empty_like(x)
    size = x[0].numel()
    gn_kernel[(x.shape[0],)](x, y, size, BLOCK=triton.next_power_of_2(size))
    return y


# </TRITON>

# <TEST>
def get_test_inputs():
    return torch.randn(3, 8, 10, device="cuda"), 1


# </TEST>
