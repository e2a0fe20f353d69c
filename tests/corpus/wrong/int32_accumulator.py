# int64 values summed in int32
# threat: 1.5
# expect: numerics
# <PYTHON>
def total(x):
    return x.sum()


# </PYTHON>

# <TRITON>
@triton.jit
def total_kernel(x_ptr, out_ptr, n, BLOCK: tl.constexpr):
    acc = tl.zeros((BLOCK,), tl.int32)
    for start in range(0, n, BLOCK):
        i = start + tl.arange(0, BLOCK)
        acc += tl.load(x_ptr + i, mask=i < n, other=0).to(tl.int32)
    tl.store(out_ptr, tl.sum(acc).to(tl.int64))


def total(x):
    out = torch.empty((), dtype=torch.int64, device=x.device)
    total_kernel[(1,)](x, out, x.numel(), BLOCK=64)
    return out


# </TRITON>

# <TEST>
def get_test_inputs():
    return (torch.randint(0, 2**24, (700,), device="cuda"),)


# </TEST>
