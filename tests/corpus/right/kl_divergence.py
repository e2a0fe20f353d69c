# KL divergence from log-probabilities, summed over the last dimension
# <PYTHON>
def kl(log_p, log_q):
    """Both are log-probabilities; the target is log_q."""
    return F.kl_div(log_p, log_q, reduction="none", log_target=True).sum(-1)


# </PYTHON>

# <TRITON>
@triton.jit
def kl_kernel(p_ptr, q_ptr, out_ptr, n, BLOCK: tl.constexpr):
    row = tl.program_id(0)
    c = tl.arange(0, BLOCK)
    p = tl.load(p_ptr + row * n + c, mask=c < n, other=0.0)
    q = tl.load(q_ptr + row * n + c, mask=c < n, other=0.0)
    terms = tl.where(c < n, tl.exp(q) * (q - p), 0.0)
    tl.store(out_ptr + row, tl.sum(terms, axis=0))


def kl(log_p, log_q):
    log_p, log_q = log_p.contiguous(), log_q.contiguous()
    out = torch.empty(log_p.shape[0], device=log_p.device, dtype=log_p.dtype)
    kl_kernel[(log_p.shape[0],)](log_p, log_q, out, log_p.shape[1], BLOCK=triton.next_power_of_2(log_p.shape[1]))
    return out


# </TRITON>

# <TEST>
def get_test_inputs():
    log_p = torch.log_softmax(torch.randn(7, 33, device="cuda"), -1)
    log_q = torch.log_softmax(torch.randn(7, 33, device="cuda"), -1)
    return log_p, log_q


# </TEST>
