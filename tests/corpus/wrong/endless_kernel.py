# A kernel that waits for a flag that nobody sets
# threat: 5.4
# expect: timeout|static
# timeout: 6
# <PYTHON>
def softmax(x):
    return torch.softmax(x, dim=-1)


# </PYTHON>

# <TRITON>
@triton.jit
def waiting_kernel(y_ptr, flag_ptr, n, BLOCK: tl.constexpr):
    i = tl.arange(0, BLOCK)
    while tl.atomic_add(flag_ptr, 0) == 0:
        tl.debug_barrier()
    tl.store(y_ptr + i, 0.0, mask=i < n)


def softmax(x):
    y = torch.empty_like(x)
    flag = torch.zeros(1, dtype=torch.int32, device=x.device)
    waiting_kernel[(1,)](y, flag, x.numel(), BLOCK=1024)
    return y


# </TRITON>

# <TEST>
def get_test_inputs():
    return (torch.randn(6, 40, device="cuda"),)


# </TEST>
