"""The trusted side of a zygote: starting it, asking it for sandboxes, ending it."""

from __future__ import annotations

import contextlib
import json
import os
import shutil
import socket
import subprocess
import sys
import threading
import time
import weakref
from collections.abc import Iterable
from pathlib import Path
from typing import Any, cast

from tritongen.verify.sandbox import tiers
from tritongen.verify.sandbox.box import FORK_SECONDS, Sandbox
from tritongen.verify.sandbox.records import MODES, IsolationError, Limits, Mode
from tritongen.verify.sandbox.scratch import new_scratch

START_SECONDS = 240.0
KEPT_NAMES = frozenset(
    {"PATH", "LANG", "LANGUAGE", "LC_ALL", "LC_CTYPE", "TZ", "LD_LIBRARY_PATH", "PYTHONPATH"}
    | {"CUDA_HOME", "CUDA_PATH", "CUDA_VISIBLE_DEVICES", "CUDA_DEVICE_ORDER", "VIRTUAL_ENV"}
    | {"NVIDIA_VISIBLE_DEVICES", "NVIDIA_DRIVER_CAPABILITIES", "HIP_VISIBLE_DEVICES"}
    | {"ROCR_VISIBLE_DEVICES", "TRITON_PTXAS_PATH", "TRITON_LIBCUDA_PATH", "CC"}
)


