"""Pairs under NVIDIA's compute-sanitizer: memcheck (out of bounds) and racecheck (shared memory).

The other checks see a store outside a buffer only where it falls into a red zone; memcheck looks at
every access of every thread. It costs some ten seconds a pair and so is for samples. Each pair
and tool is a process of its own with a deadline. Before it is believed the tool must
find a fault that was planted: on machines where it does not work it may say nothing at all. Where it
cannot be used that is said (`unavailable`) and never counts as success.

A pair's code runs here with the rights of the caller: for code that is not trusted, that is the
caller's decision.
"""

from __future__ import annotations

import contextlib
import functools
import json
import os
import re
import shutil
import signal
import subprocess
import sys
import tempfile
import time
from collections import deque
from collections.abc import Iterable, Iterator, Mapping, Sequence
from concurrent.futures import Future, ThreadPoolExecutor
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any, Literal, NamedTuple

from tritongen.errors import VerificationError
from tritongen.verify.verdict import Verdict

TOOLS = ("memcheck", "racecheck")
CASES = 6
"""So many cases of a pair's own test are run, spread over all, besides the inputs of one call."""

AT_ONCE = 4
TIMEOUT = 300.0
_FOUND = 86
_RUNNER = Path(__file__).with_name("sanitized.py")
_PLACES = ("/usr/local/cuda*/bin", "/usr/local/cuda*/compute-sanitizer", "/opt/cuda*/bin")
_FAULT = re.compile(
    r"^=+ +((?:Error: |Warning: )?(?:Invalid __\w+__ \w+|Misaligned|Race reported|"
    r"Potential \w+ hazard|.*? out[- ]of[- ]bounds|Stack overflow|Barrier error|"
    r"Fatal \w+|Malloc/Free error).*)$",
    re.MULTILINE,
)
_SUMMARY = re.compile(
    r"^=+ (?:ERROR SUMMARY: (\d+) errors?|RACECHECK SUMMARY: (\d+) hazards?)", re.MULTILINE
)


class Sources(NamedTuple):
    """A pair, or a candidate: `metadata` has `entry` with the name of the `wrapper`."""

    python_code: str
    triton_code: str
    test_code: str
    metadata: Mapping[str, Any] = {}


def sanitize(
    pair: Any,
    *,
    timeout: float = TIMEOUT,
    tools: Sequence[str] = TOOLS,
    cases: int = CASES,
    separate: bool = False,
) -> Verdict:
    """The verdict of compute-sanitizer on one pair (anything with the fields of `Sources`).

    The wrapper is called with `get_test_inputs()`, and `cases` of the pair's own tests are run.
    With `separate` the Triton source is a module of its own, as for candidates, and there are no
    tests. `timeout` is in seconds for each of the `tools`.

    `passed` with evidence `sanitized`; `failed` with check `sanitize` and the first fault as
    witness; `error` with check `sanitize` where that could not be found out, with
    `coverage["sanitize"]` = `"unavailable"` where the tool is missing or does not work here.
    """
    missing = unavailable()
    if missing:
        reason = f"compute-sanitizer cannot be used: {missing}"
        return Verdict("error", reason, "sanitize", coverage={"sanitize": "unavailable"})
    return _judge(pair, tuple(tools), timeout, cases, separate)


def find_tool() -> Path | None:
    """compute-sanitizer, from PATH or a CUDA toolkit in its usual place."""
    found = shutil.which("compute-sanitizer")
    if found:
        return Path(found)
    folders = [Path(home) / "bin" for home in (os.environ.get("CUDA_HOME"),) if home]
    for pattern in _PLACES:
        folders += sorted(Path("/").glob(pattern.lstrip("/")), reverse=True)
    for folder in folders:
        path = folder / "compute-sanitizer"
        if os.access(path, os.X_OK) and path.is_file():
            return path
    return None


