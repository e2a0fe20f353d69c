"""Shared fixtures: tiny template folders, and the mark of tests that need a GPU."""

from __future__ import annotations

from collections.abc import Callable
from importlib.util import find_spec
from pathlib import Path

import pytest

CONTRACT = '''{{#---
title = "{title}"
name = "'tiny'"
description = ["Scale x by {{factor}}", "for every element, {{factor}} times x"]
operation = "f'mul(x, {{factor}})'"
difficulty = 1

[axes]
factor = [2, 3, 5]
dtype = [["float32", "float16"]]
{axes}
[form]
torch_form = ["operator", "function"]

[inputs]
x = {{shape = ["N"]}}
{contract}
---#}}
import torch


def reference(x):
    """Scale a tensor.

    Args:
        x: tensor of shape (N,)

    Returns:
        a tensor of the shape of `x`
    """
{{% if torch_form == "operator" %}}
    return x * {{{{ factor }}}}
{{% else %}}
    return torch.mul(x, {{{{ factor }}}})
{{% endif %}}
'''

STRATEGY = '''{{#---
title = "flat"
how = ["in blocks"]

[form]
alloc = ["empty_like", "empty"]

[tuning]
BLOCK_SIZE = [64, 128, 256]
num_warps = [1, 2, 4]

[dims]
N = {{tile = "BLOCK_SIZE"}}
{strategy}
---#}}
{{% from "triton/_lib/kernel.jinja" import imports, allocate %}}
{{{{ imports() }}}}


@triton.jit
def kernel(x_ptr, out_ptr, n_elements, BLOCK_SIZE: tl.constexpr):
    """Scale a flat array.

    Args:
        x_ptr: input, n_elements contiguous values
        out_ptr: output, n_elements contiguous values
        n_elements: number of elements
        BLOCK_SIZE: elements per program
    """
    pid = tl.program_id(axis=0)
    offsets = pid * BLOCK_SIZE + tl.arange(0, BLOCK_SIZE)
    # Guard the tail
    mask = offsets < n_elements
    x = tl.load(x_ptr + offsets, mask=mask).to(tl.float32)
    tl.store(out_ptr + offsets, x * {{{{ factor }}}}, mask=mask)


def wrapper(x):
    """Launch one program for every BLOCK_SIZE elements.

    Args:
        x: contiguous tensor of shape (N,)

    Returns:
        a tensor of the shape of `x`
    """
    {{{{ allocate("out", "x", alloc) }}}}
    n_elements = x.numel()
    grid = (triton.cdiv(n_elements, {{{{ BLOCK_SIZE }}}}),)
    kernel[grid](x, out, n_elements, BLOCK_SIZE={{{{ BLOCK_SIZE }}}}, num_warps={{{{ num_warps }}}})
    return out
'''

# Builds need pydantic; a GPU machine may lack it, and its GPU tests need no builds.
collect_ignore_glob = [] if find_spec("pydantic") else ["pipeline/*"]

MakeFamily = Callable[..., Path]


@pytest.fixture
def make_family(tmp_path: Path) -> MakeFamily:
    """Write a family of two files below a folder of its own; returns the folder."""

    def make(
        name: str = "tiny",
        *,
        title: str = "tiny",
        axes: str = "",
        contract: str = "",
        strategy: str = "",
        edit: Callable[[str], str] = lambda text: text,
        edit_contract: Callable[[str], str] = lambda text: text,
    ) -> Path:
        root = tmp_path / "templates"
        python = root / "python" / f"{name}.py.jinja"
        triton = root / "triton" / name / "flat.py.jinja"
        for path in (python, triton):
            path.parent.mkdir(parents=True, exist_ok=True)
        text = CONTRACT.format(title=title, axes=axes, contract=contract)
        python.write_text(edit_contract(text))
        triton.write_text(edit(STRATEGY.format(strategy=strategy)))
        return root

    return make


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    """Skip tests marked `gpu` where there is no GPU."""
    marked = [item for item in items if item.get_closest_marker("gpu")]
    if not marked:
        return
    from tritongen.verify.device import has_gpu

    if not has_gpu():
        for item in marked:
            item.add_marker(pytest.mark.skip(reason="needs an NVIDIA GPU"))
