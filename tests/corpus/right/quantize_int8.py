# Symmetric int8 quantisation of rows: int8 values and float scales
# <PYTHON>
def quantize(x):
    scale = x.abs().amax(dim=-1, keepdim=True) / 127.0 + 1e-12
    q = torch.clamp(torch.round(x / scale), -127, 127).to(torch.int8)
    return q.to(torch.float32) * scale


# </PYTHON>

# <TRITON>
from triton.language.extra import libdevice


@triton.jit
def quantize_kernel(x_ptr, y_ptr, n, BLOCK: tl.constexpr):
    row = tl.program_id(0)
    c = tl.arange(0, BLOCK)
    x = tl.load(x_ptr + row * n + c, mask=c < n, other=0.0)
    scale = tl.max(tl.abs(x), axis=0) / 127.0 + 1e-12
    q = libdevice.rint(x / scale)
    q = tl.minimum(tl.maximum(q, -127.0), 127.0).to(tl.int8)
    tl.store(y_ptr + row * n + c, q.to(tl.float32) * scale, mask=c < n)


def quantize(x):
    x = x.contiguous()
    y = torch.empty_like(x)
    quantize_kernel[(x.shape[0],)](x, y, x.shape[1], BLOCK=triton.next_power_of_2(x.shape[1]))
    return y


# </TRITON>

# <TEST>
def get_test_inputs():
    return (torch.randn(10, 48, device="cuda"),)


# </TEST>
