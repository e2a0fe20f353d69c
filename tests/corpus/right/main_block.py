# With a print, a check and a main block, as answers of language models often have
# <PYTHON>
import torch


def softsign(x):
    return x / (1 + x.abs())


if __name__ == "__main__":
    print(softsign(torch.randn(3)))


# </PYTHON>

# <TRITON>
import torch
import triton
import triton.language as tl


@triton.jit
def softsign_kernel(
    x_ptr,  # *Pointer* to the input
    out_ptr,  # *Pointer* to the output
    n_elements,  # Size of the vector
    BLOCK_SIZE: tl.constexpr,  # Elements per program
):
    pid = tl.program_id(axis=0)  # 1D grid
    offsets = pid * BLOCK_SIZE + tl.arange(0, BLOCK_SIZE)
    mask = offsets < n_elements
    x = tl.load(x_ptr + offsets, mask=mask)
    tl.store(out_ptr + offsets, x / (1.0 + tl.abs(x)), mask=mask)


def softsign_triton(x: torch.Tensor) -> torch.Tensor:
    assert x.is_cuda, "input must be on the GPU"
    x = x.contiguous()
    out = torch.empty_like(x)
    n_elements = out.numel()
    grid = lambda meta: (triton.cdiv(n_elements, meta["BLOCK_SIZE"]),)
    softsign_kernel[grid](x, out, n_elements, BLOCK_SIZE=1024)
    return out


def test_softsign():
    x = torch.randn(98432, device="cuda")
    expected = x / (1 + x.abs())
    print(f"maximum difference: {torch.max(torch.abs(softsign_triton(x) - expected))}")


if __name__ == "__main__":
    test_softsign()


# </TRITON>

# <TEST>
def get_test_inputs():
    return (torch.randn(1500, device="cuda"),)


# </TEST>
