# argmax that gives the last of equal maxima
# threat: 1.6
# expect: numerics
# naive: passes
# <PYTHON>
def argmax(x):
    return torch.argmax(x, dim=-1)


# </PYTHON>

# <TRITON>
@triton.jit
def argmax_kernel(x_ptr, y_ptr, n, BLOCK: tl.constexpr):
    row = tl.program_id(0)
    c = tl.arange(0, BLOCK)
    x = tl.load(x_ptr + row * n + c, mask=c < n, other=-float("inf"))
    hit = tl.where((x == tl.max(x)) & (c < n), c, -1)
    tl.store(y_ptr + row, tl.max(hit).to(tl.int64))


def argmax(x):
    y = torch.empty(x.shape[0], dtype=torch.int64, device=x.device)
    argmax_kernel[(x.shape[0],)](x, y, x.shape[1], BLOCK=triton.next_power_of_2(x.shape[1]))
    return y


# </TRITON>

# <TEST>
def get_test_inputs():
    return (torch.randn(20, 33, device="cuda"),)


# </TEST>
