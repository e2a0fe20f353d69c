# tl.range with num_stages, a persistent grid of a few programs
# <PYTHON>
def scale_shift(x, scale, shift):
    return x * scale + shift


# </PYTHON>

# <TRITON>
@triton.jit
def persistent_kernel(x_ptr, out_ptr, scale, shift, n, programs, BLOCK: tl.constexpr):
    pid = tl.program_id(0)
    tiles = tl.cdiv(n, BLOCK)
    for tile in tl.range(pid, tiles, programs, num_stages=2):
        offs = tile * BLOCK + tl.arange(0, BLOCK)
        x = tl.load(x_ptr + offs, mask=offs < n)
        tl.store(out_ptr + offs, x * scale + shift, mask=offs < n)


def scale_shift(x, scale, shift):
    out = torch.empty_like(x)
    n = x.numel()
    programs = min(3, triton.cdiv(n, 64))
    persistent_kernel[(programs,)](x, out, scale, shift, n, programs, BLOCK=64)
    return out


# </TRITON>

# <TEST>
def get_test_inputs():
    return torch.randn(650, device="cuda"), 2.5, -1.25


# </TEST>
