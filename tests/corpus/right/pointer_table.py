# Two tensors are reached through a table of their addresses, as in a grouped product
# <PYTHON>
def concat_scaled(a, b):
    return torch.cat([a * 2.0, b * 2.0])


# </PYTHON>

# <TRITON>
@triton.jit
def concat_kernel(table_ptr, lengths_ptr, out_ptr, BLOCK: tl.constexpr):
    which = tl.program_id(0)
    source = tl.load(table_ptr + which).to(tl.pointer_type(tl.float32))
    length = tl.load(lengths_ptr + which)
    before = tl.load(lengths_ptr) * which
    for start in range(0, length, BLOCK):
        i = start + tl.arange(0, BLOCK)
        x = tl.load(source + i, mask=i < length)
        tl.store(out_ptr + before + i, x * 2.0, mask=i < length)


def concat_scaled(a, b):
    a, b = a.contiguous(), b.contiguous()
    table = torch.tensor([a.data_ptr(), b.data_ptr()], device=a.device, dtype=torch.int64)
    lengths = torch.tensor([a.numel(), b.numel()], device=a.device, dtype=torch.int32)
    out = torch.empty(a.numel() + b.numel(), device=a.device, dtype=torch.float32)
    concat_kernel[(2,)](table, lengths, out, BLOCK=64)
    return out


# </TRITON>

# <TEST>
def get_test_inputs():
    return torch.randn(150, device="cuda"), torch.randn(90, device="cuda")


# </TEST>
