# Hints to the compiler: multiple_of, assume, eviction policies, static_assert, do_not_specialize
# <PYTHON>
def scale_rows(x, s):
    return x * s[:, None]


# </PYTHON>

# <TRITON>
@triton.jit(do_not_specialize=["cols"])
def scale_rows_kernel(x_ptr, s_ptr, y_ptr, cols, BLOCK: tl.constexpr):
    tl.static_assert(BLOCK % 16 == 0, "a block of 16")
    row = tl.program_id(0)
    tl.assume(row >= 0)
    c = tl.max_contiguous(tl.multiple_of(tl.arange(0, BLOCK), BLOCK), BLOCK)
    s = tl.load(s_ptr + row)
    for start in range(0, cols, BLOCK):
        inside = start + c < cols
        x = tl.load(x_ptr + row * cols + start + c, mask=inside, other=0.0, eviction_policy="evict_first")
        tl.store(y_ptr + row * cols + start + c, x * s, mask=inside, eviction_policy="evict_last")


def scale_rows(x, s):
    x = x.contiguous()
    y = torch.empty_like(x)
    scale_rows_kernel[(x.shape[0],)](x, s, y, x.shape[1], BLOCK=32, num_warps=1, num_stages=2)
    return y


# </TRITON>

# <TEST>
def get_test_inputs():
    return torch.randn(12, 50, device="cuda"), torch.randn(12, device="cuda")


# </TEST>
