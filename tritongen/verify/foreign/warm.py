"""Run in a zygote before anything is forked from it: what a first call would load is loaded once.

The first promotion of a reference imports torch's table of decompositions (0.9 s), the first
launch and the first compilation their parts of Triton.
"""

from __future__ import annotations

import contextlib
import os
import tempfile
from pathlib import Path
from typing import Any

KERNEL = """import triton
import triton.language as tl


@triton.jit
def kernel(x_ptr, out_ptr, n, BLOCK: tl.constexpr):
    offsets = tl.program_id(0) * BLOCK + tl.arange(0, BLOCK)
    mask = offsets < n
    x = tl.load(x_ptr + offsets, mask=mask, other=0.0)
    total = tl.sum(tl.exp(x - tl.max(x, axis=0)), axis=0)
    tl.store(out_ptr + offsets, x / total, mask=mask)


def wrapper(x):
    out = torch.empty_like(x)
    kernel[(triton.cdiv(x.numel(), 64),)](x, out, x.numel(), BLOCK=64)
    return out
"""
FORM: dict[str, Any] = {
    "triton": {"text": KERNEL, "imports": ["import torch"], "offset": 0},
    "entry": "wrapper",
    "device": "cpu",
}


PYTHON = """def reference(x):
    y = torch.softmax(x, -1) * 2 + torch.relu(x).mean()
    y += torch.nn.functional.gelu(x @ x.t()).sum()
    return y, torch.where(x > 0, x, y), x.argmax(-1), torch.cumsum(torch.nn.functional.silu(x), 0)
"""
REFERENCE: dict[str, Any] = {
    "python": {"text": PYTHON, "imports": ["import torch"], "offset": 0},
    "test": None,
    "entry": "reference",
    "device": "cpu",
    "seed": 0,
}


def warm() -> None:
    """Use each part once; what fails here fails again where it is reported."""
    before = Path.cwd()
    with tempfile.TemporaryDirectory() as folder, contextlib.suppress(Exception):
        try:
            os.chdir(folder)
            if os.environ.get("TRITON_STORE_BINARY_ONLY") == "1":
                _warm_compiler()
            else:
                _warm_judging()
        finally:
            os.chdir(before)
            _forget()


def _warm_judging() -> None:
    import torch

    from tritongen.verify.foreign.candidate_side import CandidateSide
    from tritongen.verify.foreign.reference_side import ReferenceSide

    x = torch.ones(4, 20)
    reference = ReferenceSide(REFERENCE)
    reference.traits((x,))
    for precision in ("own", "spread", "float64"):
        reference.run((x,), precision)
    if os.environ.get("TRITON_INTERPRET") == "1":
        how = {"poison": 0, "launches": True, "reverse": False, "configuration": None}
        message = {"arguments": (x,), "how": {**how, "watch": True}, "mutable": [], "free": []}
        message |= {"given_sizes": True, "computes": True}
        CandidateSide(FORM).run(message)


def _warm_compiler() -> None:
    import torch

    from tritongen.verify.foreign.compile_side import CompileSide

    side = CompileSide(FORM)
    side.capture((torch.ones(200),))
    for target in ("sm_80", "gfx942"):
        side.compile(target)


def _forget() -> None:
    import sys

    from tritongen.verify.foreign.load import NAMES

    for name in NAMES.values():
        sys.modules.pop(name, None)
