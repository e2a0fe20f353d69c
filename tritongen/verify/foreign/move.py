"""Tensors to another device, with their strides and with what they share."""

from __future__ import annotations

from typing import Any

import torch


def to_device(values: Any, device: str) -> Any:
    """`values` with every tensor on `device`; tensors of one storage go on sharing one."""
    storages: dict[int, torch.Tensor] = {}

    def move(value: Any) -> Any:
        if isinstance(value, torch.Tensor):
            return value if value.device.type == device else _moved(value, device, storages)
        if isinstance(value, tuple):
            return tuple(move(item) for item in value)
        if isinstance(value, list):
            return [move(item) for item in value]
        if isinstance(value, dict):
            return {key: move(item) for key, item in value.items()}
        return value

    return move(values)


def _moved(value: torch.Tensor, device: str, storages: dict[int, torch.Tensor]) -> torch.Tensor:
    storage = value.untyped_storage()
    if not storage.nbytes():
        return torch.empty_strided(value.size(), value.stride(), dtype=value.dtype, device=device)
    pointer = storage.data_ptr()
    if pointer not in storages:
        every = torch.empty(0, dtype=torch.uint8).set_(storage, 0, (storage.nbytes(),), (1,))
        storages[pointer] = every.to(device)
    held = storages[pointer].untyped_storage()
    empty = torch.empty(0, dtype=value.dtype, device=device)
    return empty.set_(held, value.storage_offset(), value.size(), value.stride())
