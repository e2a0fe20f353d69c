# An autotuned fused multiply-add
# <PYTHON>
def fma(x, y, z):
    return x * y + z


# </PYTHON>

# <TRITON>
@triton.autotune(
    configs=[
        triton.Config({"BLOCK": 64}, num_warps=2),
        triton.Config({"BLOCK": 128}, num_warps=4),
        triton.Config({"BLOCK": 256}, num_warps=4),
    ],
    key=["n"],
)
@triton.jit
def fma_kernel(x_ptr, y_ptr, z_ptr, out_ptr, n, BLOCK: tl.constexpr):
    offs = tl.program_id(0) * BLOCK + tl.arange(0, BLOCK)
    mask = offs < n
    x = tl.load(x_ptr + offs, mask=mask)
    y = tl.load(y_ptr + offs, mask=mask)
    z = tl.load(z_ptr + offs, mask=mask)
    tl.store(out_ptr + offs, x * y + z, mask=mask)


def fma(x, y, z):
    out = torch.empty_like(x)
    n = out.numel()
    fma_kernel[lambda meta: (triton.cdiv(n, meta["BLOCK"]),)](x, y, z, out, n)
    return out


# </TRITON>

# <TEST>
def get_test_inputs():
    return tuple([torch.randn(777, device="cuda") for _ in range(3)])


# </TEST>