class Zygote:
    """A warm process that sandboxes are forked from; start it once, use it from any thread.

    `handlers` names a module (or is the path of a file) with a dictionary `HANDLERS`: operation to
    a function of one dictionary that returns one. It is imported in the zygote. `tier` is a name
    of `TIERS` or `auto`; `require` names parts that the tier must have. Raises `IsolationError`.
    """

    def __init__(
        self,
        mode: Mode = "interpret",
        handlers: str = "tritongen.verify.sandbox.servers",
        *,
        tier: str = "auto",
        require: Iterable[str] = (),
        limits: Limits | None = None,
        readable: Iterable[str] = (),
        environment: dict[str, str] | None = None,
        _parts: frozenset[str] | None = None,
    ) -> None:
        if mode not in MODES:
            raise ValueError(f"mode {mode!r} is none of {', '.join(MODES)}")
        self.mode: Mode = mode
        self.tier, self.parts = tiers.choose(tier, require)
        if _parts is not None:
            self.parts = _parts - {"user"}
        self.required = (tiers.TIERS[self.tier] & self.parts) | frozenset(require)
        self.limits = limits or Limits()
        self.versions: dict[str, str] = {}
        self.start_seconds = 0.0
        self._detail: dict[str, Any] = {}
        self._config: dict[str, Any] = {
            "mode": mode,
            "handlers": handlers,
            "parts": sorted(self.parts),
            "readable": sorted(readable),
            "nobody": _parts is None or "user" in _parts,
        }
        self._extra = environment or {}
        self._arguments: dict[str, Any] = {
            "tier": self.tier,
            "limits": limits,
            "readable": tuple(self._config["readable"]),
            "environment": environment,
            "_parts": _parts,
        }
        self._lock = threading.RLock()
        self._process: subprocess.Popen[bytes] | None = None
        self._control: socket.socket | None = None
        self._scratch: Path | None = None
        self._finish: Any = None
        self._ready = False
        self._pid = os.getpid()
        self._began = 0.0

    def __enter__(self) -> Zygote:
        return self

    def __exit__(self, *_: object) -> None:
        self.close()

    @property
    def pid(self) -> int:
        """Process id of the zygote's outermost process, 0 if it is not running."""
        return self._process.pid if self._process is not None else 0

    def start(self) -> None:
        """Start it without waiting for it; otherwise the first sandbox does."""
        with self._lock:
            if os.getpid() != self._pid:
                raise RuntimeError("a zygote is used by the process that made it")
            if self._process is not None and self._process.poll() is None:
                return
            self.close()
            self._scratch = new_scratch()
            ours, theirs = socket.socketpair(socket.AF_UNIX, socket.SOCK_SEQPACKET)
            config = {
                **self._config,
                "control": theirs.fileno(),
                "parent": os.getpid(),
                "scratch": str(self._scratch),
            }
            script = str(Path(__file__).with_name("boot.py"))
            self._began = time.monotonic()
            log = (self._scratch / "log").open("wb")
            try:
                self._process = subprocess.Popen(
                    [sys.executable, "-P", script, json.dumps(config)],
                    stdin=subprocess.DEVNULL,
                    stdout=log,
                    stderr=log,
                    pass_fds=(theirs.fileno(),),
                    start_new_session=True,
                    cwd="/",
                    env=self._environment(),
                )
            finally:
                theirs.close()
                log.close()
            self._control = ours
            self._ready = False
            self._finish = weakref.finalize(
                self, _finish, os.getpid(), ours, self._process, self._scratch
            )

    def _environment(self) -> dict[str, str]:
        kept = {name: value for name, value in os.environ.items() if name in KEPT_NAMES}
        return {
            **kept,
            "HOME": "/nonexistent",
            "PYTHONHASHSEED": "0",
            "PYTHONNOUSERSITE": "1",
            "PYTHONDONTWRITEBYTECODE": "1",
            "TMPDIR": str(self._scratch),
            "TRITON_CACHE_DIR": f"{self._scratch}/triton",
            "TRITON_HOME": str(self._scratch),
            "TRITON_INTERPRET": "1" if self.mode == "interpret" else "0",
            "OMP_NUM_THREADS": "1",
            "MKL_NUM_THREADS": "1",
            "OPENBLAS_NUM_THREADS": "1",
            **(
                {"TRITON_STORE_BINARY_ONLY": "1", "TRITON_DISABLE_LINE_INFO": "1"}
                if self.mode == "compile"
                else {}
            ),
            **self._extra,
        }

    def wait(self, timeout: float = START_SECONDS) -> None:
        """Until it is warm. Raises `IsolationError` if it does not come up."""
        with self._lock:
            self.start()
            control = self._control
            if self._ready or control is None:
                return
            import torch  # what messages are made of; meanwhile the zygote does the same

            del torch
            control.settimeout(max(0.1, self._began + timeout - time.monotonic()))
            try:
                data = control.recv(65536)
            except TimeoutError:
                data = b""
            except OSError:
                data = b""
            finally:
                control.settimeout(FORK_SECONDS)
            hello: dict[str, Any] = (
                json.loads(data) if data else {"error": "it ended or took too long"}
            )
            if "error" in hello:
                log = self._log()
                self.close()
                raise IsolationError(
                    "isolation", f"no {self.mode} zygote could be started: {hello['error']}; {log}"
                )
            self._detail = hello["detail"]
            self.versions = hello["versions"]
            self.start_seconds = time.monotonic() - self._began
            self._ready = True

    def _log(self) -> str:
        with contextlib.suppress(OSError):
            if self._scratch is not None:
                return (self._scratch / "log").read_text(errors="replace")[-2000:].strip()
        return ""

    @property
    def shared(self) -> bool:
        """Whether one zygote can have several sandboxes that are out of each other's reach."""
        return self.tier != "bubblewrap" or "landlock" in self.parts

    def sandbox(self, limits: Limits | None = None) -> Sandbox:
        """A new sandbox, forked from the zygote; it is started if it is not running.

        Where sandboxes of one zygote could reach each other's files, each gets a zygote of its own.
        """
        if self.shared:
            return Sandbox(self, limits or self.limits)
        zygote = Zygote(self.mode, self._config["handlers"], **self._arguments)
        try:
            sandbox = Sandbox(zygote, limits or self.limits)
        except BaseException:
            zygote.close()
            raise
        sandbox.own_zygote = zygote
        return sandbox

    def request(self, limits: Limits, descriptors: list[int]) -> dict[str, Any]:
        """Ask for a fork; the details of the isolation. For `Sandbox` alone."""
        with self._lock:
            for attempt in (0, 1):
                self.wait()
                control = cast(socket.socket, self._control)
                try:
                    request = json.dumps({"limits": limits.record()}).encode()
                    socket.send_fds(control, [request], descriptors)
                except OSError:
                    if attempt:
                        raise
                    self.close()
                    continue
                break
            return self._detail

    def close(self) -> None:
        """End the zygote and all its sandboxes."""
        with self._lock:
            if self._finish is not None:
                self._finish()
            self._control = self._process = self._scratch = self._finish = None
            self._ready = False


def _finish(
    owner: int, control: socket.socket, process: subprocess.Popen[bytes], scratch: Path
) -> None:
    """End a zygote: it does so itself when its control socket closes, and is killed otherwise."""
    if os.getpid() != owner:
        return
    control.close()
    with contextlib.suppress(subprocess.TimeoutExpired):
        process.wait(0.5)
    process.kill()
    process.wait()
    shutil.rmtree(scratch, ignore_errors=True)
