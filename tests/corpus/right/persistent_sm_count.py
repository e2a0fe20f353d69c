# As many programs as the device has multiprocessors
# <PYTHON>
def lerp(a, b, weight):
    return a + weight * (b - a)


# </PYTHON>

# <TRITON>
@triton.jit
def lerp_kernel(a_ptr, b_ptr, o_ptr, weight, n, BLOCK: tl.constexpr):
    start = tl.program_id(0)
    step = tl.num_programs(0)
    for tile in range(start, tl.cdiv(n, BLOCK), step):
        i = tile * BLOCK + tl.arange(0, BLOCK)
        a = tl.load(a_ptr + i, mask=i < n)
        b = tl.load(b_ptr + i, mask=i < n)
        tl.store(o_ptr + i, a + weight * (b - a), mask=i < n)


def lerp(a, b, weight):
    out = torch.empty_like(a)
    sms = torch.cuda.get_device_properties(a.device).multi_processor_count
    lerp_kernel[(min(sms, triton.cdiv(a.numel(), 64)),)](a, b, out, weight, a.numel(), BLOCK=64)
    return out


# </TRITON>

# <TEST>
def get_test_inputs():
    return torch.randn(900, device="cuda"), torch.randn(900, device="cuda"), 0.3


# </TEST>
