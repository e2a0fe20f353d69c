# floor by a cast to int: wrong below zero
# threat: 1.2
# expect: numerics
# naive: passes
# <PYTHON>
def floor_fraction(x):
    return x - torch.floor(x)


# </PYTHON>

# <TRITON>
@triton.jit
def fraction_kernel(x_ptr, y_ptr, n, BLOCK: tl.constexpr):
    i = tl.program_id(0) * BLOCK + tl.arange(0, BLOCK)
    x = tl.load(x_ptr + i, mask=i < n, other=0.0)
    tl.store(y_ptr + i, x - x.to(tl.int32).to(tl.float32), mask=i < n)


def floor_fraction(x):
    y = torch.empty_like(x)
    fraction_kernel[(triton.cdiv(x.numel(), 128),)](x, y, x.numel(), BLOCK=128)
    return y


# </TRITON>

# <TEST>
def get_test_inputs():
    return (torch.rand(300, device="cuda") * 50,)


# </TEST>