@functools.cache
def unavailable() -> str:
    """Why compute-sanitizer cannot be used here; empty where it can. Asked once a process.

    It can be used where memcheck finds a planted store out of bounds and both tools find nothing
    in the same kernel without it.
    """
    from tritongen.verify.device import has_gpu

    if not has_gpu():
        return "there is no GPU that torch can use"
    if find_tool() is None:
        return "it is not on PATH nor in /usr/local/cuda*/bin"
    bad = _run(_canary(masked=False), "memcheck", TIMEOUT, 0, False)
    if bad.outcome != "fault":
        return f"memcheck does not see a store out of bounds here ({bad.words})"
    for tool in TOOLS:
        good = _run(_canary(masked=True), tool, TIMEOUT, 0, False)
        if good.outcome != "clean":
            return f"{tool} does not work here ({good.words})"
    return ""


class Sanitizer:
    """Pairs to verdicts, in order, a few at a time; use as a context manager."""

    def __init__(self, *, workers: int | None = None, timeout: float = TIMEOUT) -> None:
        missing = unavailable()
        if missing:
            raise VerificationError("sanitize", f"compute-sanitizer cannot be used: {missing}")
        self._at_once = max(1, min(workers or AT_ONCE, AT_ONCE))
        self._timeout = max(timeout, TIMEOUT)
        self._threads = ThreadPoolExecutor(self._at_once)

    def __enter__(self) -> Sanitizer:
        return self

    def __exit__(self, *_: object) -> None:
        self._threads.shutdown(wait=False, cancel_futures=True)
        _kill_all()

    def stream(self, pairs: Iterable[Any]) -> Iterator[Verdict]:
        """The verdicts of pairs in their order; pairs are taken a few ahead."""
        waiting: deque[Future[Verdict]] = deque()
        for pair in pairs:
            job = self._threads.submit(_judge, pair, TOOLS, self._timeout, CASES, False)
            waiting.append(job)
            if len(waiting) > self._at_once:
                yield waiting.popleft().result()
        while waiting:
            yield waiting.popleft().result()


@dataclass(frozen=True, slots=True)
class _Ran:
    """What one tool said: nothing wrong, a fault of the kernel, or nothing that can be used."""

    outcome: Literal["clean", "fault", "error"]
    words: str = ""
    witness: Mapping[str, Any] | None = None
    report: Mapping[str, Any] | None = None
    seconds: float = 0.0


def _judge(
    pair: Any, tools: tuple[str, ...], timeout: float, cases: int, separate: bool
) -> Verdict:
    base = Verdict("passed", evidence="sanitized", coverage={"sanitize": list(tools)})
    seconds = 0.0
    for tool in tools:
        ran = _run(pair, tool, timeout, cases, separate)
        seconds += ran.seconds
        report = ran.report or {}
        base = replace(
            base,
            seconds=round(seconds, 3),
            coverage={**base.coverage, "sanitized_calls": report.get("calls", 0)},
            **{name: report.get(name, "") for name in ("device", "torch", "triton")},
        )
        if ran.outcome == "fault":
            witness = {"tool": tool, **(ran.witness or {})}
            reason = f"{tool}: {ran.words}"
            failed = replace(base, status="failed", reason=reason, check="sanitize")
            return replace(failed, evidence="gpu", witness=witness)
        if ran.outcome == "error":
            reason = f"{tool}: {ran.words}"
            return replace(base, status="error", reason=reason, check="sanitize", evidence="none")
    return base


def _run(pair: Any, tool: str, timeout: float, cases: int, separate: bool) -> _Ran:
    """One pair under one tool."""
    program = find_tool()
    if program is None:
        return _Ran("error", "compute-sanitizer is not there")
    started = time.monotonic()
    with tempfile.TemporaryDirectory(prefix="tritongen-sanitize-") as folder:
        scratch = Path(folder)
        log, output = scratch / "log", scratch / "output"
        metadata = dict(getattr(pair, "metadata", None) or {})
        spec = {
            "python_code": pair.python_code,
            "triton_code": pair.triton_code,
            "test_code": pair.test_code,
            "wrapper": (metadata.get("entry") or {}).get("wrapper", ""),
            "cases": cases,
            "separate": separate,
        }
        (scratch / "spec.json").write_text(json.dumps(spec), encoding="utf-8")
        command = [
            *(sys.executable, "-P", str(_RUNNER), "exec", str(os.getpid())),
            *(str(program), "--tool", tool, "--error-exitcode", str(_FOUND)),
            *("--target-processes", "application-only", "--report-api-errors", "no"),
            *("--print-limit", "20", "--log-file", str(log)),
            *(sys.executable, "-P", str(_RUNNER), "run", str(os.getpid()), str(scratch)),
        ]
        environment = {
            **os.environ,
            # Torch's allocator hands out parts of large blocks, within which nothing is out of bounds.
            "PYTORCH_NO_CUDA_MEMORY_CACHING": "1",
            "TRITON_CACHE_DIR": str(scratch / "triton"),
            "TRITON_INTERPRET": "0",
            "TMPDIR": str(scratch),
            "OMP_NUM_THREADS": "1",
        }
        code = _wait(command, environment, scratch, output, timeout)
        seconds = time.monotonic() - started
        if code is None:
            return _Ran("error", f"timeout after {timeout:g} s", seconds=seconds)
        said = _text(log)
        report = _report(scratch / "report.json")
        return replace(_read(code, said, report, _text(output)), seconds=seconds)


