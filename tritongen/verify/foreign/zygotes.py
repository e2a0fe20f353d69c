"""The warm processes behind `check` and `reward`: one zygote a mode, kept between calls."""

from __future__ import annotations

import atexit
import contextlib
import os
import threading
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from tritongen.verify.sandbox import Mode, Zygote

HANDLERS = "tritongen.verify.foreign.handlers"
TRUSTED = "process"


class Zygotes:
    """Zygotes of one tier, each made when it is first asked for; usable from any thread."""

    def __init__(self, tier: str = "auto") -> None:
        self.tier = tier
        self.pid = os.getpid()
        self._lock = threading.Lock()
        self._made: dict[str, Zygote] = {}

    def get(self, mode: Mode) -> Zygote:
        """The zygote of a mode, starting. Raises IsolationError where the tier is not to be had."""
        from tritongen.verify.sandbox import Zygote

        with self._lock:
            zygote = self._made.get(mode)
            if zygote is None:
                zygote = self._made[mode] = Zygote(mode, HANDLERS, tier=self.tier)
        zygote.start()
        return zygote

    def close(self) -> None:
        """End all of them."""
        with self._lock:
            made = list(self._made.values())
            self._made.clear()
        for zygote in made:
            with contextlib.suppress(Exception):
                zygote.close()


_SHARED: dict[str, Zygotes] = {}
_LOCK = threading.Lock()


def shared(tier: str = "auto") -> Zygotes:
    """The process's own zygotes of a tier; a forked child makes its own."""
    with _LOCK:
        zygotes = _SHARED.get(tier)
        if zygotes is None or zygotes.pid != os.getpid():
            zygotes = _SHARED[tier] = Zygotes(tier)
        return zygotes


def close_shared() -> None:
    """End the warm processes that `check` and `reward` keep."""
    with _LOCK:
        made = [zygotes for zygotes in _SHARED.values() if zygotes.pid == os.getpid()]
        _SHARED.clear()
    for zygotes in made:
        zygotes.close()


def _after_fork() -> None:
    global _LOCK
    _LOCK = threading.Lock()
    _SHARED.clear()


atexit.register(close_shared)
if hasattr(os, "register_at_fork"):
    os.register_at_fork(after_in_child=_after_fork)
