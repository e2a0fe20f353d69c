# Bit tricks on int32
# <PYTHON>
def mix(a, b):
    return ((a ^ b) & 0xFF) + ((a | b) >> 3) - (a << 2)


# </PYTHON>

# <TRITON>
@triton.jit
def mix_kernel(a_ptr, b_ptr, out_ptr, n, BLOCK: tl.constexpr):
    i = tl.program_id(0) * BLOCK + tl.arange(0, BLOCK)
    a = tl.load(a_ptr + i, mask=i < n, other=0)
    b = tl.load(b_ptr + i, mask=i < n, other=0)
    tl.store(out_ptr + i, ((a ^ b) & 0xFF) + ((a | b) >> 3) - (a << 2), mask=i < n)


def mix(a, b):
    out = torch.empty_like(a)
    mix_kernel[(triton.cdiv(a.numel(), 64),)](a, b, out, a.numel(), BLOCK=64)
    return out


# </TRITON>

# <TEST>
def get_test_inputs():
    a = torch.randint(-1000, 1000, (300,), device="cuda", dtype=torch.int32)
    b = torch.randint(-1000, 1000, (300,), device="cuda", dtype=torch.int32)
    return a, b


# </TEST>
