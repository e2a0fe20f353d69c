# The TRITON block imports what is not there
# threat: 6.3
# expect: load|static
# <PYTHON>
def softmax(x):
    return torch.softmax(x, dim=-1)


# </PYTHON>

# <TRITON>
from my_private_kernels import softmax_kernel


def softmax(x):
    y = torch.empty_like(x)
    softmax_kernel[(x.shape[0],)](x, y, x.shape[1], BLOCK=triton.next_power_of_2(x.shape[1]))
    return y


# </TRITON>

# <TEST>
def get_test_inputs():
    return (torch.randn(6, 40, device="cuda"),)


# </TEST>
