# A chain of float16 operations without a cast, rounded at each step as eager torch does
# <PYTHON>
def chain(x, y, z):
    return x * y + z * 0.5


# </PYTHON>

# <TRITON>
@triton.jit
def chain_kernel(x_ptr, y_ptr, z_ptr, out_ptr, n, BLOCK: tl.constexpr):
    i = tl.program_id(0) * BLOCK + tl.arange(0, BLOCK)
    x = tl.load(x_ptr + i, mask=i < n)
    y = tl.load(y_ptr + i, mask=i < n)
    z = tl.load(z_ptr + i, mask=i < n)
    tl.store(out_ptr + i, x * y + z * 0.5, mask=i < n)


def chain(x, y, z):
    out = torch.empty_like(x)
    chain_kernel[(triton.cdiv(x.numel(), 128),)](x, y, z, out, x.numel(), BLOCK=128)
    return out


# </TRITON>

# <TEST>
def get_test_inputs():
    return tuple(torch.randn(400, device="cuda").half() for _ in range(3))


# </TEST>
