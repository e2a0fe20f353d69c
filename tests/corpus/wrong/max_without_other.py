# No `other` in a row maximum: what lies in lanes that are masked off takes part; 64 columns were given
# threat: 3.4
# expect: numerics|memory|repeat
# device: cpu
# naive: passes
# <PYTHON>
def row_max(x):
    return x.amax(dim=-1)


# </PYTHON>

# <TRITON>
@triton.jit
def row_max_kernel(x_ptr, y_ptr, n, BLOCK: tl.constexpr):
    row = tl.program_id(0)
    c = tl.arange(0, BLOCK)
    x = tl.load(x_ptr + row * n + c, mask=c < n)
    tl.store(y_ptr + row, tl.max(x, axis=0))


def row_max(x):
    y = torch.empty(x.shape[0], device=x.device)
    row_max_kernel[(x.shape[0],)](x, y, x.shape[1], BLOCK=triton.next_power_of_2(x.shape[1]))
    return y


# </TRITON>

# <TEST>
def get_test_inputs():
    return (torch.randn(8, 64, device="cuda"),)


# </TEST>
