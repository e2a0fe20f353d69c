# One bin more than there is: it is written where a value beyond the last bin comes
# threat: 3.1
# expect: memory
# naive: passes
# <PYTHON>
def histogram(x, bins: int):
    return (x[:, None] == torch.arange(bins, device=x.device)).sum(0)


# </PYTHON>

# <TRITON>
@triton.jit
def histogram_kernel(x_ptr, out_ptr, n, bins, BLOCK: tl.constexpr):
    i = tl.program_id(0) * BLOCK + tl.arange(0, BLOCK)
    x = tl.load(x_ptr + i, mask=i < n, other=-1)
    tl.atomic_add(out_ptr + x, tl.full((BLOCK,), 1, tl.int64), mask=(x >= 0) & (x <= bins))


def histogram(x, bins):
    out = torch.zeros(bins, dtype=torch.int64, device=x.device)
    histogram_kernel[(triton.cdiv(x.numel(), 128),)](x, out, x.numel(), bins, BLOCK=128)
    return out


# </TRITON>

# <TEST>
def get_test_inputs():
    return torch.randint(0, 10, (500,), device="cuda"), 10


# </TEST>
