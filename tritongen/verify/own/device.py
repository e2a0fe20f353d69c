"""A device with few multiprocessors, so that kernels which loop over tiles do loop."""

from __future__ import annotations

import contextlib
from collections.abc import Iterator
from typing import Any

import torch

KEY = "multiprocessors"
ASKED = ("multi_processor_count", "multiprocessor_count")


def asks_for_multiprocessors(source: str) -> bool:
    """Whether a wrapper sizes its grid by the number of multiprocessors."""
    return any(name in source for name in ASKED)


class _Fewer:
    """Properties of a device but for one number."""

    def __init__(self, properties: Any, count: int) -> None:
        self._properties = properties
        self.multi_processor_count = count

    def __getattr__(self, name: str) -> Any:
        return getattr(self._properties, name)


@contextlib.contextmanager
def multiprocessors(count: int | None) -> Iterator[None]:
    """Code in the block is told of `count` multiprocessors; None changes nothing."""
    if count is None:
        yield
        return
    from triton.runtime import driver

    active: Any = driver.active
    utilities = active.utils
    of_torch, of_triton = torch.cuda.get_device_properties, utilities.get_device_properties

    def asked_of_torch(*args: Any, **kwargs: Any) -> Any:
        return _Fewer(of_torch(*args, **kwargs), count)

    def asked_of_triton(*args: Any, **kwargs: Any) -> Any:
        return {**of_triton(*args, **kwargs), "multiprocessor_count": count}

    torch.cuda.get_device_properties = asked_of_torch
    utilities.get_device_properties = asked_of_triton
    try:
        yield
    finally:
        torch.cuda.get_device_properties = of_torch
        utilities.get_device_properties = of_triton
