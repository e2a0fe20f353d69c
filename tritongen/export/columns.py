"""Arrow arrays straight from their buffers.

`pyarrow.array` would do, but it imports pandas where that is installed: half a second and 40 MB for a
program that has no other use for it.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from itertools import chain
from typing import Any

import numpy as np
import pyarrow as pa


def texts(values: Sequence[str | None]) -> pa.Array:
    """A column of strings."""
    encoded = [b"" if value is None else value.encode() for value in values]
    buffers = [_validity(values), _offsets(encoded), pa.py_buffer(b"".join(encoded))]
    return pa.Array.from_buffers(pa.string(), len(values), buffers)


def numbers(values: Sequence[float | None]) -> pa.Array:
    """A column of float64."""
    data = np.array([0.0 if value is None else value for value in values], dtype=np.float64)
    return pa.Array.from_buffers(pa.float64(), len(values), [_validity(values), _buffer(data)])


def flags(values: Sequence[bool | None]) -> pa.Array:
    """A column of booleans."""
    bits = np.packbits(np.array([bool(value) for value in values], dtype=bool), bitorder="little")
    return pa.Array.from_buffers(pa.bool_(), len(values), [_validity(values), _buffer(bits)])


def lists(
    values: Sequence[Sequence[Any] | None],
    kind: pa.DataType,
    child: Callable[[list[Any]], pa.Array] = texts,
) -> pa.Array:
    """A column of lists of type `kind`, whose items, one after the other, `child` makes."""
    filled = [() if value is None else value for value in values]
    items = child(list(chain.from_iterable(filled)))
    buffers = [_validity(values), _offsets(filled)]
    return pa.Array.from_buffers(kind, len(values), buffers, children=[items])


def _offsets(values: Sequence[Sequence[Any]]) -> pa.Buffer:
    offsets = np.zeros(len(values) + 1, dtype=np.int32)
    np.cumsum([len(value) for value in values], out=offsets[1:])
    return _buffer(offsets)


def _validity(values: Sequence[Any]) -> pa.Buffer | None:
    if None not in values:
        return None
    return _buffer(np.packbits([value is not None for value in values], bitorder="little"))


def _buffer(values: np.ndarray) -> pa.Buffer:
    return pa.py_buffer(values)
