"""Bit-level helpers of the interpreter: bfloat16 as NumPy lacks it, and poison values."""

from __future__ import annotations

import math
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


def poison(shape: tuple[int, ...], dtype: Any, bfloat16: bool, kind: int = 0) -> np.ndarray:
    """Values for lanes whose content is undefined.

    Kind 0 is NaN, or a number that no index should be. Kind 1 has in turn a large value of either
    sign, for maxima and minima, which drop a NaN, and 0 and 1, which pass for an index.
    """
    letter = np.dtype(dtype).kind
    if letter == "b":
        return np.full(shape, kind == 0, dtype=dtype)
    if bfloat16:
        nan, values = 0x7FC0, (0xFF00, 0x7F00, 0, 0x3F80)
    elif letter == "f":
        large = np.finfo(dtype).max / 2
        nan, values = np.nan, (-large, large, 0, 1)
    else:
        nan = np.iinfo(dtype).max - 37
        values = (np.iinfo(dtype).min + 37, nan, 0, 1)
    if kind == 0:
        return np.full(shape, nan, dtype=dtype)
    count = math.prod(shape)
    turns = np.tile(np.array(values, dtype=dtype), count // 4 + 1)
    return turns[:count].reshape(shape)
