"""Control groups: a limit of memory and processes that the kernel itself keeps, where it may be set.

It counts what no process shows as its own (files in memory, shared mappings), and so stands behind
the watched memory. Needs a control group in which this user may make others (version 1 or 2).
"""

from __future__ import annotations

import contextlib
import itertools
import os
import subprocess
import time
from dataclasses import dataclass
from pathlib import Path

from tritongen.verify.sandbox.records import Limits

PREFIX = "tritongen-sandbox-"
SLACK = 64 << 20
_COUNTER = itertools.count()


@dataclass(frozen=True, slots=True)
class Base:
    """Where groups can be made: the folder and the version."""

    folder: Path
    version: int
    controller: str


def bases() -> list[Base]:
    """The folders to try, for memory first."""
    mounts = _mounts()
    found: list[Base] = []
    try:
        lines = Path("/proc/self/cgroup").read_text().splitlines()
    except OSError:
        return []
    for line in lines:
        _, names, path = line.split(":", 2)
        for controller in ("memory", "pids"):
            if controller in names.split(","):
                root = mounts.get(controller)
                found += [Base(Path(root + path), 1, controller)] if root else []
        if not names and "" in mounts:
            own = Path(mounts[""] + path)
            for folder in (own, own.parent):
                with contextlib.suppress(OSError):
                    if "memory" in (folder / "cgroup.subtree_control").read_text().split():
                        found.append(Base(folder, 2, "memory"))
                        break
    return sorted(found, key=lambda base: base.controller)


def _mounts() -> dict[str, str]:
    """Mount points of the controllers of version 1, and of version 2 under the empty name."""
    found: dict[str, str] = {}
    with contextlib.suppress(OSError):
        for line in Path("/proc/self/mounts").read_text().splitlines():
            _, place, kind, options, *_ = line.split()
            if kind == "cgroup2":
                found.setdefault("", place.rstrip("/"))
            elif kind == "cgroup":
                for option in options.split(","):
                    found.setdefault(option, place)
    return found


class Group:
    """The control group of one sandbox, in each hierarchy that has one."""

    def __init__(self, limits: Limits) -> None:
        self.folders: list[Path] = []
        self.version = 0
        name = f"{PREFIX}{os.getpid()}-{next(_COUNTER)}"
        memory = limits.memory + limits.scratch + SLACK
        for base in bases():
            folder = base.folder / name
            try:
                folder.mkdir()
            except OSError:
                continue
            self.folders.append(folder)
            try:
                if base.controller == "pids":
                    self._write(folder, "pids.max", limits.processes + limits.threads)
                elif base.version == 1:
                    self._write(folder, "memory.limit_in_bytes", memory)
                    self.version = 1
                    with contextlib.suppress(OSError):
                        self._write(folder, "memory.memsw.limit_in_bytes", memory)
                else:
                    self._write(folder, "memory.max", memory)
                    self.version = 2
                    with contextlib.suppress(OSError):
                        self._write(folder, "memory.swap.max", 0)
                        self._write(folder, "pids.max", limits.processes + limits.threads)
            except OSError:
                self.folders.remove(folder)
                with contextlib.suppress(OSError):
                    folder.rmdir()
        if not self.version:
            self.remove()

    def _write(self, folder: Path, name: str, value: int) -> None:
        (folder / name).write_text(str(value))

    def add(self, pid: int) -> None:
        """Put a process, and what it will start, into the group. Raises `OSError`."""
        for folder in self.folders:
            self._write(folder, "cgroup.procs", pid)

    def killed(self) -> bool:
        """Whether the kernel has ended a process of the group for want of memory."""
        for folder in self.folders:
            for name in ("memory.events", "memory.oom_control"):
                with contextlib.suppress(OSError, ValueError, IndexError):
                    for line in (folder / name).read_text().splitlines():
                        if line.startswith("oom_kill ") and int(line.split()[1]):
                            return True
        return False

    def remove(self, patience: float = 0.25) -> None:
        """Remove the group; its processes have ended. What stays is removed by a later process."""
        deadline = time.monotonic() + patience
        for folder in self.folders:
            while True:
                try:
                    folder.rmdir()
                except FileNotFoundError:
                    break
                except OSError:
                    if time.monotonic() > deadline:
                        break
                    time.sleep(0.005)
                else:
                    break
        self.folders = []


def works() -> bool:
    """Whether groups can be made here and processes put into them; removes those left behind.

    The process for this ends by itself when its input closes, so also when this process is killed.
    """
    remove_stale()
    group = Group(Limits())
    if not group.version:
        return False
    try:
        with subprocess.Popen(["cat"], stdin=subprocess.PIPE) as child:
            group.add(child.pid)
    except OSError:
        return False
    finally:
        group.remove()
    return True


def remove_stale() -> None:
    """Remove groups of processes that are gone."""
    for base in bases():
        for folder in base.folder.glob(f"{PREFIX}*"):
            owner = folder.name.removeprefix(PREFIX).split("-")[0]
            if owner.isdigit() and not Path("/proc", owner).exists():
                with contextlib.suppress(OSError):
                    folder.rmdir()
