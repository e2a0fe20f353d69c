"""A warm worker process: reads jobs from one pipe, answers on another.

Kinds: `interpret` (Triton's interpreter on the CPU), `compile` (launches caught and compiled for
named targets) and `cuda` (tests run verbatim on a GPU). Needs torch and triton, and of this
package nothing but `tritongen.verify`.
"""

from __future__ import annotations

import argparse
import contextlib
import ctypes
import gc
import io
import json
import os
import random
import resource
import signal
import sys
import time
import traceback
import warnings
from collections import Counter
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

PR_SET_PDEATHSIG = 1
KEPT_OUTPUT = 2000
COLLECT_EVERY = 20


def die_with_parent(parent: int) -> None:
    """Ask the kernel to kill this process when its parent dies, and to take it first for memory."""
    with contextlib.suppress(OSError):
        libc = ctypes.CDLL(None, use_errno=True)
        libc.prctl(PR_SET_PDEATHSIG, signal.SIGKILL, 0, 0, 0)
    if os.getppid() != parent:
        os._exit(1)
    with contextlib.suppress(OSError, ValueError):
        resource.setrlimit(resource.RLIMIT_CORE, (0, 0))
    with contextlib.suppress(OSError):
        Path("/proc/self/oom_score_adj").write_text("900")


class BoundedText(io.TextIOBase):
    """What a candidate prints: the first characters are kept, the rest is dropped."""

    def __init__(self) -> None:
        self.text = ""

    def writable(self) -> bool:
        return True

    def write(self, text: str) -> int:
        if len(self.text) < KEPT_OUTPUT:
            self.text += str(text)[: KEPT_OUTPUT - len(self.text)]
        return len(text)


class Engine:
    """One kind of worker: what is installed once, and how a candidate is judged."""

    def __init__(self, kind: str, index: int, scratch: Path, cache: Path) -> None:
        import torch

        self.kind = kind
        self.scratch = scratch
        self.jobs = 0
        torch.set_num_threads(1)
        torch.manual_seed(0)
        warnings.simplefilter("ignore")
        self.tools: dict[str, Any] = {}
        self.surroundings: Callable[[], contextlib.AbstractContextManager[Any]]
        self.begin: Callable[[], object]
        self.device: dict[str, Any] = {"name": "cpu", "capability": ""}
        getattr(self, f"_start_{kind}")(index, cache)

    def _start_interpret(self, _index: int, _cache: Path) -> None:
        from tritongen.verify import interpreter, redirect

        redirect.install()
        interpreter.install()
        self.surroundings = redirect.redirected
        self.begin = interpreter.STATE.reset
        self.tools = {
            "interpreter": interpreter.STATE,
            "launches": lambda: interpreter.STATE.launches,
            "has": has_capability,
        }

    def _start_compile(self, _index: int, cache: Path) -> None:
        from tritongen.verify import capture, redirect
        from tritongen.verify.targets import Compiler

        redirect.install()
        capture.install()
        self.surroundings = lambda: redirect.redirected(poison=False)
        self.begin = capture.begin
        self.tools = {
            "compiler": Compiler(cache),
            "captured": lambda: capture.STATE,
            "launches": lambda: capture.STATE.counts,
            "has": has_capability,
        }

    def _start_cuda(self, index: int, cache: Path) -> None:
        import torch
        from triton.runtime import jit

        from tritongen.verify.launchers import share_launchers

        if not torch.cuda.is_available():
            raise RuntimeError("torch finds no CUDA device")
        share_launchers(cache / "launchers")
        device = index % torch.cuda.device_count()
        torch.cuda.set_device(device)
        torch.zeros(1, device="cuda")
        major, minor = torch.cuda.get_device_capability(device)
        self.device = {
            "name": torch.cuda.get_device_name(device),
            "capability": f"sm_{major}{minor}",
        }
        if torch.version.hip:
            properties = torch.cuda.get_device_properties(device)
            self.device["capability"] = properties.gcnArchName.split(":")[0]
        counts: Counter[str] = Counter()
        original: Any = jit.JITFunction.run

        def counted(function: Any, *args: Any, grid: Any, warmup: bool, **kwargs: Any) -> Any:
            if not warmup:
                counts[function.__name__] += 1
            return original(function, *args, grid=grid, warmup=warmup, **kwargs)

        jit_function: Any = jit.JITFunction
        jit_function.run = counted
        self.surroundings = contextlib.nullcontext
        self.begin = counts.clear
        self.tools = {
            "launches": lambda: counts,
            "after": torch.cuda.synchronize,
            "has": lambda name: has_capability(name, (major, minor)),
        }

    def judge(self, request: dict[str, Any]) -> dict[str, Any]:
        """All checks on one pair; the response without its id."""
        from tritongen.verify import checks
        from tritongen.verify.compare import Errors, watching
        from tritongen.verify.loader import join, loaded

        started = time.perf_counter()
        self._reset()
        errors = Errors()
        candidate: checks.Candidate | None = None
        finding: checks.Finding | None = None
        source = join(request["python_code"], request["triton_code"], request["test_code"])
        judging = self.kind != "compile"
        printed = BoundedText()
        with contextlib.redirect_stdout(printed), contextlib.redirect_stderr(printed):
            try:
                with contextlib.ExitStack() as stack:
                    with self.surroundings():
                        module = stack.enter_context(loaded(source, self.scratch, asserts=judging))
                    stack.enter_context(watching(module, errors, judging))
                    candidate = checks.Candidate(
                        module, request, str(module.__file__), errors, self.surroundings, self.tools
                    )
                    finding = checks.judge(candidate, self.kind)
            except SystemExit as error:
                finding = checks.Finding(
                    "exception", f"the code called sys.exit({error.code})", "error"
                )
            except BaseException as error:
                finding = self._outside(error)
        if self.kind == "compile":
            from tritongen.verify.targets import empty_triton_cache

            empty_triton_cache(self.scratch / "triton")
        return {
            "finding": checks.finding_record(finding),
            "fatal": bool(finding and finding.fatal),
            "coverage": candidate.coverage if candidate else {},
            "targets": candidate.targets if candidate else {},
            "unsupported": candidate.unsupported if candidate else "",
            "max_abs_error": errors.max_abs,
            "max_rel_error": errors.max_rel,
            "printed": printed.text,
            "spent": candidate.seconds if candidate else {},
            "seconds": round(time.perf_counter() - started, 4),
            "resident_mb": resident_mb(),
        }

    def _reset(self) -> None:
        """Make a pair's result independent of the pairs before it."""
        import numpy
        import torch

        self.begin()
        self.jobs += 1
        torch.manual_seed(0)
        random.seed(0)
        numpy.random.seed(0)
        torch.set_default_dtype(torch.float32)
        torch.set_grad_enabled(True)
        if self.jobs % COLLECT_EVERY == 0:
            gc.collect()

    def _outside(self, error: BaseException) -> Any:
        """An exception outside of any test: the sources do not even load."""
        from tritongen.verify import checks
        from tritongen.verify.cases import one_line, outcome_of

        if outcome_of(error) == "skipped":
            return checks.Finding("test", f"all tests are skipped: {one_line(str(error))}")
        name = type(error).__name__
        reason = f"the sources do not load: {name}: {one_line(str(error))}"
        if not isinstance(error, SyntaxError) and not _from_pair(error):
            last = one_line("".join(traceback.format_exception(error)[-2:]))
            return checks.Finding("internal", f"{name}: {last}", "error")
        return checks.Finding("load", reason, "failed", fatal=checks.is_fatal(error))


