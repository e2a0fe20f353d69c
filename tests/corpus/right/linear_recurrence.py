# h[t] = a[t] h[t-1] + x[t] along time by an associative scan over pairs
# <PYTHON>
def recurrence(a, x):
    h = torch.zeros_like(x[:, 0])
    out = []
    for t in range(x.shape[1]):
        h = a[:, t] * h + x[:, t]
        out.append(h)
    return torch.stack(out, dim=1)


# </PYTHON>

# <TRITON>
@triton.jit
def _step(a1, x1, a2, x2):
    return a1 * a2, x1 * a2 + x2


@triton.jit
def recurrence_kernel(a_ptr, x_ptr, h_ptr, T, BLOCK: tl.constexpr):
    row = tl.program_id(0)
    t = tl.arange(0, BLOCK)
    a = tl.load(a_ptr + row * T + t, mask=t < T, other=1.0)
    x = tl.load(x_ptr + row * T + t, mask=t < T, other=0.0)
    _, h = tl.associative_scan((a, x), 0, _step)
    tl.store(h_ptr + row * T + t, h, mask=t < T)


def recurrence(a, x):
    a, x = a.contiguous(), x.contiguous()
    h = torch.empty_like(x)
    recurrence_kernel[(x.shape[0],)](a, x, h, x.shape[1], BLOCK=triton.next_power_of_2(x.shape[1]))
    return h


# </TRITON>

# <TEST>
def get_test_inputs():
    return torch.rand(5, 24, device="cuda"), torch.randn(5, 24, device="cuda")


# </TEST>
