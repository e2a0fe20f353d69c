# float32 to float16 within the store
# <PYTHON>
def to_half(x):
    return x.to(torch.float16)


# </PYTHON>

# <TRITON>
@triton.jit
def cast_kernel(x_ptr, y_ptr, n, BLOCK: tl.constexpr):
    i = tl.program_id(0) * BLOCK + tl.arange(0, BLOCK)
    x = tl.load(x_ptr + i, mask=i < n)
    tl.store(y_ptr + i, x.to(tl.float16), mask=i < n)


def to_half(x):
    y = torch.empty(x.shape, device=x.device, dtype=torch.float16)
    x = x.contiguous()
    cast_kernel[(triton.cdiv(x.numel(), 256),)](x, y, x.numel(), BLOCK=256)
    return y


# </TRITON>

# <TEST>
def get_test_inputs():
    return (torch.randn(3, 7, 31, device="cuda"),)


# </TEST>
