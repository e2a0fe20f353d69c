# The reference changes its first argument, and so does the wrapper
# <PYTHON>
def accumulate_(total, x, alpha: float):
    total.add_(x, alpha=alpha)
    return total


# </PYTHON>

# <TRITON>
@triton.jit
def accumulate_kernel(total_ptr, x_ptr, alpha, n, BLOCK: tl.constexpr):
    i = tl.program_id(0) * BLOCK + tl.arange(0, BLOCK)
    t = tl.load(total_ptr + i, mask=i < n)
    x = tl.load(x_ptr + i, mask=i < n)
    tl.store(total_ptr + i, t + alpha * x, mask=i < n)


def accumulate_(total, x, alpha):
    accumulate_kernel[(triton.cdiv(total.numel(), 128),)](total, x, alpha, total.numel(), BLOCK=128)
    return total


# </TRITON>

# <TEST>
def get_test_inputs():
    return torch.randn(260, device="cuda"), torch.randn(260, device="cuda"), 0.1


# </TEST>
