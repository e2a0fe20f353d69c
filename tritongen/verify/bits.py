"""Bit-level helpers of the interpreter: bfloat16 as NumPy lacks it, and poison values."""

from __future__ import annotations

from typing import Any

import numpy as np


def widen(bits: np.ndarray) -> np.ndarray:
    """The float32 values of bfloat16 bit patterns."""
    return (bits.astype(np.uint16, copy=False).astype(np.uint32) << np.uint32(16)).view(np.float32)


def narrow(values: np.ndarray) -> np.ndarray:
    """bfloat16 bit patterns of float values, rounded to nearest even."""
    bits = np.array(values, dtype=np.float32, order="C").view(np.uint32)
    rounded = bits + np.uint32(0x7FFF) + ((bits >> np.uint32(16)) & np.uint32(1))
    result = (rounded >> np.uint32(16)).astype(np.uint16)
    return np.where(np.isnan(bits.view(np.float32)), np.uint16(0x7FC0), result)


def toward_zero(values: np.ndarray, bfloat16: bool, dtype: Any) -> np.ndarray:
    """Float values cut to bfloat16 (as bit patterns) or to a NumPy float type, never rounded up."""
    if bfloat16:
        bits = np.array(values, dtype=np.float32, order="C").view(np.uint32)
        return (bits >> np.uint32(16)).astype(np.uint16)
    result = values.astype(dtype)
    over = np.abs(result).astype(values.dtype) > np.abs(values)
    return np.where(over, np.nextafter(result, np.zeros_like(result)), result)


def poison(shape: tuple[int, ...], dtype: Any, bfloat16: bool) -> np.ndarray:
    """Values for lanes whose content is undefined: NaN, or a number that no index should be."""
    if bfloat16:
        return np.full(shape, 0x7FC0, dtype=np.uint16)
    kind = np.dtype(dtype).kind
    if kind == "f":
        return np.full(shape, np.nan, dtype=dtype)
    if kind == "b":
        return np.ones(shape, dtype=dtype)
    return np.full(shape, np.iinfo(dtype).max - 37, dtype=dtype)
