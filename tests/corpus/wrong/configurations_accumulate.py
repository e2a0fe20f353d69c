# Atomics under autotune without reset_to_zero: what the trials of tuning add remains
# threat: 3.8
# expect: configuration|numerics|repeat|cache
# <PYTHON>
def total(x):
    return x.sum()


# </PYTHON>

# <TRITON>
@triton.autotune(configs=[triton.Config({"BLOCK": 64}), triton.Config({"BLOCK": 128})], key=["n"])
@triton.jit
def total_kernel(x_ptr, out_ptr, n, BLOCK: tl.constexpr):
    i = tl.program_id(0) * BLOCK + tl.arange(0, BLOCK)
    tl.atomic_add(out_ptr, tl.sum(tl.load(x_ptr + i, mask=i < n, other=0.0)))


def total(x):
    out = torch.zeros((), device=x.device)
    n = x.numel()
    total_kernel[lambda meta: (triton.cdiv(n, meta["BLOCK"]),)](x, out, n)
    return out


# </TRITON>

# <TEST>
def get_test_inputs():
    return (torch.randn(500, device="cuda"),)


# </TEST>
