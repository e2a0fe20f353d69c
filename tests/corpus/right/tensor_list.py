# A list of tensors is added up, one launch for each
# <PYTHON>
def add_all(tensors):
    total = torch.zeros_like(tensors[0])
    for t in tensors:
        total = total + t
    return total


# </PYTHON>

# <TRITON>
@triton.jit
def add_into_kernel(total_ptr, x_ptr, n, FIRST: tl.constexpr, BLOCK: tl.constexpr):
    i = tl.program_id(0) * BLOCK + tl.arange(0, BLOCK)
    x = tl.load(x_ptr + i, mask=i < n)
    if not FIRST:
        x += tl.load(total_ptr + i, mask=i < n)
    tl.store(total_ptr + i, x, mask=i < n)


def add_all(tensors):
    total = torch.empty_like(tensors[0])
    n = total.numel()
    for index, t in enumerate(tensors):
        add_into_kernel[(triton.cdiv(n, 128),)](total, t, n, FIRST=index == 0, BLOCK=128)
    return total


# </TRITON>

# <TEST>
def get_test_inputs():
    return ([torch.randn(10, 30, device="cuda") for _ in range(3)],)


# </TEST>
