"""The files that a sandbox may see: the interpreter, its libraries, and a few devices."""

from __future__ import annotations

import glob
import os
import shutil
import sys
from pathlib import Path

SYSTEM = (
    *("/usr", "/bin", "/sbin", "/lib", "/lib32", "/lib64", "/libx32"),
    *("/etc/ld.so.cache", "/etc/ld.so.conf", "/etc/ld.so.conf.d", "/etc/alternatives"),
    *("/etc/localtime", "/etc/nsswitch.conf", "/etc/os-release", "/etc/OpenCL", "/etc/nvidia"),
    *("/sys/devices/system/cpu", "/sys/devices/system/node", "/nix/store", "/gnu/store"),
)
PLAIN_DEVICES = ("/dev/null", "/dev/zero", "/dev/full", "/dev/random", "/dev/urandom")
GPU_DEVICES = ("/dev/nvidia*", "/dev/dxg", "/dev/kfd", "/dev/dri")
GPU_FILES = (
    *("/sys/bus/pci", "/sys/devices", "/sys/class", "/sys/module", "/sys/dev", "/opt/rocm*"),
    *("/run/nvidia-persistenced", "/run/nvidia-topologyd", "/usr/local/cuda*"),
)


def readable(gpu: bool, extra: tuple[str, ...] = ()) -> list[str]:
    """Paths that may be read and executed, shortest first; to be asked after all imports."""
    package = Path(__file__).resolve().parents[2]
    found = [path for path in SYSTEM if os.path.lexists(path)]
    found += [sys.prefix, sys.base_prefix, sys.exec_prefix, os.path.realpath(sys.executable)]
    found += [path for path in sys.path if Path(path).name in ("site-packages", "dist-packages")]
    found += [str(package / "verify"), str(package / "errors.py"), *extra]
    found += _imported() + _mapped()
    if gpu:
        found += [path for pattern in GPU_FILES for path in glob.glob(pattern)]
        for name in ("LD_LIBRARY_PATH", "CUDA_HOME", "CUDA_PATH", "TRITON_PTXAS_PATH"):
            found += [path for path in os.environ.get(name, "").split(":") if path]
        found += _compiler()
    return _shortest(os.path.abspath(path) for path in found if os.path.lexists(path))


def _compiler() -> list[str]:
    """Where the C compiler lies: Triton up to 3.6 compiles a launcher for each signature."""
    names = [os.environ.get("CC", ""), "gcc", "clang", "cc"]
    programs = [path for path in (shutil.which(name) for name in names if name) if path]
    prefixes = {Path(p).parents[1] for path in programs for p in (path, os.path.realpath(path))}
    return sorted(str(prefix) for prefix in prefixes if str(prefix) not in ("/", "/usr"))


def devices(gpu: bool) -> list[str]:
    """Devices that may be opened."""
    found = list(PLAIN_DEVICES)
    if gpu:
        found += [path for pattern in GPU_DEVICES for path in sorted(glob.glob(pattern))]
    return [path for path in found if os.path.exists(path)]


def _imported() -> list[str]:
    """Folders of the packages that are imported from elsewhere (editable installs)."""
    found = set()
    for name, module in list(sys.modules.items()):
        file = getattr(module, "__file__", None)
        if file and "." not in name and not name.startswith("tritongen") and name != "__main__":
            path = Path(file)
            found.add(str(path.parent if path.stem == "__init__" else path))
    return sorted(found)


def _mapped() -> list[str]:
    """Folders of the shared libraries in use."""
    found = set()
    try:
        lines = Path("/proc/self/maps").read_text().splitlines()
    except OSError:
        return []
    for line in lines:
        path = line.split(maxsplit=5)[-1]
        if path.startswith("/") and ".so" in path and os.path.exists(path):
            found.add(str(Path(path).parent))
    return sorted(found)


def _shortest(paths: object) -> list[str]:
    """Without the paths that lie below others of the list (links are kept)."""
    kept: list[str] = []
    for path in sorted(set(paths)):  # type: ignore[arg-type]
        if path == "/":
            continue
        above = any(path.startswith(f"{other}/") and not os.path.islink(other) for other in kept)
        if not above:
            kept.append(path)
    return kept
