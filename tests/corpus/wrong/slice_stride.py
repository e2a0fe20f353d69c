# A slice of every second column, read with a stride of one
# threat: 2.6
# expect: numerics|memory
# <PYTHON>
def twice(x):
    return (x + x).contiguous()


# </PYTHON>

# <TRITON>
@triton.jit
def twice_kernel(x_ptr, y_ptr, n, sx, sy, BLOCK: tl.constexpr):
    row = tl.program_id(0)
    c = tl.arange(0, BLOCK)
    x = tl.load(x_ptr + row * sx + c, mask=c < n)
    tl.store(y_ptr + row * sy + c, x + x, mask=c < n)


def twice(x):
    y = torch.empty(x.shape, device=x.device)
    twice_kernel[(x.shape[0],)](x, y, x.shape[1], x.stride(0), y.stride(0), BLOCK=triton.next_power_of_2(x.shape[1]))
    return y


# </TRITON>

# <TEST>
def get_test_inputs():
    return (torch.randn(8, 40, device="cuda")[:, ::2],)


# </TEST>
