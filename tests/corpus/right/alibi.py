# A result that depends on sizes only: causal bias matrix
# <PYTHON>
def alibi(slopes, length: int):
    position = torch.arange(length, device=slopes.device)
    distance = (position[None, :] - position[:, None]).to(slopes.dtype)
    return slopes[:, None, None] * distance


# </PYTHON>

# <TRITON>
@triton.jit
def alibi_kernel(slopes_ptr, out_ptr, L, BLOCK: tl.constexpr):
    h = tl.program_id(0)
    i = tl.program_id(1) * 16 + tl.arange(0, 16)[:, None]
    j = tl.arange(0, BLOCK)[None, :]
    slope = tl.load(slopes_ptr + h)
    tl.store(out_ptr + (h * L + i) * L + j, slope * (j - i), mask=(i < L) & (j < L))


def alibi(slopes, length):
    heads = slopes.numel()
    out = torch.empty((heads, length, length), device=slopes.device, dtype=slopes.dtype)
    alibi_kernel[(heads, triton.cdiv(length, 16))](slopes, out, length, BLOCK=triton.next_power_of_2(length))
    return out


# </TRITON>

# <TEST>
def get_test_inputs():
    return torch.rand(4, device="cuda"), 18


# </TEST>
