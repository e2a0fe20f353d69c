"""Naming variants of a kernel share a key; anything that changes the program changes it."""

from __future__ import annotations

from pathlib import Path

import pytest

from tritongen.verify.kernelkey import kernel_key
from tritongen.verify.loader import loaded

SOURCE = '''
import triton
import triton.language as tl

LIMIT = tl.constexpr(4)


@triton.jit
def helper(a, b):
    return a * 2 + b


@triton.jit
def kernel(x_ptr, out_ptr, n, BLOCK: tl.constexpr):
    """A docstring."""
    offsets = tl.program_id(0) * BLOCK + tl.arange(0, BLOCK)
    mask = offsets < n  # a comment
    x = tl.load(x_ptr + offsets, mask=mask, other=0.0)
    tl.store(out_ptr + offsets, helper(x, offsets) + LIMIT, mask=mask)
'''


def key(source: str, folder: Path, name: str = "kernel") -> str:
    """The key of a kernel of a source."""
    with loaded(source, folder) as module:
        return kernel_key(getattr(module, name))


def test_renamed_kernels_share_a_key(tmp_path: Path) -> None:
    renamed = (
        SOURCE.replace("offsets", "idx").replace("x_ptr", "input_ptr").replace("BLOCK", "TILE")
    )
    renamed = renamed.replace("A docstring.", "Another.").replace("  # a comment", "")
    renamed = renamed.replace("def kernel", "def scale_kernel").replace("helper", "combine")
    assert key(SOURCE, tmp_path) == key(renamed, tmp_path, "scale_kernel")


@pytest.mark.parametrize(
    ("old", "new"),
    [
        ("a * 2 + b", "a * 3 + b"),
        ("a * 2 + b", "b * 2 + a"),
        ("helper(x, offsets)", "helper(offsets, x)"),
        ("constexpr(4)", "constexpr(5)"),
        ("other=0.0", "other=1.0"),
        ("mask = offsets < n", "mask = offsets <= n"),
        ("x_ptr, out_ptr, n", "out_ptr, x_ptr, n"),
        ("n, BLOCK: tl.constexpr", "n, BLOCK"),
        ("tl.load(x_ptr", "tl.load(out_ptr"),
        ("program_id(0)", "program_id(1)"),
    ],
)
def test_other_programs_have_other_keys(tmp_path: Path, old: str, new: str) -> None:
    assert old in SOURCE
    assert key(SOURCE, tmp_path) != key(SOURCE.replace(old, new), tmp_path)
