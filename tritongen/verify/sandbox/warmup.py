"""Work that every sandbox of a mode would do once for itself, done in the zygote instead.

It must leave one thread and no CUDA context behind: what is forked from there has to be whole.
"""

from __future__ import annotations

import contextlib
from typing import Any

import torch
import triton
import triton.language as tl


@triton.jit
def _copy(source, target, size, BLOCK: tl.constexpr):
    index = tl.program_id(0) * BLOCK + tl.arange(0, BLOCK)
    tl.store(target + index, tl.load(source + index, mask=index < size), mask=index < size)


def warm(mode: str) -> None:
    """Run, or compile, a small kernel as the mode does it."""
    if mode == "interpret":
        _interpret()
    else:
        with contextlib.suppress(Exception):
            _compile("cuda", 90, 32)
        if mode == "compile":
            with contextlib.suppress(Exception):
                _compile("hip", "gfx942", 64)
        else:
            with contextlib.suppress(Exception):
                _load_driver()


def _interpret() -> None:
    from tritongen.verify import interpreter, redirect

    with redirect.redirected():
        source = torch.ones(8, device="cuda")
        target = torch.empty_like(source)
        kernel: Any = _copy
        kernel[(1,)](source, target, 8, BLOCK=16)
    interpreter.STATE.reset()
    arena: Any = interpreter.STATE.arena
    arena.begin("")


def _compile(backend: str, arch: int | str, warp_size: int) -> None:
    from triton.backends.compiler import GPUTarget
    from triton.compiler import ASTSource

    target = GPUTarget(backend, arch, warp_size)
    signature = {"source": "*fp32", "target": "*fp32", "size": "i32", "BLOCK": "constexpr"}
    source = ASTSource(_copy, signature, {(3,): 128}, {})
    triton.compile(source, target=target)


def _load_driver() -> None:
    """Build and load the module through which Triton calls the driver, without starting CUDA."""
    if torch.version.hip:
        from triton.backends.amd.driver import HIPUtils

        HIPUtils()
    else:
        from triton.backends.nvidia.driver import CudaUtils

        CudaUtils()
