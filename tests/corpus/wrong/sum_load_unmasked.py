# A reduction that reads past the end of its input
# threat: 3.2
# expect: memory|numerics
# naive: passes
# <PYTHON>
def total(x):
    return x.sum()


# </PYTHON>

# <TRITON>
@triton.jit
def total_kernel(x_ptr, out_ptr, n, BLOCK: tl.constexpr):
    acc = tl.zeros((BLOCK,), tl.float32)
    for start in range(0, n, BLOCK):
        acc += tl.load(x_ptr + start + tl.arange(0, BLOCK))
    tl.store(out_ptr, tl.sum(acc))


def total(x):
    out = torch.empty((), device=x.device)
    total_kernel[(1,)](x, out, x.numel(), BLOCK=128)
    return out


# </TRITON>

# <TEST>
def get_test_inputs():
    return (torch.randn(512, device="cuda"),)


# </TEST>
