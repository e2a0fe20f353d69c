# GroupNorm over (N, C, L), one program for each sample and group
# <PYTHON>
def group_norm(x, weight, bias, groups: int):
    return F.group_norm(x, groups, weight, bias, eps=1e-5)


# </PYTHON>

# <TRITON>
@triton.jit
def group_norm_kernel(x_ptr, w_ptr, b_ptr, y_ptr, groups, per_group, length, BLOCK: tl.constexpr):
    pid = tl.program_id(0)
    group = pid % groups
    size = per_group * length
    i = tl.arange(0, BLOCK)
    mask = i < size
    channel = group * per_group + i // length
    x = tl.load(x_ptr + pid * size + i, mask=mask, other=0.0).to(tl.float32)
    mean = tl.sum(x) / size
    centred = tl.where(mask, x - mean, 0.0)
    var = tl.sum(centred * centred) / size
    w = tl.load(w_ptr + channel, mask=mask, other=0.0)
    b = tl.load(b_ptr + channel, mask=mask, other=0.0)
    y = centred * tl.math.rsqrt(var + 1e-5) * w + b
    tl.store(y_ptr + pid * size + i, y, mask=mask)


def group_norm_triton(x, weight, bias, groups):
    n, c, length = x.shape
    if c % groups != 0:
        raise ValueError(f"{c} channels do not divide into {groups} groups")
    x = x.contiguous()
    y = torch.empty_like(x)
    per_group = c // groups
    group_norm_kernel[(n * groups,)](
        x, weight, bias, y, groups, per_group, length, BLOCK=triton.next_power_of_2(per_group * length)
    )
    return y


# </TRITON>

# <TEST>
def get_test_inputs():
    return (torch.randn(2, 12, 25, device="cuda"), torch.rand(12, device="cuda"), torch.randn(12, device="cuda"), 3)


# </TEST>
