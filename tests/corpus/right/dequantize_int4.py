# Two int4 values in a byte, a scale for each row
# <PYTHON>
def dequantize(packed, scale):
    low = (packed & 0xF).to(torch.float32) - 8.0
    high = (packed >> 4).to(torch.float32) - 8.0
    both = torch.stack((low, high), dim=-1).flatten(-2)
    return both * scale[:, None]


# </PYTHON>

# <TRITON>
@triton.jit
def dequantize_kernel(packed_ptr, scale_ptr, out_ptr, n, BLOCK: tl.constexpr):
    row = tl.program_id(0)
    c = tl.arange(0, BLOCK)
    byte = tl.load(packed_ptr + row * n + c, mask=c < n, other=0)
    scale = tl.load(scale_ptr + row)
    low = ((byte & 0xF).to(tl.float32) - 8.0) * scale
    high = ((byte >> 4).to(tl.float32) - 8.0) * scale
    out = tl.interleave(low, high)
    c2 = tl.arange(0, 2 * BLOCK)
    tl.store(out_ptr + row * 2 * n + c2, out, mask=c2 < 2 * n)


def dequantize(packed, scale):
    packed = packed.contiguous()
    rows, n = packed.shape
    out = torch.empty(rows, 2 * n, device=packed.device, dtype=torch.float32)
    dequantize_kernel[(rows,)](packed, scale, out, n, BLOCK=triton.next_power_of_2(n))
    return out


# </TRITON>

# <TEST>
def get_test_inputs():
    packed = torch.randint(0, 256, (8, 21), device="cuda", dtype=torch.uint8)
    return packed, torch.rand(8, device="cuda")


# </TEST>
