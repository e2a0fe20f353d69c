# GELU, tanh approximation on both sides; tanh from libdevice
# <PYTHON>
import torch
import torch.nn.functional as F


def gelu_tanh(x):
    return F.gelu(x, approximate="tanh")


# </PYTHON>

# <TRITON>
import torch
import triton
import triton.language as tl
from triton.language.extra import libdevice


@triton.jit
def gelu_tanh_kernel(x_ptr, out_ptr, n, BLOCK: tl.constexpr):
    idx = tl.program_id(0) * BLOCK + tl.arange(0, BLOCK)
    mask = idx < n
    x = tl.load(x_ptr + idx, mask=mask, other=0.0).to(tl.float32)
    # sqrt(2 / pi) * (x + 0.044715 x^3)
    inner = 0.7978845608028654 * (x + 0.044715 * x * x * x)
    y = 0.5 * x * (1.0 + libdevice.tanh(inner))
    tl.store(out_ptr + idx, y, mask=mask)


def gelu_tanh(x):
    out = torch.empty_like(x)
    gelu_tanh_kernel[(triton.cdiv(x.numel(), 256),)](x, out, x.numel(), BLOCK=256)
    return out


# </TRITON>

# <TEST>
def get_test_inputs():
    return [torch.randn(700, device="cuda", dtype=torch.float32)]


# </TEST>
