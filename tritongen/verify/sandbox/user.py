"""Being `nobody` instead of root, where there is no user namespace to do it in."""

from __future__ import annotations

import os
from collections.abc import Iterable

from tritongen.verify.sandbox.namespaces import NOBODY


def can_be_nobody(needed: Iterable[str]) -> bool:
    """Whether this process is root and `nobody` can read all the paths; tried in a fork."""
    if os.getuid() != 0:
        return False
    pid = os.fork()
    if pid == 0:
        code = 1
        try:
            become_nobody()
            code = 0 if all(_readable(path) for path in needed) else 1
        finally:
            os._exit(code)
    _, status = os.waitpid(pid, 0)
    return status == 0


def _readable(path: str) -> bool:
    return os.access(path, os.R_OK | (os.X_OK if os.path.isdir(path) else 0))


def become_nobody() -> None:
    """Give up root for good. Raises `OSError`."""
    os.setgroups([])
    os.setresgid(NOBODY, NOBODY, NOBODY)
    os.setresuid(NOBODY, NOBODY, NOBODY)
