"""`tritongen new family`: two template files that already make verified pairs."""

from __future__ import annotations

import re
from keyword import iskeyword
from pathlib import Path

from tritongen.catalog import SUFFIX, builtin_root
from tritongen.errors import ConfigError

_CONTRACT = '''{#---
title = "@NAME@"
operation_type = "elementwise"
tags = ["example"]
name = "'@NAME@'"
difficulty = 1
description = [
    "Multiply x by {factor}, element by element",
    "for every element of x, {factor} times its value",
]
operation = "f'mul(x, {factor})'"

[axes]
factor = [2.0, 3.0]
dtype = [["float32", "float16", "bfloat16"]]

[inputs]
x = {shape = ["N"]}
---#}
import torch


def reference(x):
    """Multiply by {{ factor }}.

    Args:
        x: tensor of shape (N,)

    Returns:
        a tensor of the shape of `x`
    """
    return torch.mul(x, {{ factor }})
'''

_STRATEGY = '''{#---
title = "flat masked 1-D"
how = ["with a masked one-dimensional grid", "one block of elements per program"]
difficulty = 0

[form]
alloc = ["empty_like", "empty"]

[tuning]
BLOCK_SIZE = [256, 1024]

[dims]
N = {tile = "BLOCK_SIZE"}
---#}
{% from "triton/_lib/kernel.jinja" import imports, allocate %}
{{ imports() }}


@triton.jit
def kernel(x_ptr, out_ptr, n_elements, BLOCK_SIZE: tl.constexpr):
    """Multiply a flat array by {{ factor }}.

    Args:
        x_ptr: input, n_elements contiguous values
        out_ptr: output, n_elements contiguous values
        n_elements: number of elements
        BLOCK_SIZE: elements per program, a power of two
    """
    pid = tl.program_id(axis=0)
    offsets = pid * BLOCK_SIZE + tl.arange(0, BLOCK_SIZE)
    mask = offsets < n_elements
    x = tl.load(x_ptr + offsets, mask=mask).to(tl.float32)
    tl.store(out_ptr + offsets, x * {{ factor }}, mask=mask)


def wrapper(x):
    """Launch one program for every BLOCK_SIZE elements.

    Args:
        x: contiguous tensor of shape (N,)

    Returns:
        a tensor of the shape of `x`
    """
    {{ allocate("out", "x", alloc) }}
    n_elements = x.numel()
    grid = (triton.cdiv(n_elements, {{ BLOCK_SIZE }}),)
    kernel[grid](x, out, n_elements, BLOCK_SIZE={{ BLOCK_SIZE }})
    return out
'''


def new_family(name: str, folder: Path) -> list[Path]:
    """Write a contract and a strategy of family `name` below `folder`; returns the files.

    Raises ConfigError for a name that is no identifier, for that of a built-in family and for files that
    are already there.
    """
    if not re.fullmatch(r"[a-z][a-z0-9_]*", name) or iskeyword(name):
        raise ConfigError(
            "family name",
            "lower-case letters, digits and _ are expected, and no word of Python",
            value=name,
        )
    if (builtin_root() / "python" / f"{name}{SUFFIX}").exists():
        raise ConfigError(
            "family name", "a built-in family has this name", value=name, hint="choose another name"
        )
    files = {
        folder / "python" / f"{name}{SUFFIX}": _CONTRACT,
        folder / "triton" / name / f"flat{SUFFIX}": _STRATEGY,
    }
    for path in files:
        if path.exists():
            raise ConfigError(str(path), "the file is already there", hint="choose another name")
    for path, text in files.items():
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(text.replace("@NAME@", name), encoding="utf-8")
    return list(files)
