# Tiles through tensor descriptors made on the device
# <PYTHON>
def add_one(x):
    return x + 1.0


# </PYTHON>

# <TRITON>
@triton.jit
def add_one_kernel(x_ptr, y_ptr, M, N, BM: tl.constexpr, BN: tl.constexpr):
    x_desc = tl.make_tensor_descriptor(x_ptr, shape=[M, N], strides=[N, 1], block_shape=[BM, BN])
    y_desc = tl.make_tensor_descriptor(y_ptr, shape=[M, N], strides=[N, 1], block_shape=[BM, BN])
    m, n = tl.program_id(0) * BM, tl.program_id(1) * BN
    y_desc.store([m, n], x_desc.load([m, n]) + 1.0)


def _allocate(size, alignment, stream):
    return torch.empty(size, device="cuda", dtype=torch.int8)


def add_one(x):
    x = x.contiguous()
    M, N = x.shape
    if N % 4:
        raise ValueError("rows must be multiples of 16 bytes")
    y = torch.empty_like(x)
    triton.set_allocator(_allocate)
    add_one_kernel[(triton.cdiv(M, 16), triton.cdiv(N, 32))](x, y, M, N, BM=16, BN=32)
    return y


# </TRITON>

# <TEST>
def get_test_inputs():
    return (torch.randn(40, 52, device="cuda"),)


# </TEST>
