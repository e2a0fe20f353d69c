# Rows reduced through block pointers with boundary checks
# <PYTHON>
def weighted_rows(x, w):
    return (x * w).sum(-1)


# </PYTHON>

# <TRITON>
@triton.jit
def weighted_kernel(x_ptr, w_ptr, out_ptr, M, N, stride_m, stride_n, BM: tl.constexpr, BN: tl.constexpr):
    pid = tl.program_id(0)
    x_block = tl.make_block_ptr(
        base=x_ptr, shape=(M, N), strides=(stride_m, stride_n), offsets=(pid * BM, 0), block_shape=(BM, BN), order=(1, 0)
    )
    w_block = tl.make_block_ptr(base=w_ptr, shape=(N,), strides=(1,), offsets=(0,), block_shape=(BN,), order=(0,))
    acc = tl.zeros((BM,), dtype=tl.float32)
    for _ in range(tl.cdiv(N, BN)):
        x = tl.load(x_block, boundary_check=(0, 1), padding_option="zero")
        w = tl.load(w_block, boundary_check=(0,), padding_option="zero")
        acc += tl.sum(x * w[None, :], axis=1)
        x_block = x_block.advance((0, BN))
        w_block = w_block.advance((BN,))
    out_block = tl.make_block_ptr(base=out_ptr, shape=(M,), strides=(1,), offsets=(pid * BM,), block_shape=(BM,), order=(0,))
    tl.store(out_block, acc, boundary_check=(0,))


def weighted_rows(x, w):
    M, N = x.shape
    out = torch.empty((M,), device=x.device, dtype=x.dtype)
    weighted_kernel[(triton.cdiv(M, 8),)](x, w.contiguous(), out, M, N, x.stride(0), x.stride(1), BM=8, BN=32)
    return out


# </TRITON>

# <TEST>
def get_test_inputs():
    return torch.randn(21, 70, device="cuda"), torch.randn(70, device="cuda")


# </TEST>
