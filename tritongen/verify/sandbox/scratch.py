"""Scratch folders on the host, one per zygote, and removal of those whose process is gone."""

from __future__ import annotations

import contextlib
import os
import shutil
import tempfile
from pathlib import Path

from tritongen.verify.pool import scratch_root

PREFIX = "tritongen-sandbox-"


def new_scratch() -> Path:
    """A folder for one zygote; those that killed processes of this user left are removed."""
    remove_stale()
    folder = Path(tempfile.mkdtemp(prefix=f"{PREFIX}{os.getpid()}-", dir=scratch_root()))
    folder.chmod(0o711)
    return folder


def remove_stale() -> None:
    """Remove the folders of this user whose process is gone."""
    for root in {scratch_root(), Path(tempfile.gettempdir())}:
        for folder in root.glob(f"{PREFIX}*"):
            owner = folder.name.removeprefix(PREFIX).split("-")[0]
            with contextlib.suppress(OSError):
                if owner.isdigit() and folder.stat().st_uid == os.getuid():
                    try:
                        os.kill(int(owner), 0)
                    except ProcessLookupError:
                        shutil.rmtree(folder, ignore_errors=True)
