"""float8 as torch has it, for the interpreter: conversion to and from float32, by tables."""

from __future__ import annotations

import functools

import numpy as np
import torch

FORMATS: dict[str, tuple[torch.dtype, float]] = {
    "fp8e4nv": (torch.float8_e4m3fn, 448.0),
    "fp8e5": (torch.float8_e5m2, 57344.0),
    "fp8e4b8": (torch.float8_e4m3fnuz, 240.0),
    "fp8e5b16": (torch.float8_e5m2fnuz, 57344.0),
}
"""Triton's names: torch's type, and the largest number, at which conversions saturate."""


@functools.cache
def _table(name: str) -> np.ndarray:
    bits = torch.arange(256, dtype=torch.int32).to(torch.uint8)
    return bits.view(FORMATS[name][0]).float().numpy()


def widen(bits: np.ndarray, name: str) -> np.ndarray:
    """The float32 values of float8 bit patterns."""
    with torch._C.DisableTorchFunction(), torch._C._DisableTorchDispatch():
        return _table(name)[bits]


def narrow(values: np.ndarray, name: str) -> np.ndarray:
    """Bit patterns of float values, rounded to nearest even; what is too large saturates."""
    dtype, largest = FORMATS[name]
    wide = np.array(values, dtype=np.float32, order="C")
    with torch._C.DisableTorchFunction(), torch._C._DisableTorchDispatch():
        limited = torch.from_numpy(np.clip(wide, -largest, largest))
        return limited.to(dtype).view(torch.uint8).numpy()
