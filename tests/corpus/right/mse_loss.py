# Mean squared error: one program loops over everything
# <PYTHON>
def mse(pred, target):
    return F.mse_loss(pred, target)


# </PYTHON>

# <TRITON>
@triton.jit
def mse_kernel(p_ptr, t_ptr, loss_ptr, n, BLOCK: tl.constexpr):
    acc = tl.zeros((BLOCK,), dtype=tl.float32)
    for start in range(0, n, BLOCK):
        i = start + tl.arange(0, BLOCK)
        d = tl.load(p_ptr + i, mask=i < n, other=0.0) - tl.load(t_ptr + i, mask=i < n, other=0.0)
        acc += d * d
    tl.store(loss_ptr, tl.sum(acc, axis=0) / n)


def mse(pred, target):
    pred, target = pred.contiguous(), target.contiguous()
    loss = torch.empty((), device=pred.device, dtype=torch.float32)
    mse_kernel[(1,)](pred, target, loss, pred.numel(), BLOCK=256)
    return loss


# </TRITON>

# <TEST>
def get_test_inputs():
    return torch.randn(30, 21, device="cuda"), torch.randn(30, 21, device="cuda")


# </TEST>
