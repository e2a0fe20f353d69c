# RMSNorm as in Llama: float16 in and out, statistics in float32
# <PYTHON>
class LlamaRMSNorm(torch.nn.Module):
    def __init__(self, weight, eps):
        super().__init__()
        self.weight, self.eps = weight, eps

    def forward(self, hidden_states):
        input_dtype = hidden_states.dtype
        hidden_states = hidden_states.to(torch.float32)
        variance = hidden_states.pow(2).mean(-1, keepdim=True)
        hidden_states = hidden_states * torch.rsqrt(variance + self.eps)
        return self.weight * hidden_states.to(input_dtype)


def rms_norm(x, weight, eps):
    return LlamaRMSNorm(weight, eps)(x)


# </PYTHON>

# <TRITON>
@triton.jit
def rms_norm_kernel(x_ptr, w_ptr, out_ptr, n_cols, eps, BLOCK: tl.constexpr):
    row = tl.program_id(0).to(tl.int64)
    cols = tl.arange(0, BLOCK)
    mask = cols < n_cols
    x = tl.load(x_ptr + row * n_cols + cols, mask=mask, other=0.0).to(tl.float32)
    rstd = tl.rsqrt(tl.sum(x * x, axis=0) / n_cols + eps)
    normed = (x * rstd).to(w_ptr.dtype.element_ty)
    w = tl.load(w_ptr + cols, mask=mask, other=0.0)
    tl.store(out_ptr + row * n_cols + cols, normed * w, mask=mask)


def rms_norm(x, weight, eps):
    out = torch.empty_like(x)
    n_cols = x.size(-1)
    n_rows = x.numel() // n_cols
    rms_norm_kernel[(n_rows,)](x, weight, out, n_cols, eps, BLOCK=triton.next_power_of_2(n_cols))
    return out


# </TRITON>

# <TEST>
def get_test_inputs():
    x = torch.randn(6, 130, device="cuda").half()
    w = torch.randn(130, device="cuda").half()
    return x, w, 1e-6


# </TEST>
