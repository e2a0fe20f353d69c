"""The zygote: a trusted process with everything imported, which forks one sandbox per request.

It has one thread and no secrets. On its control socket come requests with three descriptors: the
lease (of packets: who the sandbox is, how it ended; the other side closing it ends the sandbox),
the channel and the output. It reaps what it forked, and watches the memory of every sandbox.
"""

from __future__ import annotations

import contextlib
import gc
import importlib
import importlib.util
import json
import os
import select
import shutil
import signal
import socket
import sys
import tempfile
import time
from collections.abc import Mapping
from typing import Any

from tritongen.verify.sandbox import (
    bubblewrap,
    child,
    linux,
    namespaces,
    paths,
    user,
    warden,
    watch,
)
from tritongen.verify.sandbox.records import Limits

BEAT = 0.025
MAX_REQUEST = 65536


def main(config: dict[str, Any]) -> None:
    """Enter namespaces, import everything, say hello, fork on request until the parent is gone."""
    parts = frozenset(config["parts"])
    control: int = config["control"]
    parent = _parent_pidfd(config["parent"])
    linux.never_dump()
    detail: dict[str, Any] = {}
    try:
        if "bubblewrap" in parts and not config.get("wrapped"):
            bubblewrap.run(config, sys.argv[0], parent)
        if "namespaces" in parts:
            detail["user"] = "nobody" if namespaces.enter_zygote(parent) else "same"
        else:
            if not config.get("wrapped"):
                warden.fork_child(parent)
            linux.prctl(linux.PR_SET_CHILD_SUBREAPER, 1)
        setting = _warm(config, parts)
    except BaseException as error:
        reason = f"{type(error).__name__}: {error}"
        os.write(control, json.dumps({"error": reason[:4000]}).encode())
        raise
    detail.setdefault("user", "nobody" if setting.nobody else "same")
    linux.seal()
    gc.collect()
    gc.freeze()
    hello = {"detail": detail, "versions": _versions()}
    os.write(control, json.dumps(hello).encode())
    Loop(control, parent, setting, config["scratch"]).run()


def _parent_pidfd(pid: int) -> int:
    """A descriptor that tells when the parent process (not one of its threads) ends, or -1."""
    if not pid:
        return -1
    try:
        pidfd = os.pidfd_open(pid)
    except OSError:
        pidfd = -1
    if os.getppid() != pid:
        os._exit(1)
    return pidfd


def _warm(config: dict[str, Any], parts: frozenset[str]) -> child.Setting:
    """Import and install what the mode needs, then narrow the view of the file system."""
    handlers = _preload(config["mode"], config["handlers"])
    gpu = config["mode"] == "cuda"
    readable = paths.readable(gpu, tuple(config["readable"]))
    devices = paths.devices(gpu)
    nobody = False
    if "namespaces" in parts:
        namespaces.build_view(readable, devices)
    elif config["nobody"]:
        nobody = user.can_be_nobody(readable)
    return child.Setting(config["mode"], parts, tuple(readable), tuple(devices), handlers, nobody)


def _preload(mode: str, handlers: str) -> Mapping[str, Any]:
    import numpy
    import torch

    importlib.import_module("triton.language.extra.libdevice")
    torch.set_num_threads(1)
    torch.manual_seed(0)
    numpy.random.seed(0)
    if mode == "interpret":
        from tritongen.verify import interpreter, redirect

        redirect.install()
        interpreter.install()
    elif mode == "compile":
        from tritongen.verify import capture, redirect

        redirect.install()
        capture.install()
    importlib.import_module("tritongen.verify.sandbox.warmup").warm(mode)
    if handlers.endswith(".py"):
        spec = importlib.util.spec_from_file_location("sandbox_handlers", handlers)
        if spec is None or spec.loader is None:
            raise ImportError(f"no module in {handlers}")
        module = importlib.util.module_from_spec(spec)
        sys.modules[spec.name] = module
        spec.loader.exec_module(module)
    else:
        module = importlib.import_module(handlers)
    return module.HANDLERS


def _versions() -> dict[str, str]:
    import torch
    import triton

    return {"torch": torch.__version__, "triton": triton.__version__}


class Sandboxed:
    """One forked process and what is known of it."""

    def __init__(self, pid: int, pidfd: int, lease: int, limits: Limits, scratch: str) -> None:
        self.pid = pid
        self.pidfd = pidfd
        self.lease = lease
        self.limits = limits
        self.scratch = scratch
        self.watch = watch.Watch(pidfd, limits, scratch)
        self.killed = ""