def _read(code: int, said: str, report: Mapping[str, Any] | None, output: str) -> _Ran:
    """What a tool's log, its exit code and the report of the program under it mean together."""
    fault = _FAULT.search(said)
    if fault is not None:
        lines = [line.lstrip("= ").rstrip() for line in said[fault.start() :].splitlines()[:6]]
        details = [line for line in lines[1:4] if line and not line.startswith("Saved host")]
        words = "; ".join([fault[1].strip(), *details])[:400]
        return _Ran("fault", words, {"log": "\n".join(lines)}, report)
    summary = _SUMMARY.search(said)
    found = int(summary[1] or summary[2]) if summary else None
    if report is None or code != 0 or found != 0:
        last = [line for line in (said + "\n" + output).splitlines() if line.strip("= ")][-1:]
        words = f"exit code {code}, {'no summary' if found is None else f'{found} errors'}"
        return _Ran("error", ": ".join([words, *(line.lstrip("= ")[:200] for line in last)]))
    if report["error"]:
        return _Ran("error", f"the pair does not run: {report['error']}", report=report)
    if not report["launches"]:
        return _Ran("error", "no Triton kernel was launched", report=report)
    return _Ran("clean", report=report)


_RUNNING: set[subprocess.Popen[bytes]] = set()


def _wait(
    command: list[str], environment: Mapping[str, str], folder: Path, output: Path, timeout: float
) -> int | None:
    """The exit code of a command, of which nothing is left; None where it ran out of time."""
    with output.open("wb") as stream:
        process = subprocess.Popen(
            command,
            stdin=subprocess.DEVNULL,
            stdout=stream,
            stderr=stream,
            cwd=folder,
            env=dict(environment),
            start_new_session=True,
        )
    _RUNNING.add(process)
    try:
        return process.wait(timeout)
    except subprocess.TimeoutExpired:
        return None
    finally:
        _kill(process)
        _RUNNING.discard(process)


def _kill(process: subprocess.Popen[bytes]) -> None:
    with contextlib.suppress(ProcessLookupError, PermissionError):
        os.killpg(process.pid, signal.SIGKILL)
    process.wait()


def _kill_all() -> None:
    for process in list(_RUNNING):
        with contextlib.suppress(ProcessLookupError, PermissionError):
            os.killpg(process.pid, signal.SIGKILL)


def _text(path: Path) -> str:
    try:
        return path.read_text(encoding="utf-8", errors="replace")
    except OSError:
        return ""


def _report(path: Path) -> Mapping[str, Any] | None:
    try:
        return json.loads(path.read_text(encoding="utf-8"))
    except (OSError, ValueError):
        return None


def _canary(*, masked: bool) -> Sources:
    """A kernel that stores 28 elements past its output, or (`masked`) does not."""
    mask = ", mask=offsets < n" if masked else ""
    return Sources(
        "",
        f"""
import torch
import triton
import triton.language as tl


@triton.jit
def canary_kernel(out_ptr, n, BLOCK: tl.constexpr):
    offsets = tl.arange(0, BLOCK)
    tl.store(out_ptr + offsets, offsets.to(tl.float32){mask})


def canary(out):
    canary_kernel[(1,)](out, out.numel(), BLOCK=128)
    return out
""",
        "import torch\n\n\ndef get_test_inputs():\n    return (torch.zeros(100, device='cuda'),)\n",
        {"entry": {"wrapper": "canary"}},
    )
