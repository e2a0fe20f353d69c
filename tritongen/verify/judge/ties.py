"""Indices that differ from the reference's only where torch leaves the order of equals open.

`sort`, `argsort` and `topk` may give equal values in any order; `argmax` and `max` give the first.
What an index result points into is found out: a tensor of the call whose values at the reference's
indices are in order along a dimension.
"""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import torch


def excused(
    got: torch.Tensor, own: torch.Tensor, arguments: tuple[Any, ...]
) -> torch.Tensor | None:
    """Where other indices are as good as the reference's; None if the results are no such indices.

    Args:
        got: integer results, of the shape of `own`.
        own: the reference's.
        arguments: of the call; the tensors among them are what may be pointed into.
    """
    for values, dim in _targets(own, arguments):
        size = values.shape[dim]
        best = torch.take_along_dim(values, own.long(), dim)
        steps = best.diff(dim=dim)
        if not (bool((steps <= 0).all()) or bool((steps >= 0).all())):
            continue
        inside = (got >= 0) & (got < size)
        found = torch.take_along_dim(values, got.long().clamp(0, size - 1), dim)
        distinct = (got.sort(dim=dim).values.diff(dim=dim) != 0).all(dim=dim, keepdim=True)
        return inside & (found == best) & distinct
    return None


def _targets(own: torch.Tensor, arguments: tuple[Any, ...]) -> Iterator[tuple[torch.Tensor, int]]:
    """Tensors and dimensions into which several indices for each slice may point."""
    if own.dtype not in (torch.int64, torch.int32) or not own.numel():
        return
    for item in arguments:
        if not isinstance(item, torch.Tensor) or item.dim() != own.dim() or item.is_complex():
            continue
        for dim in range(item.dim() - 1, -1, -1):
            rest = [d for d in range(item.dim()) if d != dim]
            fits = all(item.shape[d] == own.shape[d] for d in rest)
            if fits and 1 < own.shape[dim] <= item.shape[dim]:
                low, high = int(own.min()), int(own.max())
                if low >= 0 and high < item.shape[dim]:
                    yield item.detach().to(own.device), dim
