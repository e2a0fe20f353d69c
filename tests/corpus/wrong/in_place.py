# The result is right, the input is gone
# threat: 3.5
# expect: inputs-changed
# naive: passes
# <PYTHON>
def relu(x):
    return torch.relu(x)


# </PYTHON>

# <TRITON>
@triton.jit
def relu_kernel(x_ptr, n, BLOCK: tl.constexpr):
    i = tl.program_id(0) * BLOCK + tl.arange(0, BLOCK)
    x = tl.load(x_ptr + i, mask=i < n)
    tl.store(x_ptr + i, tl.maximum(x, 0.0), mask=i < n)


def relu(x):
    relu_kernel[(triton.cdiv(x.numel(), 128),)](x, x.numel(), BLOCK=128)
    return x


# </TRITON>

# <TEST>
def get_test_inputs():
    return (torch.randn(200, device="cuda"),)


# </TEST>