def _from_pair(error: BaseException) -> bool:
    trace = error.__traceback__
    while trace is not None:
        if Path(trace.tb_frame.f_code.co_filename).name.startswith("pair_"):
            return True
        trace = trace.tb_next
    return False


def has_capability(name: str, device: tuple[int, int] | None = None) -> bool:
    """Whether Triton, and the device if there is one, can do what a pair requires."""
    import triton.language as tl

    if name.startswith("sm_"):
        number = int("".join(character for character in name[3:] if character.isdigit()) or 0)
        return device is None or device[0] * 10 + device[1] >= number
    named = {
        "tensor_descriptor": "make_tensor_descriptor",
        "tensor_descriptors": "make_tensor_descriptor",
        "block_pointer": "make_block_ptr",
        "block_pointers": "make_block_ptr",
    }
    return hasattr(tl, named.get(name, name))


def resident_mb() -> float:
    """Resident memory of this process in megabytes."""
    try:
        pages = int(Path("/proc/self/statm").read_text().split()[1])
    except (OSError, ValueError, IndexError):
        return 0.0
    return pages * resource.getpagesize() / 1e6


def requests(stream: io.BufferedReader) -> Iterator[dict[str, Any]]:
    """The jobs, one per line; a long one lies in a file."""
    for line in stream:
        request = json.loads(line)
        if "file" in request:
            path = Path(request["file"])
            request = json.loads(path.read_text(encoding="utf-8"))
            path.unlink()
        yield request


def main() -> None:
    """Start, say hello, answer jobs until the pipe closes."""
    parser = argparse.ArgumentParser()
    parser.add_argument("--kind", choices=("interpret", "compile", "cuda"), required=True)
    for name in ("index", "parent", "request-fd", "response-fd"):
        parser.add_argument(f"--{name}", type=int, required=True)
    parser.add_argument("--scratch", type=Path, required=True)
    parser.add_argument("--cache", type=Path, required=True)
    options = parser.parse_args()
    die_with_parent(options.parent)
    for descriptor in (options.request_fd, options.response_fd):
        os.set_inheritable(descriptor, False)

    def answer(message: dict[str, Any]) -> None:
        data = json.dumps(message).encode() + b"\n"
        while data:
            data = data[os.write(options.response_fd, data) :]

    engine = Engine(options.kind, options.index, options.scratch, options.cache)
    import torch
    import triton

    versions = {"torch": torch.__version__, "triton": triton.__version__}
    # Compiling makes many objects; without this each full collection walks all of torch
    gc.collect()
    gc.freeze()
    answer({"hello": {**versions, **engine.device}})
    with os.fdopen(options.request_fd, "rb") as stream:
        for request in requests(stream):
            response = engine.judge(request)
            answer({"id": request["id"], **response})
            if response["fatal"]:
                sys.stdout.flush()
                os._exit(0)
