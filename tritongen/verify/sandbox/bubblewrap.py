"""Zygotes inside of bubblewrap, for machines where only that program may make namespaces."""

from __future__ import annotations

import importlib.util
import json
import os
import subprocess
import sys
from pathlib import Path
from typing import Any, NoReturn

from tritongen.verify.sandbox import namespaces, paths, warden

PACKAGES = ("torch", "triton", "numpy")


def run(config: dict[str, Any], script: str, parent_pidfd: int) -> NoReturn:
    """Start the zygote of `config` inside and stay as its warden; never returns."""
    inside = {**config, "wrapped": True, "parent": 0, "scratch": namespaces.SCRATCH}
    readable = [*config["readable"], *_packages(), script]
    if config["handlers"].endswith(".py"):
        readable.append(config["handlers"])
    gpu = config["mode"] == "cuda"
    process = subprocess.Popen(
        [
            *arguments(paths.readable(gpu, tuple(readable)), paths.devices(gpu)),
            *("--", sys.executable, "-P", script, json.dumps(inside)),
        ],
        pass_fds=(config["control"],),
        env={**os.environ, "TMPDIR": namespaces.SCRATCH, "TRITON_HOME": namespaces.SCRATCH}
        | {"TRITON_CACHE_DIR": f"{namespaces.SCRATCH}/triton"},
    )
    warden.stay(process.pid, parent_pidfd)


def arguments(readable: list[str], devices: list[str]) -> list[str]:
    """The command line of bubblewrap, as far as the program to run."""
    command = ["bwrap", "--unshare-all", "--die-with-parent", "--new-session", "--cap-drop", "ALL"]
    for path in readable:
        if os.path.islink(path):
            command += ["--symlink", os.readlink(path), path]
        else:
            command += ["--ro-bind-try", path, path]
    command += ["--proc", "/proc", "--dev", "/dev", "--tmpfs", namespaces.SCRATCH, "--chdir", "/"]
    for path in devices:
        command += ["--dev-bind-try", path, path]
    return command


def _packages() -> list[str]:
    """Folders of the packages that a zygote imports."""
    found = []
    for name in PACKAGES:
        spec = importlib.util.find_spec(name)
        if spec is not None and spec.origin:
            found.append(str(Path(spec.origin).parent))
    return found
