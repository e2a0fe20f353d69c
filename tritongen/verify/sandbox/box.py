"""One sandbox as its parent has it: calls, and how they fail."""

from __future__ import annotations

import contextlib
import json
import os
import select
import signal
import socket
import time
from typing import TYPE_CHECKING, Any

from tritongen.verify.sandbox import cgroup, linux
from tritongen.verify.sandbox.channel import Ended, ParentEnd, Printed
from tritongen.verify.sandbox.records import (
    Failure,
    Isolation,
    IsolationError,
    Limits,
    SandboxError,
)
from tritongen.verify.sandbox.wire import WireError, pack

if TYPE_CHECKING:
    from tritongen.verify.sandbox.parent import Zygote

FORK_SECONDS = 30.0
HELLO = bytes(16)
BUFFER = 4 << 20


class Sandbox:
    """One process for one candidate; `call` runs an operation in it. Used by one thread at a time.

    Killed when it is closed, when a call fails in any way but `raised`, or when this process ends.
    """

    def __init__(self, zygote: Zygote, limits: Limits | None = None) -> None:
        self.zygote = zygote
        self.limits = limits or zygote.limits
        self.isolation: Isolation
        self.own_zygote: Zygote | None = None
        self.create_seconds = 0.0
        self._closed = False
        self._failure: SandboxError | None = None
        self._ended: dict[str, Any] = {}
        self._pidfd = -1
        self._cgroup: cgroup.Group | None = None
        began = time.monotonic()
        lease, their_lease = socket.socketpair(socket.AF_UNIX, socket.SOCK_SEQPACKET)
        channel, their_channel = socket.socketpair(socket.AF_UNIX, socket.SOCK_STREAM)
        for end in (channel, their_channel):
            end.setsockopt(socket.SOL_SOCKET, socket.SO_SNDBUF, BUFFER)
        output, their_output = os.pipe()
        self._lease = lease
        self._channel = channel
        self._printed = Printed(output, self.limits.output)
        self._end = ParentEnd(channel.fileno(), self._printed, self.limits)
        try:
            theirs = [their_lease.fileno(), their_channel.fileno(), their_output]
            detail = zygote.request(self.limits, theirs)
        except BaseException:
            self._release()
            raise
        finally:
            their_lease.close()
            their_channel.close()
            os.close(their_output)
        try:
            self._start(detail)
        except BaseException:
            self.close()
            raise
        self.create_seconds = time.monotonic() - began

    def __enter__(self) -> Sandbox:
        return self

    def __exit__(self, *_: object) -> None:
        self.close()

    def _start(self, detail: dict[str, Any]) -> None:
        deadline = time.monotonic() + FORK_SECONDS
        self._lease.settimeout(FORK_SECONDS)
        try:
            data, descriptors, _, _ = socket.recv_fds(self._lease, 4096, 1)
        except OSError:
            data, descriptors = b"", []
        self._pidfd = descriptors[0] if descriptors else -1
        self._lease.setblocking(False)
        started = json.loads(data) if data else {"error": "the zygote has ended"}
        if "error" in started:
            raise IsolationError("isolation", f"no sandbox could be made: {started['error']}")
        try:
            hello = self._end.receive(HELLO, deadline, lambda: None)
        except (Ended, WireError, TimeoutError, SandboxError) as error:
            reason = f"{type(error).__name__} {error}; {self._printed_text()}"
            raise IsolationError("isolation", f"no sandbox could be made: {reason}") from None
        value = hello["value"]
        if not hello["ok"]:
            raise IsolationError("isolation", f"no sandbox could be made: {value['error']}")
        parts, more = set(value["parts"]), {**detail, **value["detail"]}
        if "cgroup" in self.zygote.parts and self._group():
            parts.add("cgroup")
            more["cgroup"] = self._cgroup.version if self._cgroup else 0
        lacking = self.zygote.required - parts
        if lacking:
            raise IsolationError(
                "isolation", f"a sandbox without {', '.join(sorted(lacking))} was made"
            )
        self.isolation = Isolation(self.zygote.tier, tuple(sorted(parts)), more)

    def _group(self) -> bool:
        """Put the process into a control group; whether that worked."""
        self._cgroup = cgroup.Group(self.limits)
        try:
            self._cgroup.add(self.pid)
        except OSError:
            self._cgroup.remove()
            return False
        return self._cgroup.version > 0

    @property
    def alive(self) -> bool:
        """Whether calls can still be made."""
        return not self._closed and self._failure is None

    @property
    def pid(self) -> int:
        """Its process id as this process counts, -1 when it is gone."""
        return linux.pid_of(self._pidfd) if self._pidfd >= 0 else -1

    @property
    def output(self) -> str:
        """What it printed so far, beginning and end."""
        return self._printed_text()

    @property
    def usage(self) -> dict[str, Any]:
        """After its end: `cpu_seconds` and `peak` (bytes of memory), as far as they are known."""
        return {key: self._ended[key] for key in ("cpu_seconds", "peak") if key in self._ended}

    def call(self, op: str, message: dict[str, Any], timeout: float) -> dict[str, Any]:
        """Run an operation and give its answer; tensors in it are copies of this process alone.

        Raises `SandboxError`; after any kind but `raised` the sandbox has been killed. Raises
        `WireError` if `message` holds what cannot be sent; nothing was run then.
        """
        if self._failure is not None or self._closed:
            ended = self._failure.reason if self._failure else "it was closed"
            raise SandboxError("closed", f"the sandbox is no more: {ended}")
        deadline = time.monotonic() + timeout
        nonce = os.urandom(16)
        request = pack({"op": op}, message, nonce)
        try:
            answer = self._end.exchange(request, nonce, deadline, self._check)
        except SandboxError as error:
            raise self._fail(error.kind, error.reason) from None
        except TimeoutError:
            raise self._fail("timeout", f"no answer within {timeout:g} s") from None
        except WireError as error:
            raise self._fail("protocol", str(error)) from None
        except Ended:
            raise self._died() from None
        except BaseException:
            self._fail("closed", "the call was interrupted")
            raise
        value = answer["value"]
        if not isinstance(value, dict):
            raise self._fail("protocol", "an answer that is no dictionary")
        if not answer["ok"]:
            reason = f"{value.get('type')}: {value.get('message')}"
            raise SandboxError("raised", reason, output=self.output, detail=value)
        return value

    def _check(self) -> None:
        """What the zygote reports, while waiting."""
        if self._hear():
            raise Ended

    def _hear(self, timeout: float = 0.0) -> bool:
        """Read the lease; whether the sandbox, or its zygote, has ended."""
        if timeout:
            select.select([self._lease], [], [], timeout)
        try:
            data = self._lease.recv(4096)
        except BlockingIOError:
            return False
        except OSError:
            return True
        if data:
            self._ended = json.loads(data)
        return True

    def _died(self) -> SandboxError:
        """The error for a process that has ended, as the zygote tells it."""
        if not self._ended:
            self._hear(2.0)
        killed, code = self._ended.get("killed", ""), self._ended.get("ended")
        starved = self._cgroup is not None and code == -signal.SIGKILL and self._cgroup.killed()
        if killed == "memory" or starved:
            return self._fail("memory", f"used over {self.limits.memory >> 20} MiB of memory")
        if killed == "processes":
            most = self.limits.processes + self.limits.threads
            return self._fail("processes", f"had over {most} processes")
        if killed == "scratch":
            return self._fail("scratch", f"wrote over {self.limits.scratch >> 20} MiB of files")
        if killed == "cpu":
            return self._fail("cpu", f"used over {self.limits.cpu} s of processor time")
        if code is None:
            return self._fail("died", "the process has closed its channel or its zygote has ended")
        return self._fail("died", describe(code))

    def _fail(self, kind: Failure, reason: str) -> SandboxError:
        self._failure = SandboxError(kind, reason)
        self.kill()
        self._failure = SandboxError(kind, reason, output=self._printed_text())
        self._release()
        return self._failure

    def _printed_text(self) -> str:
        if not self._closed:
            with contextlib.suppress(SandboxError):
                self._printed.read()
        return self._printed.text()

    def kill(self) -> None:
        """Kill all of it, now, and wait until it is gone."""
        if self._pidfd >= 0:
            with contextlib.suppress(ProcessLookupError, PermissionError):
                signal.pidfd_send_signal(self._pidfd, signal.SIGKILL)
            os.close(self._pidfd)
            self._pidfd = -1
            with contextlib.suppress(OSError):
                if not self._ended:
                    self._hear(2.0)

    def close(self) -> None:
        """Kill it and let go of everything."""
        if not self._closed:
            self.kill()
            self._release()

    def _release(self) -> None:
        if self._closed:
            return
        self._closed = True
        self._lease.close()
        self._channel.close()
        os.close(self._printed.descriptor)
        if self._pidfd >= 0:
            os.close(self._pidfd)
            self._pidfd = -1
        if self._cgroup is not None:
            self._cgroup.remove()
        if self.own_zygote is not None:
            self.own_zygote.close()

    def __del__(self) -> None:
        if hasattr(self, "_printed"):
            with contextlib.suppress(Exception):
                self._release()


def describe(code: int) -> str:
    """Words for an exit code as `os.waitstatus_to_exitcode` gives it."""
    if code >= 0:
        return f"the process ended with exit code {code}"
    try:
        name = signal.Signals(-code).name
    except ValueError:
        name = "unknown signal"
    return f"the process was ended by signal {-code} ({name})"
