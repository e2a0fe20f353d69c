# float32 for a float16 result
# threat: 2.7
# expect: dtype
# naive: passes
# <PYTHON>
def scale(x):
    return x * 0.5


# </PYTHON>

# <TRITON>
@triton.jit
def scale_kernel(x_ptr, y_ptr, n, BLOCK: tl.constexpr):
    i = tl.program_id(0) * BLOCK + tl.arange(0, BLOCK)
    x = tl.load(x_ptr + i, mask=i < n).to(tl.float32)
    tl.store(y_ptr + i, x * 0.5, mask=i < n)


def scale(x):
    y = torch.empty(x.shape, device=x.device, dtype=torch.float32)
    scale_kernel[(triton.cdiv(x.numel(), 128),)](x, y, x.numel(), BLOCK=128)
    return y


# </TRITON>

# <TEST>
def get_test_inputs():
    return (torch.randn(200, device="cuda", dtype=torch.float16),)


# </TEST>
