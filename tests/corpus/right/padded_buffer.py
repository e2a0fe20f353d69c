# The result is a view of a padded buffer, made contiguous at the end
# <PYTHON>
def square_rows(x):
    return x * x


# </PYTHON>

# <TRITON>
@triton.jit
def square_kernel(x_ptr, y_ptr, n, padded, BLOCK: tl.constexpr):
    row = tl.program_id(0)
    c = tl.arange(0, BLOCK)
    x = tl.load(x_ptr + row * n + c, mask=c < n, other=0.0)
    tl.store(y_ptr + row * padded + c, x * x)


def square_rows(x):
    x = x.contiguous()
    rows, n = x.shape
    padded = triton.next_power_of_2(n)
    y = torch.empty((rows, padded), device=x.device, dtype=x.dtype)
    square_kernel[(rows,)](x, y, n, padded, BLOCK=padded)
    return y[:, :n].contiguous()


# </TRITON>

# <TEST>
def get_test_inputs():
    return (torch.randn(7, 37, device="cuda"),)


# </TEST>
