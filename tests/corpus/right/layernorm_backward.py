# Gradients of a layer norm: one for the input, two reduced over rows in a second kernel
# <PYTHON>
def layer_norm_backward(dy, x, weight):
    mean = x.mean(-1, keepdim=True)
    centred = x - mean
    rstd = torch.rsqrt((centred * centred).mean(-1, keepdim=True) + 1e-5)
    xhat = centred * rstd
    wdy = weight * dy
    c1 = (xhat * wdy).mean(-1, keepdim=True)
    c2 = wdy.mean(-1, keepdim=True)
    dx = (wdy - (xhat * c1 + c2)) * rstd
    return dx, (dy * xhat).sum(0), dy.sum(0)


# </PYTHON>

# <TRITON>
@triton.jit
def dx_kernel(dy_ptr, x_ptr, w_ptr, dx_ptr, pw_ptr, n, BLOCK: tl.constexpr):
    row = tl.program_id(0)
    c = tl.arange(0, BLOCK)
    mask = c < n
    x = tl.load(x_ptr + row * n + c, mask=mask, other=0.0)
    dy = tl.load(dy_ptr + row * n + c, mask=mask, other=0.0)
    w = tl.load(w_ptr + c, mask=mask, other=0.0)
    d = tl.where(mask, x - tl.sum(x) / n, 0.0)
    rstd = tl.rsqrt(tl.sum(d * d) / n + 1e-5)
    xhat = d * rstd
    wdy = w * dy
    c1 = tl.sum(xhat * wdy) / n
    c2 = tl.sum(wdy) / n
    tl.store(dx_ptr + row * n + c, (wdy - (xhat * c1 + c2)) * rstd, mask=mask)
    tl.store(pw_ptr + row * n + c, dy * xhat, mask=mask)


@triton.jit
def column_sums_kernel(pw_ptr, dy_ptr, dw_ptr, db_ptr, rows, n, BLOCK: tl.constexpr):
    c = tl.program_id(0) * BLOCK + tl.arange(0, BLOCK)
    dw = tl.zeros((BLOCK,), tl.float32)
    db = tl.zeros((BLOCK,), tl.float32)
    for r in range(rows):
        dw += tl.load(pw_ptr + r * n + c, mask=c < n, other=0.0)
        db += tl.load(dy_ptr + r * n + c, mask=c < n, other=0.0)
    tl.store(dw_ptr + c, dw, mask=c < n)
    tl.store(db_ptr + c, db, mask=c < n)


def layer_norm_backward(dy, x, weight):
    dy, x = dy.contiguous(), x.contiguous()
    rows, n = x.shape
    dx, partial = torch.empty_like(x), torch.empty_like(x)
    dw, db = torch.empty_like(weight), torch.empty_like(weight)
    dx_kernel[(rows,)](dy, x, weight, dx, partial, n, BLOCK=triton.next_power_of_2(n))
    column_sums_kernel[(triton.cdiv(n, 32),)](partial, dy, dw, db, rows, n, BLOCK=32)
    return dx, dw, db


# </TRITON>

# <TEST>
def get_test_inputs():
    return torch.randn(10, 40, device="cuda"), torch.randn(10, 40, device="cuda"), torch.randn(40, device="cuda")


# </TEST>
