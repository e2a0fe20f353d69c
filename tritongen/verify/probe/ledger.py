"""Who wrote which memory: the record of one call's storages, from allocation to return.

Each storage that the wrapper makes has an entry. A launch marks what it wrote, a copy of marked
memory is marked, a fill or a copy of other memory over a marked one spoils it. While the call is
watched closely, the bytes of each entry are also kept as of its last known write and compared
before the next launch and at return, so that a write that nobody saw shows.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

import torch

from tritongen.verify.probe import originals as o

_UNSEEN = "memory was written by what is neither a kernel nor an operation of torch that was seen"


@dataclass(slots=True)
class Entry:
    """One storage: where it came from, whether kernels wrote it, and its last known bytes."""

    storage: Any
    device: Any
    origin: str
    written: bool = False
    partial: bool = False
    spoiled: str = ""
    seen: torch.Tensor | None = None
    zone: int = 0
    payload: int = 0

    def bytes(self) -> torch.Tensor:
        """All of the storage."""
        result = o.empty(0, dtype=o.uint8, device=self.device)
        return o.set_(result, self.storage, 0, (o.storage_bytes(self.storage),), (1,))


class Ledger:
    """The entries of a call by the address of their storage."""

    def __init__(
        self, snapshots: bool, writable: Callable[[torch.Tensor], bool] = lambda _: False
    ) -> None:
        self.snapshots = snapshots
        self.writable = writable
        """Whether a tensor lies in an argument that the wrapper may write."""
        self.entries: dict[int, Entry] = {}
        self.unseen = ""
        self._flags: list[torch.Tensor] = []

    def add(self, tensor: torch.Tensor, origin: str, written: bool = False) -> Entry:
        """A storage that was just made; an entry that died at the same address is replaced."""
        storage = o.storage_of(tensor)
        entry = Entry(storage, o.get_device(tensor), origin, written)
        self.entries[o.storage_ptr(storage)] = entry
        self.note(entry)
        return entry

    def of(self, tensor: torch.Tensor) -> Entry | None:
        """The entry of a tensor's storage."""
        return self.entries.get(o.key_of(tensor))

    def note(self, entry: Entry) -> None:
        """Keep the bytes of an entry as they are now."""
        if self.snapshots and entry.origin != "argument":
            with o.no_functions(), o.no_dispatch():
                entry.seen = o.clone(entry.bytes())

    def verify(self, entry: Entry) -> None:
        """Compare the bytes of an entry with those of its last known write."""
        if entry.seen is None:
            return
        with o.no_functions(), o.no_dispatch():
            now = entry.bytes()
            if now.shape != entry.seen.shape:
                return
            if now.device.type == "cpu":
                if not o.equal(now, entry.seen):
                    self.unseen = _UNSEEN
            else:
                self._flags.append(o.any_(o.ne(now, entry.seen)))

    def changed_unseen(self) -> str:
        """Whether a comparison so far failed; on a GPU this waits for all of them."""
        if self._flags and not self.unseen:
            with o.no_functions(), o.no_dispatch():
                if bool(o.item(o.any_(o.stack(self._flags)))):
                    self.unseen = _UNSEEN
        self._flags.clear()
        return self.unseen

    def launching(self, tensors: list[torch.Tensor]) -> None:
        """A kernel is about to be given these tensors."""
        if self.snapshots:
            for entry in self._entries(tensors):
                self.verify(entry)

    def launched(self, tensors: list[torch.Tensor], written: set[int] | None) -> list[int]:
        """A kernel was given these tensors and wrote the storages at `written` (None: any).

        Returns the addresses of storages that are not known.
        """
        unknown: list[int] = []
        for tensor in tensors:
            key = o.key_of(tensor)
            entry = self.entries.get(key)
            if entry is None:
                if key and o.numel(tensor):
                    unknown.append(key)
                    entry = self.add(tensor, "kept")
                else:
                    continue
            if written is None or key in written:
                entry.written, entry.spoiled = True, ""
                self.note(entry)
        return unknown

    def _entries(self, tensors: list[torch.Tensor]) -> list[Entry]:
        keys = {o.key_of(tensor) for tensor in tensors}
        return [self.entries[key] for key in keys if key in self.entries]

    def overwritten(self, tensor: torch.Tensor, operation: str, written: bool) -> None:
        """Torch wrote into a tensor, with what kernels had written (or else not)."""
        entry = self.of(tensor)
        if entry is None:
            return
        if written:
            entry.written, entry.spoiled = True, ""
        elif entry.written:
            entry.spoiled = operation
        self.note(entry)

    def is_written(self, tensor: torch.Tensor) -> bool:
        """Whether the memory of a tensor was written by kernels, or copied from such memory."""
        entry = self.of(tensor)
        if entry is None or not entry.written or entry.spoiled:
            return False
        return entry.origin != "argument" or self.writable(tensor)
