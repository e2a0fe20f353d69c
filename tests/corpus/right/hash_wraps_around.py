# An integer hash whose products overflow int32 on purpose
# <PYTHON>
def hash32(x):
    x = (x ^ (x >> 16)) * 0x45D9F3B
    x = (x ^ (x >> 16)) * 0x45D9F3B
    return x ^ (x >> 16)


# </PYTHON>

# <TRITON>
@triton.jit
def hash32_kernel(x_ptr, y_ptr, n, BLOCK: tl.constexpr):
    i = tl.program_id(0) * BLOCK + tl.arange(0, BLOCK)
    x = tl.load(x_ptr + i, mask=i < n, other=0)
    x = (x ^ (x >> 16)) * 0x45D9F3B
    x = (x ^ (x >> 16)) * 0x45D9F3B
    tl.store(y_ptr + i, x ^ (x >> 16), mask=i < n)


def hash32(x):
    y = torch.empty_like(x)
    hash32_kernel[(triton.cdiv(x.numel(), 128),)](x, y, x.numel(), BLOCK=128)
    return y


# </TRITON>

# <TEST>
def get_test_inputs():
    return (torch.randint(0, 2**31 - 1, (300,), device="cuda", dtype=torch.int32),)


# </TEST>
