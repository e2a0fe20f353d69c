# Mean of all elements: Triton writes partial sums, torch adds them up
# strict: refused
# <PYTHON>
def mean_all(x):
    return torch.mean(x)


# </PYTHON>

# <TRITON>
@triton.jit
def partial_sums(x_ptr, partial_ptr, n, BLOCK: tl.constexpr):
    pid = tl.program_id(0)
    offs = pid * BLOCK + tl.arange(0, BLOCK)
    x = tl.load(x_ptr + offs, mask=offs < n, other=0.0)
    tl.store(partial_ptr + pid, tl.sum(x, axis=0))


def mean_all(x):
    n = x.numel()
    blocks = triton.cdiv(n, 256)
    partial = torch.empty(blocks, device=x.device, dtype=torch.float32)
    partial_sums[(blocks,)](x, partial, n, BLOCK=256)
    return partial.sum() / n


# </TRITON>

# <TEST>
def get_test_inputs():
    return (torch.randn(40, 50, device="cuda"),)


# </TEST>
