"""The process between a parent and its zygote: it outlives neither, and nothing outlives it.

It does little, so that it can be relied on: it kills the zygote when the parent ends, however that
comes about, and what the zygote leaves behind where there is no process namespace to do so.
"""

from __future__ import annotations

import contextlib
import os
import select
import signal
from typing import NoReturn

from tritongen.verify.sandbox import linux, watch


def fork_child(parent_pidfd: int) -> None:
    """Go on in a child process; this one stays behind as its warden and never returns."""
    linux.prctl(linux.PR_SET_CHILD_SUBREAPER, 1)
    warden = os.getpid()
    child = os.fork()
    if child:
        stay(child, parent_pidfd)
    linux.die_with_parent(0)
    if os.getppid() not in (0, warden):
        os._exit(1)


def stay(child: int, parent_pidfd: int) -> NoReturn:
    """Wait for a child; kill it when the parent ends, and then all that it left."""
    pidfd = os.pidfd_open(child)
    for descriptor in range(3, 64):
        if descriptor not in (pidfd, parent_pidfd):
            with contextlib.suppress(OSError):
                os.close(descriptor)
    poll = select.poll()
    poll.register(pidfd, select.POLLIN)
    if parent_pidfd >= 0:
        poll.register(parent_pidfd, select.POLLIN)
    while True:
        if any(descriptor == parent_pidfd for descriptor, _ in poll.poll()):
            with contextlib.suppress(ProcessLookupError):
                os.kill(child, signal.SIGKILL)
        done, status = os.waitpid(child, os.WNOHANG)
        if done:
            watch.kill_children()
            os._exit(0 if status == 0 else 1)
