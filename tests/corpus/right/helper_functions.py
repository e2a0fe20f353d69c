# Kernel in terms of small jit helpers that call each other; SwiGLU
# <PYTHON>
def swiglu(gate, up):
    return F.silu(gate) * up


# </PYTHON>

# <TRITON>
@triton.jit
def _sigmoid(x):
    return 1 / (1 + tl.exp(-x))


@triton.jit
def _silu(x):
    return x * _sigmoid(x)


@triton.jit
def swiglu_kernel(gate_ptr, up_ptr, out_ptr, n, BLOCK: tl.constexpr):
    pid = tl.program_id(0)
    offs = pid * BLOCK + tl.arange(0, BLOCK)
    mask = offs < n
    gate = tl.load(gate_ptr + offs, mask=mask, other=0).to(tl.float32)
    up = tl.load(up_ptr + offs, mask=mask, other=0).to(tl.float32)
    result = _silu(gate) * up
    tl.store(out_ptr + offs, result.to(out_ptr.dtype.element_ty), mask=mask)


def _launch(gate, up, out):
    n = out.numel()
    swiglu_kernel[(triton.cdiv(n, 256),)](gate, up, out, n, BLOCK=256)
    return out


def swiglu(gate, up):
    gate, up = gate.contiguous(), up.contiguous()
    return _launch(gate, up, torch.empty_like(gate))


# </TRITON>

# <TEST>
def get_test_inputs():
    return torch.randn(4, 150, device="cuda"), torch.randn(4, 150, device="cuda")


# </TEST>
