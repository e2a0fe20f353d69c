"""Where an interpreted kernel may read and write: its buffers, far apart, every access checked.

Before a launch each storage of its tensor arguments is copied into a reserved stretch of address
space, with gaps of 16 MiB that are never touched; after it the storages are copied back. An access
outside its buffer thus lands in no other buffer, and is reported instead of corrupting the heap.
"""

from __future__ import annotations

import gc
import mmap
from dataclasses import dataclass, field
from typing import Any

import numpy as np
import torch

GAP = 16 << 20
SIZES = (1 << 37, 1 << 34, 1 << 31, 1 << 28)


class OutOfBounds(Exception):
    """A kernel touched memory outside its buffers."""

    def __init__(self, message: str, witness: dict[str, Any]) -> None:
        super().__init__(message)
        self.witness = witness


@dataclass(slots=True)
class Region:
    """One storage within the reserved stretch; `views` are (argument, address, shape)."""

    start: int
    end: int
    original: torch.UntypedStorage
    storage: torch.UntypedStorage
    views: list[tuple[str, int, tuple[int, ...]]] = field(default_factory=list)
    written: bool = False


class Arena:
    """The reserved stretch of address space and the regions of the launch under way."""

    def __init__(self) -> None:
        self._map: mmap.mmap | None = None
        self._base = 0
        self._size = 0
        self._cursor = GAP
        self.regions: list[Region] = []
        self._by_pointer: dict[int, Region] = {}
        self._foreign: list[tuple[int, int]] = []
        self.kernel = ""
        self.fault: OutOfBounds | None = None
        """The first access outside of the buffers; kept even if the program goes on after it."""
        self.windows: dict[int, tuple[int, int]] = {}
        """By the address of a storage: the bytes of it, first and last, that kernels may touch."""

    def _reserve(self) -> mmap.mmap:
        flags = mmap.MAP_PRIVATE | mmap.MAP_ANONYMOUS | getattr(mmap, "MAP_NORESERVE", 0x4000)
        for size in SIZES:
            try:
                self._map = mmap.mmap(-1, size, flags=flags)
            except OSError:
                continue
            self._size = size
            self._base = torch.frombuffer(self._map, dtype=torch.uint8, count=1).data_ptr()
            return self._map
        raise MemoryError("no address space for the buffers of interpreted kernels")

    def begin(self, kernel: str) -> None:
        """Start a launch."""
        self.kernel = kernel
        self.regions = []
        self._by_pointer = {}
        self._foreign = []
        self._cursor = GAP

    def place(self, tensor: torch.Tensor, name: str) -> torch.Tensor:
        """A tensor like `tensor` whose memory is a region of its own."""
        storage = tensor.untyped_storage()
        if storage.nbytes() == 0:
            return tensor
        region = self._by_pointer.get(storage.data_ptr())
        if region is None:
            region = self._add(storage)
            self._by_pointer[storage.data_ptr()] = region
        placed = torch.empty(0, dtype=tensor.dtype)
        placed.set_(region.storage, tensor.storage_offset(), tensor.size(), tensor.stride())
        region.views.append((name, placed.data_ptr(), tuple(tensor.shape)))
        return placed

    def _add(self, storage: torch.UntypedStorage) -> Region:
        memory = self._map or self._reserve()
        nbytes = storage.nbytes()
        offset = self._cursor
        self._cursor += (nbytes + GAP + 4095) // 4096 * 4096
        if self._cursor > self._size:
            raise MemoryError(f"the buffers of kernel {self.kernel} need over {self._size} bytes")
        held = torch.frombuffer(memory, dtype=torch.uint8, count=nbytes, offset=offset)
        copy = held.untyped_storage()
        copy.copy_(storage)
        start = self._base + offset
        first, last = self.windows.get(storage.data_ptr(), (0, nbytes))
        region = Region(start + first, start + last, storage, copy)
        self.regions.append(region)
        return region

    def finish(self) -> set[int]:
        """Copy what the launch wrote back to where the program sees it; the addresses there."""
        written: set[int] = set()
        for region in self.regions:
            if region.written:
                region.original.copy_(region.storage)
                written.add(region.original.data_ptr())
        self.regions = []
        self._by_pointer = {}
        return written

    def admit_foreign(self) -> None:
        """The kernel makes pointers from integers: allow all live tensors as well."""
        if not self._foreign:
            for item in gc.get_objects():
                if type(item) in (torch.Tensor, torch.nn.Parameter):
                    held = item.untyped_storage()
                    self._foreign.append((held.data_ptr(), held.data_ptr() + held.nbytes()))

    def check(self, pointers: np.ndarray, mask: np.ndarray, itemsize: int, action: str) -> None:
        """Raise `OutOfBounds` unless every address that is not masked off lies in one region."""
        addresses = pointers[mask] if not mask.all() else pointers.ravel()
        if addresses.size == 0:
            return
        low, high = int(addresses.min()), int(addresses.max()) + itemsize
        writes = action != "load"
        for region in self.regions:
            if region.start <= low and high <= region.end:
                region.written |= writes
                return
        inside = np.zeros(addresses.shape, dtype=bool)
        for region in self.regions:
            hit = (addresses >= region.start) & (addresses + np.uint64(itemsize) <= region.end)
            region.written |= writes and bool(hit.any())
            inside |= hit
        for start, end in self._foreign:
            inside |= (addresses >= start) & (addresses + np.uint64(itemsize) <= end)
        if not inside.all():
            self._report(int(addresses[~inside][0]), int((~inside).sum()), itemsize, action)

    def _report(self, address: int, count: int, itemsize: int, action: str) -> None:
        views = [view for region in self.regions for view in region.views]
        more = f", {count} elements in this {action}" if count > 1 else ""
        if not views:
            message = f"kernel {self.kernel}: {action} outside every buffer{more}"
            raise self._found(message, {"kernel": self.kernel, "action": action})
        name, start, shape = min(views, key=lambda view: abs(address - view[1]))
        index = (address - start) // itemsize
        size = int(np.prod(shape)) if shape else 1
        message = (
            f"kernel {self.kernel}: {action} outside its buffer: element {index} of {name}, "
            f"which has {size}{more}"
        )
        witness = {
            "kernel": self.kernel,
            "action": action,
            "argument": name,
            "index": index,
            "size": size,
            "count": count,
        }
        raise self._found(message, witness)

    def _found(self, message: str, witness: dict[str, Any]) -> OutOfBounds:
        error = OutOfBounds(message, witness)
        self.fault = self.fault or error
        return error
