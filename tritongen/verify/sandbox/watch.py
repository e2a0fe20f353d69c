"""Limits that no rlimit expresses: memory of all processes of a sandbox, files in its folder."""

from __future__ import annotations

import contextlib
import os
import signal
from pathlib import Path

from tritongen.verify.sandbox import linux
from tritongen.verify.sandbox.records import Limits

PATIENCE = 3
SCRATCH_EVERY = 2


class Watch:
    """Looks at one sandbox whenever `beat` is called."""

    def __init__(self, pidfd: int, limits: Limits, scratch: str) -> None:
        self.pid = linux.pid_of(pidfd)
        self.limits = limits
        self.scratch = scratch
        self.baseline = memory_of("self")
        self.peak = 0
        self._over = 0
        self._beats = 0

    def beat(self) -> str:
        """`memory`, `processes` or `scratch` if that limit is passed, else an empty string."""
        self._beats += 1
        family = descendants(self.pid)
        if len(family) > self.limits.processes + self.limits.threads:
            return "processes"
        if self._memory(family):
            return "memory"
        if self.scratch and self._beats % SCRATCH_EVERY == 0:
            return "scratch" if bytes_in(self.scratch) > self.limits.scratch else ""
        return ""

    def _memory(self, family: list[int]) -> bool:
        """Whether too much is used, at several looks where processes come and go.

        Pages that forks share are counted once: what the plain figures say is looked into where
        they say too much, which costs more.
        """
        used = max(0, memory_of(self.pid) - self.baseline) + sum(map(memory_of, family))
        if family and used > self.limits.memory:
            if self._beats % PATIENCE:
                return False
            shares = [share_of(pid) for pid in (self.pid, *family)]
            if None not in shares:
                used = max(0, sum(share for share in shares if share) - self.baseline)
        self.peak = max(self.peak, used)
        self._over = self._over + 1 if used > self.limits.memory else 0
        return self._over >= (PATIENCE if family else 1)


def share_of(pid: int) -> int | None:
    """Bytes of memory of a process, each page divided by the number of its users; None if closed.

    A process that is gone has none.
    """
    try:
        text = Path(f"/proc/{pid}/smaps_rollup").read_text()
    except (FileNotFoundError, ProcessLookupError):
        return 0
    except OSError:
        return None
    names = ("Pss_Anon:", "Pss_Shmem:", "SwapPss:")
    return sum(int(line.split()[1]) * 1024 for line in text.splitlines() if line.startswith(names))


def memory_of(pid: int | str) -> int:
    """Bytes of memory that are a process's own: anonymous, shared without a file, swapped out."""
    total = 0
    with contextlib.suppress(OSError, ValueError, IndexError):
        for line in Path(f"/proc/{pid}/status").read_text().splitlines():
            if line.startswith(("RssAnon:", "RssShmem:", "VmSwap:")):
                total += int(line.split()[1]) * 1024
    return total


def descendants(pid: int) -> list[int]:
    """Process ids of all children of a process, and theirs."""
    found: list[int] = []
    front = [pid]
    while front:
        parent = front.pop()
        for path in _children_files(parent):
            with contextlib.suppress(OSError, ValueError):
                children = [int(word) for word in path.read_text().split()]
                found += children
                front += children
    return found


def _children_files(pid: int) -> list[Path]:
    try:
        return [Path(entry.path) / "children" for entry in os.scandir(f"/proc/{pid}/task")]
    except OSError:
        return []


def kill_descendants(pid: int) -> None:
    """Kill the session that a process leads, and its children, until none is left."""
    for _ in range(50):
        with contextlib.suppress(ProcessLookupError, PermissionError):
            os.killpg(pid, signal.SIGKILL)
        family = descendants(pid)
        for other in family:
            with contextlib.suppress(ProcessLookupError, PermissionError):
                os.kill(other, signal.SIGKILL)
        if not family:
            return


def kill_children(spared: set[int] | frozenset[int] = frozenset()) -> None:
    """Kill and collect the children of this process: what sandboxes left behind became that."""
    for path in Path("/proc/self/task").glob("*/children"):
        with contextlib.suppress(OSError, ValueError):
            for pid in map(int, path.read_text().split()):
                if pid not in spared:
                    kill_descendants(pid)
                    os.kill(pid, signal.SIGKILL)
                    os.waitpid(pid, 0)


def bytes_in(folder: str) -> int:
    """Bytes of disk that the files below a folder take."""
    total = 0
    front = [folder]
    while front:
        with contextlib.suppress(OSError):
            for entry in os.scandir(front.pop()):
                with contextlib.suppress(OSError):
                    total += entry.stat(follow_symlinks=False).st_blocks * 512
                    if entry.is_dir(follow_symlinks=False):
                        front.append(entry.path)
    return total
