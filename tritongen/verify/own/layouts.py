"""Inputs whose elements lie elsewhere in memory than those of contiguous ones."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

import torch


def _free_dims(shape: torch.Size, dims: list[int] | str) -> set[int]:
    """The dimensions that may have any stride: with each, all that lie outside of it."""
    rank = len(shape)
    if isinstance(dims, str):
        return set(range(rank))
    wanted = {dim % rank for dim in dims if -rank <= dim < rank}
    free: set[int] = set()
    for dim in range(rank):
        if dim not in wanted:
            break
        free.add(dim)
    return free


KINDS = ("padded", "turned")


def relaid(
    arguments: Sequence[Any], names: Sequence[str], accepted: Mapping[str, Any], kind: str
) -> tuple[Any, ...] | None:
    """The same values at other strides, different for each argument; None where none may change.

    `padded` has gaps behind the rows (of an odd number of elements, with the alignment of the
    buffer kept), `turned` the last two dimensions in the other order in memory besides.
    """
    changed = False
    result: list[Any] = []
    for number, value in enumerate(arguments):
        name = names[number] if number < len(names) else ""
        if isinstance(value, torch.Tensor) and value.dim() and name in accepted:
            free = _free_dims(value.shape, accepted[name])
            moved = _relay(value, free, kind, 2 * number + 3)
            changed |= moved is not None
            result.append(value if moved is None else moved)
        else:
            result.append(value)
    return tuple(result) if changed else None


def _relay(tensor: torch.Tensor, free: set[int], kind: str, gap: int) -> torch.Tensor | None:
    rank = tensor.dim()
    order = list(range(rank))
    whole = len(free) == rank
    if kind == "turned" and not (whole and rank >= 2):
        return None
    if kind == "turned":
        order[-1], order[-2] = order[-2], order[-1]
    if not free or tensor.numel() == 0:
        return None
    strides = [0] * rank
    extent = 2 if whole and rank == 1 else 1
    for dim in reversed(order):
        strides[dim] = extent
        size = tensor.shape[dim]
        extent = extent * size + (gap if _gap_after(dim, order, free) else 0)
    span = 1 + sum((size - 1) * step for size, step in zip(tensor.shape, strides, strict=True))
    flat = torch.zeros(span, dtype=tensor.dtype, device=tensor.device)
    if tensor.dtype.is_floating_point:
        flat.fill_(float("nan"))
    moved = flat.as_strided(tuple(tensor.shape), tuple(strides))
    moved.copy_(tensor)
    return None if moved.is_contiguous() and tensor.is_contiguous() else moved


def _gap_after(dim: int, order: list[int], free: set[int]) -> bool:
    """Whether a gap may follow the elements of `dim`: the next dimension outwards is free."""
    place = order.index(dim)
    return place > 0 and order[place - 1] in free
