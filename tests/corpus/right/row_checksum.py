# Rows of int32 summed with wrap-around
# <PYTHON>
def checksum(x):
    return x.sum(-1, dtype=torch.int32)


# </PYTHON>

# <TRITON>
@triton.jit
def checksum_kernel(x_ptr, y_ptr, n, BLOCK: tl.constexpr):
    row = tl.program_id(0)
    c = tl.arange(0, BLOCK)
    x = tl.load(x_ptr + row * n + c, mask=c < n, other=0)
    tl.store(y_ptr + row, tl.sum(x, axis=0))


def checksum(x):
    x = x.contiguous()
    y = torch.empty(x.shape[0], device=x.device, dtype=torch.int32)
    checksum_kernel[(x.shape[0],)](x, y, x.shape[1], BLOCK=triton.next_power_of_2(x.shape[1]))
    return y


# </TRITON>

# <TEST>
def get_test_inputs():
    return (torch.randint(0, 2**31 - 1, (6, 30), device="cuda", dtype=torch.int32),)


# </TEST>
