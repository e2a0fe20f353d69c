"""The interpreter's types and tensors, made once per shape instead of once per operation.

Nothing here changes a result: the objects that Triton builds anew for every intermediate value
(the type of a block, the shape of a tensor, the table of NumPy dtypes) are remembered. Each
replacement is dropped if Triton's own class has other attributes than those that are known.
"""

from __future__ import annotations

import math
from typing import Any

import numpy as np
import triton.language as tl
from triton.runtime import interpreter

_original_dtype: Any = interpreter._get_np_dtype
_DTYPES: dict[str, np.dtype[Any]] = {}
_ADDRESS = np.dtype(np.uint64)
_SHAPES: dict[tuple[int, ...], tuple[Any, Any]] = {}
_BLOCKS: dict[Any, dict[str, Any]] = {}


def numpy_dtype(kind: Any) -> np.dtype[Any]:
    """The NumPy dtype of a type of Triton; addresses are uint64."""
    if isinstance(kind, tl.block_type):
        kind = kind.element_ty
    if isinstance(kind, tl.pointer_type):
        return _ADDRESS
    found = _DTYPES.get(kind.name)
    if found is None:
        found = _DTYPES[kind.name] = _original_dtype(kind)
    return found


def _tensor(self: Any, handle: Any, type: Any) -> None:
    """`tl.tensor.__init__`."""
    self.handle = handle
    self.type = type
    self.dtype = type.scalar
    shape = type.shape if type.is_block() else ()
    key = (*shape,)
    found = _SHAPES.get(key)
    if found is None:
        sizes = tl.core.tuple([tl.constexpr(size) for size in shape])
        found = _SHAPES[key] = (sizes, tl.constexpr(math.prod(shape)))
    self.shape, self.numel = found


def install() -> None:
    """Replace what is known to be equal; once."""
    interpreter_module: Any = interpreter
    interpreter_module._get_np_dtype = numpy_dtype
    tensor: Any = tl.tensor
    block: Any = tl.block_type
    original = block.__init__
    kind = tl.block_type(tl.float32, [4, 2])
    slow = tl.tensor(None, kind)
    quick = object.__new__(tl.tensor)
    _tensor(quick, None, kind)
    if vars(slow).keys() == vars(quick).keys() and type(slow.shape) is type(quick.shape):
        tensor.__init__ = _tensor

    def make(self: Any, element_ty: Any, shape: Any) -> None:
        try:
            key = (element_ty, *shape)
            found = _BLOCKS.get(key)
        except TypeError:
            original(self, element_ty, shape)
            return
        if found is None:
            original(self, element_ty, shape)
            _BLOCKS[key] = dict(vars(self))
        else:
            vars(self).update(found)

    block.__init__ = make
