# A flag and a string choose what is computed
# <PYTHON>
def activate(x, kind: str, negate: bool):
    y = torch.relu(x) if kind == "relu" else torch.sigmoid(x)
    return -y if negate else y


# </PYTHON>

# <TRITON>
@triton.jit
def activate_kernel(x_ptr, y_ptr, n, KIND: tl.constexpr, NEGATE: tl.constexpr, BLOCK: tl.constexpr):
    i = tl.program_id(0) * BLOCK + tl.arange(0, BLOCK)
    x = tl.load(x_ptr + i, mask=i < n, other=0.0)
    if KIND == "relu":
        y = tl.where(x > 0, x, 0.0)
    else:
        y = tl.sigmoid(x)
    if NEGATE:
        y = -y
    tl.store(y_ptr + i, y, mask=i < n)


def activate(x, kind, negate):
    y = torch.empty_like(x)
    activate_kernel[(triton.cdiv(x.numel(), 128),)](x, y, x.numel(), KIND=kind, NEGATE=negate, BLOCK=128)
    return y


# </TRITON>

# <TEST>
def get_test_inputs():
    return torch.randn(200, device="cuda"), "sigmoid", True


# </TEST>
