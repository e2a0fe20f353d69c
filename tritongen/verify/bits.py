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


def poison(shape: tuple[int, ...], dtype: Any, bfloat16: bool, kind: int = 0) -> np.ndarray:
    """Values for lanes whose content is undefined.

    Kind 0 is NaN, or a number that no index should be. Kind 1 has large values of either sign in
    turn, for maxima and minima, which drop a NaN.
    """
    letter = np.dtype(dtype).kind
    if letter == "b":
        return np.full(shape, kind == 0, dtype=dtype)
    if bfloat16:
        low, high = (0xFF00, 0x7F00) if kind else (0x7FC0, 0x7FC0)
    elif letter == "f":
        high = np.finfo(dtype).max / 2 if kind else np.nan
        low = -high
    else:
        high = np.iinfo(dtype).max - 37
        low = np.iinfo(dtype).min + 37 if kind else high
    made = np.full(shape, high, dtype=dtype)
    if kind:
        made.reshape(-1)[::2] = low
    return made
