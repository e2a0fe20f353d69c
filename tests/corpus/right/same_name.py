# Reference and wrapper share a name, and so do helpers that differ
# <PYTHON>
def scale(x):
    return x * 1.5


def forward(x, y):
    return scale(x) - y


# </PYTHON>

# <TRITON>
@triton.jit
def scale(x):
    return x * 1.5


@triton.jit
def forward_kernel(x_ptr, y_ptr, out_ptr, n, BLOCK: tl.constexpr):
    offs = tl.program_id(0) * BLOCK + tl.arange(0, BLOCK)
    mask = offs < n
    out = scale(tl.load(x_ptr + offs, mask=mask)) - tl.load(y_ptr + offs, mask=mask)
    tl.store(out_ptr + offs, out, mask=mask)


def forward(x, y):
    out = torch.empty_like(x)
    forward_kernel[(triton.cdiv(x.numel(), 128),)](x, y, out, x.numel(), BLOCK=128)
    return out


# </TRITON>

# <TEST>
def get_test_inputs():
    return torch.randn(350, device="cuda"), torch.randn(350, device="cuda")


# </TEST>
