# Padding of a maximum pool counts as zero, which wins over negative values
# threat: 1.2
# expect: numerics
# naive: passes
# <PYTHON>
def max_pool(x):
    return F.max_pool1d(x, kernel_size=3, stride=1, padding=1)


# </PYTHON>

# <TRITON>
@triton.jit
def max_pool_kernel(x_ptr, y_ptr, length, BLOCK: tl.constexpr):
    row = tl.program_id(0)
    o = tl.program_id(1) * BLOCK + tl.arange(0, BLOCK)
    x_ptr += row * length
    left = tl.load(x_ptr + o - 1, mask=(o >= 1) & (o - 1 < length), other=0.0)
    mid = tl.load(x_ptr + o, mask=o < length, other=0.0)
    right = tl.load(x_ptr + o + 1, mask=o + 1 < length, other=0.0)
    tl.store(y_ptr + row * length + o, tl.maximum(tl.maximum(left, mid), right), mask=o < length)


def max_pool(x):
    y = torch.empty_like(x)
    length = x.shape[-1]
    max_pool_kernel[(x.numel() // length, triton.cdiv(length, 32))](x, y, length, BLOCK=32)
    return y


# </TRITON>

# <TEST>
def get_test_inputs():
    return (torch.rand(2, 3, 40, device="cuda"),)


# </TEST>
