# The second operand of a batched product is that of batch 0 for all
# threat: 2.4
# expect: numerics
# naive: passes
# <PYTHON>
def weighted(x, w):
    return x * w[:, None, :]


# </PYTHON>

# <TRITON>
@triton.jit
def weighted_kernel(x_ptr, w_ptr, y_ptr, total, cols, BLOCK: tl.constexpr):
    i = tl.program_id(0) * BLOCK + tl.arange(0, BLOCK)
    x = tl.load(x_ptr + i, mask=i < total)
    w = tl.load(w_ptr + i % cols, mask=i < total)
    tl.store(y_ptr + i, x * w, mask=i < total)


def weighted(x, w):
    y = torch.empty_like(x)
    weighted_kernel[(triton.cdiv(x.numel(), 128),)](x, w, y, x.numel(), x.shape[-1], BLOCK=128)
    return y


# </TRITON>

# <TEST>
def get_test_inputs():
    return torch.randn(1, 8, 20, device="cuda"), torch.randn(1, 20, device="cuda")


# </TEST>
