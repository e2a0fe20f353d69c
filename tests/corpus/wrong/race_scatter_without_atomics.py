# Rows with the same index overwrite each other in one program
# threat: 3.6
# expect: numerics|repeat
# <PYTHON>
def scatter_add(values, index, size: int):
    return torch.zeros(size, device=values.device).index_add(0, index, values)


# </PYTHON>

# <TRITON>
@triton.jit
def scatter_kernel(v_ptr, i_ptr, o_ptr, n, BLOCK: tl.constexpr):
    k = tl.program_id(0) * BLOCK + tl.arange(0, BLOCK)
    at = tl.load(i_ptr + k, mask=k < n, other=0)
    v = tl.load(v_ptr + k, mask=k < n, other=0.0)
    old = tl.load(o_ptr + at, mask=k < n, other=0.0)
    tl.store(o_ptr + at, old + v, mask=k < n)


def scatter_add(values, index, size):
    out = torch.zeros(size, device=values.device)
    scatter_kernel[(triton.cdiv(values.numel(), 128),)](values, index, out, values.numel(), BLOCK=128)
    return out


# </TRITON>

# <TEST>
def get_test_inputs():
    return torch.randn(100, device="cuda"), torch.randint(0, 8, (100,), device="cuda"), 8


# </TEST>
