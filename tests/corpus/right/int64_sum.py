# An exact sum of int64
# <PYTHON>
def total(x):
    return torch.sum(x)


# </PYTHON>

# <TRITON>
@triton.jit
def total_kernel(x_ptr, out_ptr, n, BLOCK: tl.constexpr):
    acc = tl.zeros((BLOCK,), tl.int64)
    for start in range(0, n, BLOCK):
        i = start + tl.arange(0, BLOCK)
        acc += tl.load(x_ptr + i, mask=i < n, other=0)
    tl.store(out_ptr, tl.sum(acc, axis=0))


def total(x):
    out = torch.empty((), dtype=torch.int64, device=x.device)
    total_kernel[(1,)](x.contiguous(), out, x.numel(), BLOCK=128)
    return out


# </TRITON>

# <TEST>
def get_test_inputs():
    return (torch.randint(-(2**40), 2**40, (15, 20), device="cuda"),)


# </TEST>
