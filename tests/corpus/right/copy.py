# A copy, where torch may not copy for the kernel
# <PYTHON>
def clone(src):
    return src.clone()


# </PYTHON>

# <TRITON>
@triton.jit
def copy_kernel(src_ptr, dst_ptr, n, BLOCK: tl.constexpr):
    i = tl.program_id(0) * BLOCK + tl.arange(0, BLOCK)
    tl.store(dst_ptr + i, tl.load(src_ptr + i, mask=i < n), mask=i < n)


def triton_clone(src):
    dst = torch.empty_like(src)
    copy_kernel[(triton.cdiv(src.numel(), 128),)](src, dst, src.numel(), BLOCK=128)
    return dst


# </TRITON>

# <TEST>
def get_test_inputs():
    return (torch.randn(11, 60, device="cuda"),)


# </TEST>
