"""Files that are whole or absent: written aside, synced, then renamed into place."""

from __future__ import annotations

import hashlib
import os
from collections.abc import Callable, Iterable
from pathlib import Path

_SUFFIX = ".partial"


def write_atomically(path: Path, write: Callable[[Path], None]) -> None:
    """Let `write` fill a file beside `path`, then move it into place.

    A reader, or a machine that loses power, sees the old file or the new one, never a part.
    """
    path.parent.mkdir(parents=True, exist_ok=True)
    partial = path.with_name(f".{path.name}.{os.getpid()}{_SUFFIX}")
    try:
        write(partial)
        with partial.open("rb+") as file:
            os.fsync(file.fileno())
        partial.replace(path)
    except BaseException:
        partial.unlink(missing_ok=True)
        raise
    _sync_folder(path.parent)


def write_bytes(path: Path, content: bytes) -> None:
    """`write_atomically` for content at hand."""
    write_atomically(path, lambda partial: _drop(partial.write_bytes(content)))


def write_lines(path: Path, lines: Iterable[bytes]) -> None:
    """`write_atomically` for lines that already end in a newline."""

    def write(partial: Path) -> None:
        with partial.open("wb") as file:
            file.writelines(lines)

    write_atomically(path, write)


def sha256(path: Path) -> str:
    """The hash of a file's bytes."""
    with path.open("rb") as file:
        return hashlib.file_digest(file, "sha256").hexdigest()


def remove_partials(folder: Path) -> None:
    """Remove what writers that were killed left beside the files of a folder."""
    for partial in folder.glob(f".*{_SUFFIX}"):
        partial.unlink(missing_ok=True)


def _sync_folder(folder: Path) -> None:
    try:
        descriptor = os.open(folder, os.O_RDONLY)
    except OSError:
        return
    try:
        os.fsync(descriptor)
    finally:
        os.close(descriptor)


def _drop(_: object) -> None:
    return None
