"""Functions of torch as they were when this package was imported, before any candidate ran.

A candidate may replace what hangs on `torch` and `torch.Tensor`; what the probe itself does goes
through the names of this module. Also small helpers made of them only.
"""

from __future__ import annotations

import functools
from typing import Any

import torch

Tensor = torch.Tensor
no_functions = torch._C.DisableTorchFunction
no_dispatch = torch._C._DisableTorchDispatch
no_grad = torch.no_grad
empty = torch.empty
clone = Tensor.clone
copy_ = Tensor.copy_
fill_ = Tensor.fill_
set_ = Tensor.set_
equal = torch.equal
cat = torch.cat
stack = torch.stack
as_strided = Tensor.as_strided
detach = Tensor.detach
nonzero = Tensor.nonzero
item = Tensor.item
isnan = torch.isnan
all_ = torch.all
any_ = torch.any
ne = torch.ne
eq = torch.eq
view_dtype = Tensor.view
reshape = Tensor.reshape
storage_of = Tensor.untyped_storage
data_ptr = Tensor.data_ptr
size_of = Tensor.size
stride_of = Tensor.stride
offset_of = Tensor.storage_offset
element_size = Tensor.element_size
numel = Tensor.numel
is_contiguous = Tensor.is_contiguous
requires_grad_ = Tensor.requires_grad_
storage_ptr = torch.UntypedStorage.data_ptr
storage_bytes = torch.UntypedStorage.nbytes
_torch: Any = torch
overlap = _torch._debug_has_internal_overlap
tensor = torch.tensor
get_layout: Any = Tensor.layout.__get__  # type: ignore[attr-defined]
get_dtype: Any = Tensor.dtype.__get__  # type: ignore[attr-defined]
get_device: Any = Tensor.device.__get__  # type: ignore[attr-defined]
get_requires_grad: Any = Tensor.requires_grad.__get__  # type: ignore[attr-defined]
iinfo = functools.cache(torch.iinfo)
finfo = functools.cache(torch.finfo)
synchronize = torch.cuda.synchronize
uint8, int64, int32, boolean = torch.uint8, torch.int64, torch.int32, torch.bool
strided = torch.strided


def key_of(value: torch.Tensor) -> int:
    """What identifies the memory of a tensor: the address of its storage, 0 if it has none."""
    return storage_ptr(storage_of(value))


def bytes_of(value: torch.Tensor) -> torch.Tensor:
    """The whole storage of a tensor as bytes, sharing its memory."""
    result = empty(0, dtype=uint8, device=get_device(value))
    storage = storage_of(value)
    return set_(result, storage, 0, (storage_bytes(storage),), (1,))


def over(buffer: torch.Tensor, dtype: torch.dtype, start: int, size: Any, stride: Any) -> Any:
    """A tensor over the memory of `buffer`, from byte `start` on; it is no view for autograd."""
    result = empty(0, dtype=dtype, device=get_device(buffer))
    return set_(result, storage_of(buffer), start // dtype.itemsize, size, stride)
