"""What a fork of the zygote does to itself before foreign code runs in it, and its server loop."""

from __future__ import annotations

import os
import random
import resource
import signal
import sys
import tempfile
import traceback
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any, NoReturn

from tritongen.verify.sandbox import landlock, linux, namespaces, seccomp
from tritongen.verify.sandbox.channel import ChildEnd, Ended
from tritongen.verify.sandbox.records import Limits
from tritongen.verify.sandbox.user import become_nobody
from tritongen.verify.sandbox.wire import pack

Handler = Callable[[dict[str, Any]], dict[str, Any]]
HELLO = bytes(16)
KEPT_TRACE = 8000
OWN_PROC = ("/proc",)
OWN_THREADS = ("/proc/self/task",)
"""CUDA does not start where it cannot give its threads names."""
SHARED_PROC = (
    *("/proc/self", "/proc/cpuinfo", "/proc/meminfo", "/proc/stat", "/proc/filesystems"),
    *("/proc/version", "/proc/sys/vm", "/proc/sys/kernel", "/proc/driver", "/proc/devices"),
    *("/proc/modules", "/proc/uptime", "/proc/loadavg"),
)


@dataclass(frozen=True, slots=True)
class Setting:
    """What a zygote knows and its sandboxes are made from."""

    mode: str
    parts: frozenset[str]
    readable: tuple[str, ...]
    devices: tuple[str, ...]
    handlers: Mapping[str, Handler]
    nobody: bool = False


def run(setting: Setting, limits: Limits, channel: int, output: int, scratch: str) -> NoReturn:
    """Enter the sandbox and serve; never returns, and removes nothing: others do that."""
    code = 1
    try:
        end = ChildEnd(_descriptors(channel, output))
        try:
            detail = enter(setting, limits, scratch)
        except BaseException as error:
            end.answer(False, {"error": f"{type(error).__name__}: {error}"}, HELLO)
            os._exit(1)
        end.answer(True, detail, HELLO)
        serve(end, setting.handlers)
        code = 0
    finally:
        os._exit(code)


def _descriptors(channel: int, output: int) -> int:
    """Only the standard three and the channel stay open; the channel's new number."""
    highest = max(channel, output, 4) + 1
    channel, output = _above(channel, highest), _above(output, highest)
    null = os.open("/dev/null", os.O_RDONLY)
    os.dup2(null, 0)
    os.dup2(output, 1)
    os.dup2(output, 2)
    os.dup2(channel, 3, inheritable=False)
    os.closerange(4, 1 << 16)
    return 3


def _above(descriptor: int, lowest: int) -> int:
    import fcntl

    return fcntl.fcntl(descriptor, fcntl.F_DUPFD_CLOEXEC, lowest)


def enter(setting: Setting, limits: Limits, scratch: str) -> dict[str, Any]:
    """Put on every part of the isolation; what came of it. Raises `OSError`."""
    parts = setting.parts
    detail: dict[str, Any] = {}
    os.setsid()
    signal.set_wakeup_fd(-1)
    proc = SHARED_PROC
    if "namespaces" in parts:
        detail |= namespaces.enter_sandbox(os.getuid(), os.getgid(), limits.scratch)
        scratch = namespaces.SCRATCH
        proc = SHARED_PROC if "proc" in detail else OWN_PROC
    elif setting.nobody:
        become_nobody()
        linux.die_with_parent(os.getppid())
    linux.prctl(linux.PR_SET_CHILD_SUBREAPER, 1)
    _settle(scratch)
    _limit(limits, 0 if "namespaces" in parts else tasks())
    applied = sorted(parts & {"namespaces", "session", "limits", "bubblewrap"})
    linux.prctl(linux.PR_SET_NO_NEW_PRIVS, 1)
    if "landlock" in parts:
        readable = [*setting.readable, *proc]
        writable = [scratch, *OWN_THREADS] if setting.mode == "cuda" else [scratch]
        detail["landlock"] = landlock.restrict(readable, writable, list(setting.devices))
        applied.append("landlock")
    if "capabilities" in parts:
        linux.drop_capabilities()
        applied.append("capabilities")
    linux.seal(not parts & {"namespaces", "landlock"})
    if "seccomp" in parts:
        scoped = "namespaces" in parts or detail.get("landlock", 0) >= 6
        own_view = bool(parts & {"namespaces", "bubblewrap"})
        seccomp.install(setting.mode, confined_signals=scoped, own_view=own_view)
        applied.append("seccomp")
    return {"parts": applied, "detail": detail}


def _settle(scratch: str) -> None:
    """Folder, environment and random numbers of a new sandbox."""
    os.chdir(scratch)
    os.umask(0o077)
    os.environ["TMPDIR"] = os.environ["HOME"] = scratch
    os.environ["TRITON_CACHE_DIR"] = f"{scratch}/triton"
    os.environ["TRITON_HOME"] = scratch
    tempfile.tempdir = scratch
    sys.path[:] = [path for path in sys.path if path]
    sys.dont_write_bytecode = True
    random.seed(0)


def tasks() -> int:
    """Number of threads on this machine."""
    try:
        with open("/proc/loadavg") as file:
            return int(file.read().split()[3].split("/")[1])
    except (OSError, ValueError, IndexError):
        return 1 << 15


def _limit(limits: Limits, others: int) -> None:
    """Set the rlimits; `others` is how many processes the user may have besides."""
    for name, value in (
        ("CORE", 0),
        ("CPU", limits.cpu),
        ("FSIZE", limits.scratch),
        ("NOFILE", limits.files),
        ("NPROC", limits.processes + limits.threads + others),
        ("MSGQUEUE", 0),
        ("SIGPENDING", 1024),
    ):
        number = getattr(resource, f"RLIMIT_{name}", None)
        if number is None:
            continue
        _, most = resource.getrlimit(number)
        if most != resource.RLIM_INFINITY:
            value = min(value, most)
        more = 1 if name == "CPU" and value != most else 0
        resource.setrlimit(number, (value, value + more))


def serve(end: ChildEnd, handlers: Mapping[str, Handler]) -> None:
    """Answer requests until the parent closes its end."""
    while True:
        try:
            op, message, nonce = end.receive()
        except Ended:
            return
        try:
            handler = handlers.get(op)
            if handler is None:
                raise LookupError(f"no handler for {op!r}; known: {', '.join(sorted(handlers))}")
            frame = pack({"ok": True}, handler(message), nonce)
        except BaseException as error:
            frame = pack({"ok": False}, _described(error), nonce)
        end.send(frame)


def _described(error: BaseException) -> dict[str, Any]:
    """Type, message and trace of an exception, as text of bounded length."""
    try:
        trace = "".join(traceback.format_exception(error))[-KEPT_TRACE:]
        message = str(error)[:KEPT_TRACE]
    except BaseException:
        trace = message = "(an exception that cannot be shown)"
    return {"type": type(error).__name__, "message": message, "trace": trace}
