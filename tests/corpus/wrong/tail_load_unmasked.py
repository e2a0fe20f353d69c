# No mask on the load; the store is masked, so nothing shows in the result
# threat: 3.2
# expect: memory
# device: cpu
# naive: passes
# <PYTHON>
def double(x):
    return x * 2


# </PYTHON>

# <TRITON>
@triton.jit
def double_kernel(x_ptr, y_ptr, n, BLOCK: tl.constexpr):
    i = tl.program_id(0) * BLOCK + tl.arange(0, BLOCK)
    x = tl.load(x_ptr + i)
    tl.store(y_ptr + i, x * 2, mask=i < n)


def double(x):
    y = torch.empty_like(x)
    double_kernel[(triton.cdiv(x.numel(), 128),)](x, y, x.numel(), BLOCK=128)
    return y


# </TRITON>

# <TEST>
def get_test_inputs():
    return (torch.randn(384, device="cuda"),)


# </TEST>
