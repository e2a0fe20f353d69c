"""The tensors among the arguments of a launch."""

from __future__ import annotations

from typing import Any

import torch
from triton.runtime.jit import TensorWrapper
from triton.tools.tensor_descriptor import TensorDescriptor


def tensors_of(values: Any) -> list[torch.Tensor]:
    """All tensors among the arguments of a launch."""
    found: list[torch.Tensor] = []
    for value in values:
        if isinstance(value, torch.Tensor):
            found.append(value)
        elif isinstance(value, tuple):
            found += tensors_of(value)
        elif isinstance(value, (TensorDescriptor, TensorWrapper)):
            found += tensors_of((value.base,))
    return found
