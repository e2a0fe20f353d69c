"""Calls of the Linux kernel that Python 3.11 has no names for."""

from __future__ import annotations

import contextlib
import ctypes
import errno
import functools
import os
import platform
import resource
import signal
from pathlib import Path
from typing import Any

CLONE_NEWNS = 0x00020000
CLONE_NEWCGROUP = 0x02000000
CLONE_NEWUTS = 0x04000000
CLONE_NEWIPC = 0x08000000
CLONE_NEWUSER = 0x10000000
CLONE_NEWPID = 0x20000000
CLONE_NEWNET = 0x40000000

MS_RDONLY, MS_NOSUID, MS_NODEV, MS_NOEXEC = 1, 2, 4, 8
MS_REMOUNT, MS_BIND, MS_REC, MS_PRIVATE, MS_SLAVE = 32, 4096, 16384, 1 << 18, 1 << 19
MNT_DETACH = 2

PR_SET_PDEATHSIG, PR_SET_DUMPABLE, PR_SET_SECCOMP = 1, 4, 22
PR_CAPBSET_DROP, PR_SET_CHILD_SUBREAPER, PR_SET_NO_NEW_PRIVS = 24, 36, 38
PR_CAP_AMBIENT, PR_CAP_AMBIENT_CLEAR_ALL = 47, 4

_NUMBERS = {
    "x86_64": {"pivot_root": 155, "capset": 126, "seccomp": 317},
    "aarch64": {"pivot_root": 41, "capset": 91, "seccomp": 277},
}


@functools.cache
def libc() -> Any:
    """The C library."""
    return ctypes.CDLL(None, use_errno=True)


def machine() -> str:
    """Name of the processor's architecture."""
    return platform.machine()


def checked(result: int, what: str) -> int:
    """Raise the `OSError` of a call that returned -1."""
    if result < 0:
        number = ctypes.get_errno()
        raise OSError(number, f"{what}: {os.strerror(number)}")
    return result


def syscall(number: int, *args: Any) -> int:
    """A raw system call; raises `OSError`."""
    longs = [ctypes.c_long(arg) if isinstance(arg, int) else arg for arg in args]
    return checked(libc().syscall(ctypes.c_long(number), *longs), f"system call {number}")


def numbered(name: str, *args: Any) -> int:
    """A system call whose number depends on the architecture."""
    numbers = _NUMBERS.get(machine())
    if numbers is None:
        raise OSError(errno.ENOSYS, f"{name}: unknown on {machine()}")
    return syscall(numbers[name], *args)


def prctl(option: int, *args: int) -> int:
    """`prctl`; raises `OSError`."""
    longs = [ctypes.c_ulong(arg) for arg in args] + [ctypes.c_ulong(0)] * (4 - len(args))
    return checked(libc().prctl(option, *longs), f"prctl {option}")


def unshare(flags: int) -> None:
    """Leave namespaces for new ones."""
    checked(libc().unshare(flags), "unshare")


def setns(descriptor: int, kind: int) -> None:
    """Enter a namespace."""
    checked(libc().setns(descriptor, kind), "setns")


def mount(source: str, target: str, kind: str | None, flags: int, data: str = "") -> None:
    """`mount`; raises `OSError`."""
    arguments = [os.fsencode(item) if item else None for item in (source, target, kind)]
    result = libc().mount(*arguments, ctypes.c_ulong(flags), os.fsencode(data) if data else None)
    checked(result, f"mount {target}")


def unmount(target: str, flags: int = 0) -> None:
    """`umount2`; raises `OSError`."""
    checked(libc().umount2(os.fsencode(target), flags), f"umount {target}")


def pivot_root(root: str, old: str) -> None:
    """Change the root of this mount namespace."""
    numbered("pivot_root", ctypes.c_char_p(os.fsencode(root)), ctypes.c_char_p(os.fsencode(old)))


def drop_capabilities() -> None:
    """Give up every capability for good."""
    for number in range(64):
        try:
            prctl(PR_CAPBSET_DROP, number)
        except OSError:
            break
    with contextlib.suppress(OSError):
        prctl(PR_CAP_AMBIENT, PR_CAP_AMBIENT_CLEAR_ALL)
    header = (ctypes.c_uint32 * 2)(0x20080522, 0)
    data = (ctypes.c_uint32 * 6)()
    numbered("capset", ctypes.byref(header), ctypes.byref(data))


def die_with_parent(parent: int) -> None:
    """Be killed when the thread that started this process ends; exit if it has."""
    prctl(PR_SET_PDEATHSIG, signal.SIGKILL)
    if parent and os.getppid() != parent:
        os._exit(1)


def never_dump() -> None:
    """No core dumps, and the first to go when memory is short."""
    resource.setrlimit(resource.RLIMIT_CORE, (0, 0))
    with contextlib.suppress(OSError):
        Path("/proc/self/oom_score_adj").write_text("900")


def seal(closed: bool = True) -> None:
    """Whether other processes of the same user are kept from looking into this one."""
    prctl(PR_SET_DUMPABLE, 0 if closed else 1)


def pid_of(pidfd: int) -> int:
    """The process id behind a pidfd as /proc here counts, or -1."""
    try:
        for line in Path(f"/proc/self/fdinfo/{pidfd}").read_text().splitlines():
            if line.startswith("Pid:"):
                return int(line.split()[1])
    except (OSError, ValueError):
        pass
    return -1