class Loop:
    """The loop of a zygote."""

    def __init__(self, control: int, parent: int, setting: child.Setting, scratch: str) -> None:
        self.control = control
        self.parent = parent
        self.setting = setting
        self.scratch = scratch
        self.own_namespace = -1
        self.sweep = "namespaces" not in setting.parts and "session" in setting.parts
        if "namespaces" in setting.parts:
            self.own_namespace = os.open("/proc/self/ns/pid", os.O_RDONLY | os.O_CLOEXEC)
        self.live: dict[int, Sandboxed] = {}
        self.poll = select.poll()
        for descriptor in (control, parent):
            if descriptor >= 0:
                self.poll.register(descriptor, select.POLLIN)
        self.socket = socket.socket(fileno=control)

    def run(self) -> None:
        """Until the parent is gone."""
        beat = time.monotonic()
        while True:
            ready = dict(self.poll.poll(BEAT * 1000 if self.live else None))
            if self.parent in ready:
                break
            for sandboxed in list(self.live.values()):
                if sandboxed.lease in ready:
                    self._kill(sandboxed, "closed")
                if sandboxed.pidfd in ready:
                    self._reap(sandboxed)
            if self.control in ready and not self._request():
                break
            if self.live and time.monotonic() - beat >= BEAT:
                for sandboxed in self.live.values():
                    reason = sandboxed.watch.beat()
                    if reason and not sandboxed.killed:
                        self._kill(sandboxed, reason)
                beat = time.monotonic()
        for sandboxed in list(self.live.values()):
            self._kill(sandboxed, "closed")
        for sandboxed in list(self.live.values()):
            self._reap(sandboxed)
        os._exit(0)

    def _request(self) -> bool:
        """Fork a sandbox; False when the parent has closed its end."""
        try:
            data, descriptors, _, _ = socket.recv_fds(self.socket, MAX_REQUEST, 3)
        except OSError:
            return False
        if not data:
            return False
        lease, channel, output = descriptors
        limits = Limits(**json.loads(data)["limits"])
        scratch = ""
        if "namespaces" not in self.setting.parts:
            scratch = tempfile.mkdtemp(prefix="sandbox-", dir=self.scratch)
            if self.setting.nobody:
                os.chown(scratch, namespaces.NOBODY, namespaces.NOBODY)
        try:
            pid = self._fork(limits, channel, output, scratch)
        except OSError as error:
            child_error = json.dumps({"error": f"fork: {error}"}).encode()
            with contextlib.suppress(OSError):
                os.write(lease, child_error)
            for descriptor in descriptors:
                os.close(descriptor)
            return True
        os.close(channel)
        os.close(output)
        pidfd = os.pidfd_open(pid)
        sandboxed = Sandboxed(pid, pidfd, lease, limits, scratch)
        self.live[pid] = sandboxed
        self.poll.register(lease, select.POLLIN)
        self.poll.register(pidfd, select.POLLIN)
        end = socket.socket(fileno=lease)
        with contextlib.suppress(OSError):
            socket.send_fds(end, [b'{"started": true}'], [pidfd])
        end.detach()
        return True

    def _fork(self, limits: Limits, channel: int, output: int, scratch: str) -> int:
        own = self.own_namespace
        if own >= 0:
            linux.unshare(linux.CLONE_NEWPID)
        zygote = os.getpid()
        try:
            pid = os.fork()
            if pid == 0:
                if own < 0:
                    linux.die_with_parent(zygote)
                child.run(self.setting, limits, channel, output, scratch)
        finally:
            if own >= 0:
                linux.setns(own, linux.CLONE_NEWPID)
        return pid

    def _kill(self, sandboxed: Sandboxed, reason: str) -> None:
        sandboxed.killed = sandboxed.killed or reason
        with contextlib.suppress(ProcessLookupError):
            os.kill(sandboxed.pid, signal.SIGKILL)
        if self.sweep:
            watch.kill_descendants(sandboxed.pid)

    def _reap(self, sandboxed: Sandboxed) -> None:
        """Wait for one that has ended and report it."""
        if self.sweep:
            watch.kill_descendants(sandboxed.pid)
        _, status, usage = os.wait4(sandboxed.pid, 0)
        seconds = usage.ru_utime + usage.ru_stime
        killed = sandboxed.killed
        code = os.waitstatus_to_exitcode(status)
        spent = code == -signal.SIGKILL and seconds >= 0.95 * sandboxed.limits.cpu
        if not killed and (spent or code == -signal.SIGXCPU):
            killed = "cpu"
        ended = {
            "ended": code,
            "killed": killed,
            "cpu_seconds": round(seconds, 3),
            "peak": sandboxed.watch.peak,
        }
        with contextlib.suppress(OSError):
            os.write(sandboxed.lease, json.dumps(ended).encode())
        for descriptor in (sandboxed.lease, sandboxed.pidfd):
            self.poll.unregister(descriptor)
            os.close(descriptor)
        del self.live[sandboxed.pid]
        if sandboxed.scratch:
            shutil.rmtree(sandboxed.scratch, ignore_errors=True)
        if self.sweep:
            watch.kill_children(set(self.live))
