"""Which device verification runs on, found out without loading torch into this process."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path
from typing import Literal

from tritongen.errors import DeviceError

Device = Literal["auto", "cpu", "cuda"]


def resolve_device(device: str) -> Literal["cpu", "cuda"]:
    """`cpu` or `cuda`; an error where a GPU is asked for and there is none."""
    if device == "cpu":
        return "cpu"
    if device not in ("auto", "cuda"):
        raise DeviceError("device", "unknown device", value=device, known=("auto", "cpu", "cuda"))
    if has_gpu():
        return "cuda"
    if device == "cuda":
        raise DeviceError(
            "device",
            "no GPU that torch can use was found",
            value=device,
            known=("auto", "cpu"),
            hint='use device="cpu" to compile ahead of time and run under the interpreter',
        )
    return "cpu"


_GPU: list[bool] = []


def has_gpu() -> bool:
    """Whether torch finds a GPU here; asked once, and of another process unless torch is loaded."""
    if not _GPU:
        _GPU.append(_look_for_gpu())
    return _GPU[0]


def _look_for_gpu() -> bool:
    nodes = ("/dev/nvidiactl", "/dev/kfd", "/dev/dxg")
    if not any(Path(node).exists() for node in nodes):
        return False
    question = "import torch; print(torch.cuda.is_available())"
    try:
        answer = subprocess.run(
            [sys.executable, "-c", question],
            capture_output=True,
            text=True,
            timeout=120,
            check=False,
        )
    except (OSError, subprocess.TimeoutExpired):
        return False
    return answer.stdout.strip().endswith("True")
