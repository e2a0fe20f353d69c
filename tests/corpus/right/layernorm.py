# LayerNorm with weight and bias, two passes in float32
# <PYTHON>
def layer_norm(x, weight, bias, eps=1e-5):
    mean = x.mean(dim=-1, keepdim=True)
    var = x.var(dim=-1, keepdim=True, unbiased=False)
    return (x - mean) / torch.sqrt(var + eps) * weight + bias


# </PYTHON>

# <TRITON>
@triton.jit
def layer_norm_kernel(X, Y, W, B, stride, N, eps, BLOCK_SIZE: tl.constexpr):
    row = tl.program_id(0)
    Y += row * stride
    X += row * stride
    cols = tl.arange(0, BLOCK_SIZE)
    mask = cols < N
    x = tl.load(X + cols, mask=mask, other=0.0).to(tl.float32)
    mean = tl.sum(x, axis=0) / N
    diff = tl.where(mask, x - mean, 0.0)
    var = tl.sum(diff * diff, axis=0) / N
    rstd = 1 / tl.sqrt(var + eps)
    w = tl.load(W + cols, mask=mask)
    b = tl.load(B + cols, mask=mask)
    tl.store(Y + cols, diff * rstd * w + b, mask=mask)


def layer_norm(x, weight, bias, eps=1e-5):
    x_arg = x.contiguous().view(-1, x.shape[-1])
    y = torch.empty_like(x_arg)
    M, N = x_arg.shape
    layer_norm_kernel[(M,)](x_arg, y, weight, bias, x_arg.stride(0), N, eps, BLOCK_SIZE=triton.next_power_of_2(N), num_warps=4)
    return y.view(x.shape)


# </TRITON>

# <TEST>
def get_test_inputs():
    hidden = 96
    return (
        torch.randn(2, 5, hidden, device="cuda"),
        torch.randn(hidden, device="cuda"),
        torch.randn(hidden, device="cuda"),
    )


# </TEST>
