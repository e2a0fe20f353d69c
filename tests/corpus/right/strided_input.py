# Inputs that are a transposed view and a slice; strides are passed to the kernel
# <PYTHON>
def hadamard(a, b):
    return (a * b).contiguous()


# </PYTHON>

# <TRITON>
@triton.jit
def hadamard_kernel(a_ptr, b_ptr, o_ptr, M, N, sa0, sa1, sb0, sb1, so0, so1, BM: tl.constexpr, BN: tl.constexpr):
    m = tl.program_id(0) * BM + tl.arange(0, BM)[:, None]
    n = tl.program_id(1) * BN + tl.arange(0, BN)[None, :]
    mask = (m < M) & (n < N)
    a = tl.load(a_ptr + m * sa0 + n * sa1, mask=mask)
    b = tl.load(b_ptr + m * sb0 + n * sb1, mask=mask)
    tl.store(o_ptr + m * so0 + n * so1, a * b, mask=mask)


def hadamard(a, b):
    M, N = a.shape
    out = torch.empty((M, N), device=a.device, dtype=a.dtype)
    hadamard_kernel[(triton.cdiv(M, 16), triton.cdiv(N, 16))](
        a, b, out, M, N, a.stride(0), a.stride(1), b.stride(0), b.stride(1), out.stride(0), out.stride(1), BM=16, BN=16
    )
    return out


# </TRITON>

# <TEST>
def get_test_inputs():
    a = torch.randn(20, 33, device="cuda").t()
    b = torch.randn(33, 40, device="cuda")[:, ::2]
    return a, b


# </TEST>
