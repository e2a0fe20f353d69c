"""Reductions and scans by a combine function, for the interpreter: whole slices at a time.

Triton's interpreter calls the combine function once per element. Neighbours are combined in order
here, so any associative function gives what a GPU gives. A function that branches is left to
Triton: a branch on a slice of several elements has no one answer.
"""

from __future__ import annotations

import dis
import functools
from typing import Any

import numpy as np


@functools.lru_cache(1024)
def _branches(code: Any) -> bool:
    return any("JUMP" in instruction.opname for instruction in dis.get_instructions(code))


def reduce_by_halves(original: Any, self: Any, inputs: Any) -> Any:
    """A reduction by a combine function: pairs of neighbours, all at once."""
    if _branches(self.combine_fn.fn.__code__):
        return original(self, inputs)
    whole = self.axis is None
    shape = inputs[0].handle.data.shape
    inputs, axis = self.unravel(inputs, self.axis)
    arrays = [np.moveaxis(item.handle.data, axis, 0) for item in inputs]
    dtypes = [item.dtype for item in inputs]
    while len(arrays[0]) > 1:
        even = len(arrays[0]) // 2 * 2
        pairs = [[a[start:even:2] for a in arrays] for start in (0, 1)]
        joined = _combine(self, pairs[0], pairs[1], dtypes)
        arrays = [np.concatenate([j, a[even:]]) for j, a in zip(joined, arrays, strict=True)]
    results = []
    for array, dtype in zip(arrays, dtypes, strict=True):
        data = array[0]
        if self.keep_dims:
            data = data.reshape((1,) * len(shape)) if whole else np.expand_dims(data, axis)
        results.append(self.to_tensor(data if data.shape else data[()], dtype))
    return results


def scan_by_doubling(original: Any, self: Any, inputs: Any) -> Any:
    """An inclusive scan by a combine function, in log2(n) steps over the whole axis."""
    if _branches(self.combine_fn.fn.__code__):
        return original(self, inputs)
    arrays = [np.moveaxis(item.handle.data, self.axis, 0) for item in inputs]
    dtypes = [item.dtype for item in inputs]
    length, step = len(arrays[0]), 1
    while step < length:
        joined = _combine(self, [np.roll(a, step, 0) for a in arrays], arrays, dtypes)
        arrays = [np.concatenate([a[:step], j[step:]]) for a, j in zip(arrays, joined, strict=True)]
        step *= 2
    return [
        self.to_tensor(np.moveaxis(array, 0, self.axis), dtype)
        for array, dtype in zip(arrays, dtypes, strict=True)
    ]


def _combine(self: Any, left: Any, right: Any, dtypes: Any) -> list[np.ndarray]:
    tensors = [
        self.to_tensor(np.ascontiguousarray(array), dtype)
        for side in (left, right)
        for array, dtype in zip(side, dtypes, strict=True)
    ]
    results = self.combine_fn.fn(*tensors)
    results = results if isinstance(results, tuple) else (results,)
    return [
        np.broadcast_to(result.handle.data, array.shape).astype(array.dtype)
        for result, array in zip(results, left, strict=True)
    ]
