"""The reference of one of our own pairs."""

from __future__ import annotations

from typing import Any

import torch

from tritongen.verify.judge.promotion import map_tensors
from tritongen.verify.judge.records import Precision, Ran, Reference

HALF = (torch.float16, torch.bfloat16)


class OwnReference:
    """A reference that may be written for arguments of one dtype alone.

    Given half-precision values with float32 statistics, torch refuses some operators and makes
    float32 of others, where a kernel gives what its first argument is of; the pair's own test calls
    the reference on wider copies. So where floats of the arguments differ in dtype, results in
    float32 are cast to that of the first, and where the reference raises it is run in float32.
    `widened` counts such runs.
    """

    def __init__(self, inner: Reference) -> None:
        self.inner = inner
        self.widened = 0

    def run(self, arguments: tuple[Any, ...], precision: Precision) -> Ran:
        """The results for copies of `arguments`, computed at a precision; never raises."""
        ran = self.inner.run(arguments, precision)
        if precision != "own":
            return ran
        floats = [
            item.dtype
            for item in arguments
            if isinstance(item, torch.Tensor) and item.is_floating_point()
        ]
        if not floats or floats[0] not in HALF or len(set(floats)) == 1:
            return ran
        if not ran.ok:
            wide = self.inner.run(arguments, "float32")
            ran = wide if wide.ok else ran
        self.widened += 1
        return Ran(tuple(_cast(item, floats[0]) for item in ran.outputs), ran.error)


class OnHost:
    """A reference that runs on copies of its arguments in host memory.

    Where many processes share a GPU each wait for it takes milliseconds, and a reference run in
    float64 under noise is thousands of small operations.
    """

    def __init__(self, inner: Reference) -> None:
        self.inner = inner
        self._last: tuple[Any, ...] = ()
        self._copies: tuple[Any, ...] = ()

    def run(self, arguments: tuple[Any, ...], precision: Precision) -> Ran:
        """The results for copies of `arguments`, in host memory; never raises."""
        if arguments is not self._last:
            self._copies = tuple(map_tensors(_to_host, arguments))
            self._last = arguments
        return self.inner.run(self._copies, precision)


def _to_host(tensor: torch.Tensor) -> torch.Tensor:
    """A copy in host memory of the same strides."""
    size, stride = tensor.size(), tensor.stride()
    if 0 in stride or tensor.device.type == "cpu":
        return tensor.cpu()
    copy = torch.empty_strided(size, stride, dtype=tensor.dtype)
    return copy.copy_(tensor.detach())


def _cast(value: Any, dtype: torch.dtype) -> Any:
    if isinstance(value, torch.Tensor) and value.dtype is torch.float32:
        return value.to(dtype)
    return value
