# Cumulative sum with associative_scan, a carry between tiles
# <PYTHON>
def cumsum(x):
    return torch.cumsum(x, dim=-1)


# </PYTHON>

# <TRITON>
@triton.jit
def _add(a, b):
    return a + b


@triton.jit
def cumsum_kernel(x_ptr, y_ptr, n, BLOCK: tl.constexpr):
    row = tl.program_id(0)
    carry = tl.zeros((1,), tl.float32)
    for start in range(0, n, BLOCK):
        idx = start + tl.arange(0, BLOCK)
        x = tl.load(x_ptr + row * n + idx, mask=idx < n, other=0.0)
        scanned = tl.associative_scan(x, axis=0, combine_fn=_add) + carry
        tl.store(y_ptr + row * n + idx, scanned, mask=idx < n)
        carry += tl.sum(x, axis=0)


def cumsum(x):
    x = x.contiguous()
    y = torch.empty_like(x)
    cumsum_kernel[(x.shape[0],)](x, y, x.shape[1], BLOCK=64)
    return y


# </TRITON>

# <TEST>
def get_test_inputs():
    return (torch.randn(4, 150, device="cuda"),)


# </TEST>
