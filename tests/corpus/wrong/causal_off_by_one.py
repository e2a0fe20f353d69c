# The diagonal of a causal mask is hidden too
# threat: 1.6
# expect: numerics
# <PYTHON>
def causal(scores):
    n = scores.shape[-1]
    keep = torch.ones(n, n, device=scores.device, dtype=torch.bool).tril()
    return scores.masked_fill(~keep, -1e9)


# </PYTHON>

# <TRITON>
@triton.jit
def causal_kernel(s_ptr, o_ptr, n, BLOCK: tl.constexpr):
    row = tl.program_id(0)
    c = tl.arange(0, BLOCK)
    s = tl.load(s_ptr + row * n + c, mask=c < n)
    tl.store(o_ptr + row * n + c, tl.where(c < row, s, -1e9), mask=c < n)


def causal(scores):
    out = torch.empty_like(scores)
    n = scores.shape[-1]
    causal_kernel[(n,)](scores, out, n, BLOCK=triton.next_power_of_2(n))
    return out


# </TRITON>

# <TEST>
def get_test_inputs():
    return (torch.randn(24, 24, device="cuda"),)


# </TEST>
