"""Landlock: this process and its children may touch only the files that are named here.

Rules of TCP ports (ABI 4), devices (5), abstract sockets and signals (6) are added as the kernel
knows them.
"""

from __future__ import annotations

import ctypes
import functools
import os
import stat

from tritongen.verify.sandbox import linux

CREATE, ADD_RULE, RESTRICT = 444, 445, 446
VERSION_FLAG = 1
PATH_BENEATH = 1
EXECUTE, WRITE_FILE, READ_FILE, READ_DIR = 1, 2, 4, 8
REFER, TRUNCATE, IOCTL_DEV = 1 << 13, 1 << 14, 1 << 15
MAKE_CHAR, MAKE_SOCK, MAKE_BLOCK = 1 << 6, 1 << 9, 1 << 11
ALL_V1 = (1 << 13) - 1
NET_ALL = 0b11
SCOPE_ALL = 0b11
LOG_OFF = 1
FILE_RIGHTS = EXECUTE | WRITE_FILE | READ_FILE | TRUNCATE | IOCTL_DEV
READ = EXECUTE | READ_FILE | READ_DIR


class _Rule(ctypes.Structure):
    _pack_ = 1
    _fields_ = (("allowed", ctypes.c_uint64), ("parent", ctypes.c_int32))


@functools.cache
def abi() -> int:
    """The version of Landlock that the kernel has, 0 for none."""
    try:
        return linux.syscall(CREATE, 0, 0, VERSION_FLAG)
    except OSError:
        return 0


def handled(version: int) -> tuple[int, int, int]:
    """(file, net, scope) rights that a version can take away."""
    files = ALL_V1
    files |= REFER if version >= 2 else 0
    files |= TRUNCATE if version >= 3 else 0
    files |= IOCTL_DEV if version >= 5 else 0
    return files, NET_ALL if version >= 4 else 0, SCOPE_ALL if version >= 6 else 0


def restrict(readable: list[str], writable: list[str], devices: list[str]) -> int:
    """Confine this thread; needs no_new_privs. The version used; raises `OSError`.

    `devices` may be read, written and sent device commands; paths that are missing are passed over.
    """
    version = abi()
    files, net, scope = handled(version)
    size = 24 if version >= 6 else 16 if version >= 4 else 8
    attributes = (ctypes.c_uint64 * 3)(files, net, scope)
    ruleset = linux.syscall(CREATE, ctypes.byref(attributes), size, 0)
    try:
        inside = files & ~(MAKE_CHAR | MAKE_BLOCK | MAKE_SOCK | IOCTL_DEV)
        for paths, rights in (
            (readable, READ),
            (writable, inside),
            (devices, READ_FILE | WRITE_FILE | READ_DIR | IOCTL_DEV),
        ):
            for path in paths:
                _allow(ruleset, path, rights & files)
        linux.syscall(RESTRICT, ruleset, LOG_OFF if version >= 7 else 0)
    finally:
        os.close(ruleset)
    return version


def _allow(ruleset: int, path: str, rights: int) -> None:
    try:
        descriptor = os.open(path, os.O_PATH | os.O_CLOEXEC)
    except OSError:
        return
    try:
        if not stat.S_ISDIR(os.fstat(descriptor).st_mode):
            rights &= FILE_RIGHTS
        rule = _Rule(rights, descriptor)
        linux.syscall(ADD_RULE, ruleset, PATH_BENEATH, ctypes.byref(rule), 0)
    finally:
        os.close(descriptor)
