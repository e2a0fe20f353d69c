# The launch sits in an autograd.Function, as libraries write it
# <PYTHON>
def swish(x, beta):
    return x * torch.sigmoid(beta * x)


# </PYTHON>

# <TRITON>
@triton.jit
def swish_fwd_kernel(x_ptr, y_ptr, beta, n, BLOCK: tl.constexpr):
    i = tl.program_id(0) * BLOCK + tl.arange(0, BLOCK)
    x = tl.load(x_ptr + i, mask=i < n)
    tl.store(y_ptr + i, x / (1.0 + tl.exp(-beta * x)), mask=i < n)


class _Swish(torch.autograd.Function):
    @staticmethod
    def forward(ctx, x, beta):
        y = torch.empty_like(x)
        swish_fwd_kernel[(triton.cdiv(x.numel(), 128),)](x, y, beta, x.numel(), BLOCK=128)
        ctx.save_for_backward(x)
        ctx.beta = beta
        return y


def swish(x, beta):
    return _Swish.apply(x, beta)


# </TRITON>

# <TEST>
def get_test_inputs():
    return torch.randn(300, device="cuda"), 1.7


# </TEST>
