# Batch normalisation at inference over (N, C, H, W); the running variance is positive
# <PYTHON>
def batch_norm(x, running_mean, running_var, weight, bias):
    return F.batch_norm(x, running_mean, running_var, weight, bias, training=False, eps=1e-5)


# </PYTHON>

# <TRITON>
@triton.jit
def bn_kernel(x, mean, var, w, b, y, C, HW, BLOCK: tl.constexpr):
    nc = tl.program_id(0)
    c = nc % C
    scale = tl.load(w + c) / tl.sqrt(tl.load(var + c) + 1e-5)
    mu = tl.load(mean + c)
    shift = tl.load(b + c)
    offs = tl.program_id(1) * BLOCK + tl.arange(0, BLOCK)
    v = tl.load(x + nc * HW + offs, mask=offs < HW)
    tl.store(y + nc * HW + offs, (v - mu) * scale + shift, mask=offs < HW)


def batch_norm_inference(x, running_mean, running_var, weight, bias):
    x = x.contiguous()
    N, C, H, W = x.shape
    y = torch.empty_like(x)
    bn_kernel[(N * C, triton.cdiv(H * W, 64))](
        x, running_mean, running_var, weight, bias, y, C, H * W, BLOCK=64
    )
    return y


# </TRITON>

# <TEST>
def get_test_inputs():
    C = 5
    return (
        torch.randn(2, C, 9, 8, device="cuda"),
        torch.randn(C, device="cuda"),
        torch.rand(C, device="cuda") + 0.5,
        torch.randn(C, device="cuda"),
        torch.randn(C, device="cuda"),
    )


# </TEST>
