# Heuristics choose the block and whether a mask is needed at all
# <PYTHON>
def sigmoid(x):
    return torch.sigmoid(x)


# </PYTHON>

# <TRITON>
@triton.heuristics(
    {
        "BLOCK": lambda args: min(256, triton.next_power_of_2(args["n"])),
        "EVEN": lambda args: args["n"] % min(256, triton.next_power_of_2(args["n"])) == 0,
    }
)
@triton.jit
def sigmoid_kernel(x_ptr, y_ptr, n, BLOCK: tl.constexpr, EVEN: tl.constexpr):
    i = tl.program_id(0) * BLOCK + tl.arange(0, BLOCK)
    if EVEN:
        x = tl.load(x_ptr + i)
        tl.store(y_ptr + i, 1.0 / (1.0 + tl.exp(-x)))
    else:
        x = tl.load(x_ptr + i, mask=i < n)
        tl.store(y_ptr + i, 1.0 / (1.0 + tl.exp(-x)), mask=i < n)


def sigmoid(x):
    y = torch.empty_like(x)
    grid = lambda meta: (triton.cdiv(x.numel(), meta["BLOCK"]),)
    sigmoid_kernel[grid](x, y, x.numel())
    return y


# </TRITON>

# <TEST>
def get_test_inputs():
    return (torch.randn(512, device="cuda"),)


# </TEST>
