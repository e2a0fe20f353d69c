# No mask on the store: writes past the end unless n is a multiple of the block
# threat: 3.1
# expect: memory
# naive: passes
# <PYTHON>
def add(x, y):
    return x + y


# </PYTHON>

# <TRITON>
@triton.jit
def add_kernel(x_ptr, y_ptr, out_ptr, n, BLOCK: tl.constexpr):
    i = tl.program_id(0) * BLOCK + tl.arange(0, BLOCK)
    x = tl.load(x_ptr + i, mask=i < n, other=0.0)
    y = tl.load(y_ptr + i, mask=i < n, other=0.0)
    tl.store(out_ptr + i, x + y)


def add(x, y):
    out = torch.empty_like(x)
    add_kernel[(triton.cdiv(x.numel(), 128),)](x, y, out, x.numel(), BLOCK=128)
    return out


# </TRITON>

# <TEST>
def get_test_inputs():
    return torch.randn(256, device="cuda"), torch.randn(256, device="cuda")


# </TEST>
