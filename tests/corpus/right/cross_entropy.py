# Cross entropy for each row, integer targets
# <PYTHON>
def cross_entropy(logits, targets):
    return F.cross_entropy(logits, targets, reduction="none")


# </PYTHON>

# <TRITON>
@triton.jit
def cross_entropy_kernel(logits_ptr, targets_ptr, loss_ptr, n_classes, stride, BLOCK: tl.constexpr):
    row = tl.program_id(0)
    logits_ptr += row * stride
    target = tl.load(targets_ptr + row)
    cols = tl.arange(0, BLOCK)
    x = tl.load(logits_ptr + cols, mask=cols < n_classes, other=-float("inf")).to(tl.float32)
    peak = tl.max(x, axis=0)
    lse = tl.log(tl.sum(tl.exp(x - peak), axis=0))
    picked = tl.load(logits_ptr + target).to(tl.float32)
    # The maximum is subtracted first: lse + (peak - picked) would lose what log1p keeps
    tl.store(loss_ptr + row, lse - (picked - peak))


def cross_entropy(logits, targets):
    n, classes = logits.shape
    loss = torch.empty(n, device=logits.device, dtype=torch.float32)
    cross_entropy_kernel[(n,)](logits, targets, loss, classes, logits.stride(0), BLOCK=triton.next_power_of_2(classes))
    return loss


# </TRITON>

# <TEST>
def get_test_inputs():
    return torch.randn(16, 37, device="cuda"), torch.randint(0, 37, (16,), device="cuda")


# </TEST>
