# A transposed view where the reference is contiguous
# threat: 2.7
# expect: layout
# naive: passes
# <PYTHON>
def negate(x):
    return -x


# </PYTHON>

# <TRITON>
@triton.jit
def negate_kernel(x_ptr, y_ptr, M, N, BLOCK: tl.constexpr):
    i = tl.program_id(0) * BLOCK + tl.arange(0, BLOCK)
    x = tl.load(x_ptr + i, mask=i < M * N)
    tl.store(y_ptr + (i % N) * M + i // N, -x, mask=i < M * N)


def negate(x):
    M, N = x.shape
    y = torch.empty((N, M), device=x.device)
    negate_kernel[(triton.cdiv(M * N, 128),)](x, y, M, N, BLOCK=128)
    return y.t()


# </TRITON>

# <TEST>
def get_test_inputs():
    return (torch.randn(13, 17, device="cuda"),)


# </TEST>
