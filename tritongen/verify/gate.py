"""`verify`: pairs in, verdicts out, in order, from warm workers.

On the CPU a pair is interpreted first (its tests are run) and, if they pass, compiled for every
target. A pair whose kernel raises is compiled as well, since the compiler says better what is
wrong. So a wrong pair costs no compilation and the verdict does not depend on timing.
"""

from __future__ import annotations

import atexit
import itertools
import os
import queue
import subprocess
import sys
import threading
from collections import deque
from collections.abc import Callable, Iterable, Iterator, Sequence
from pathlib import Path
from typing import Any, Literal, Protocol, overload

from tritongen.errors import DeviceError, VerificationError
from tritongen.verify.pool import Job, Outcome, Pool
from tritongen.verify.targets import DEFAULT_TARGETS, TARGETS
from tritongen.verify.verdict import Verdict

Device = Literal["auto", "cpu", "cuda"]
GPU_WORKERS = 16
AHEAD = 4

Finding = dict[str, Any]


class PairLike(Protocol):
    """What verification reads of a pair."""

    @property
    def python_code(self) -> str:
        """The reference."""
        ...

    @property
    def triton_code(self) -> str:
        """The kernels and their wrapper."""
        ...

    @property
    def test_code(self) -> str:
        """The pair's own tests."""
        ...

    @property
    def metadata(self) -> Any:
        """A mapping; `targets` and `requires` are read."""
        ...


class _Flow:
    """The way of one pair through the workers to its verdict."""

    def __init__(
        self,
        pair: PairLike,
        gate: Gate,
        order: int,
        timeout: float,
        targets: Sequence[str] | None,
        done: Callable[[_Flow, Verdict], None],
    ) -> None:
        self.gate = gate
        self.order = order
        self.timeout = timeout
        self.done = done
        metadata = dict(getattr(pair, "metadata", None) or {})
        declared = targets or metadata.get("targets") or DEFAULT_TARGETS
        self.targets = check_targets(declared)
        kept = ("requires", "entry", "atomics")
        self.payload: dict[str, Any] = {
            "python_code": pair.python_code,
            "triton_code": pair.triton_code,
            "test_code": pair.test_code,
            "metadata": {key: metadata[key] for key in kept if key in metadata},
            "targets": list(self.targets),
        }
        self.stages: dict[str, Outcome] = {}

    def start(self) -> None:
        self._submit("cuda" if self.gate.device == "cuda" else "interpret")

    def _submit(self, kind: str) -> None:
        def heard(outcome: Outcome) -> None:
            self._heard(kind, outcome)

        job = Job(kind, self.payload, self.timeout, heard)
        self.gate.pool.submit(job, self.order)

    def _heard(self, kind: str, outcome: Outcome) -> None:
        try:
            self.stages[kind] = outcome
            finding = outcome.response.get("finding")
            goes_on = outcome.status == "done" and (
                finding is None or finding["check"] in ("exception", "unsupported", "load")
            )
            if kind == "interpret" and goes_on and not self.gate.interpret_only:
                self._submit("compile")
                return
            verdict = self._verdict()
        except Exception as error:
            verdict = Verdict("error", f"{type(error).__name__}: {error}", "internal")
        self.done(self, verdict)

    def _verdict(self) -> Verdict:
        coverage: dict[str, Any] = {}
        targets: dict[str, str] = {}
        seconds = 0.0
        for outcome in self.stages.values():
            coverage.update(outcome.response.get("coverage", {}))
            targets.update(outcome.response.get("targets", {}))
            seconds += outcome.response.get("seconds", outcome.seconds)
        status, check, reason, witness = self._finding()
        first = next(iter(self.stages.values()))
        hello = next((o.hello for o in self.stages.values() if o.hello), {})
        if "cuda" in self.stages and hello and status == "passed":
            targets = {hello["capability"]: "ok"}
        unsupported = first.response.get("unsupported", "")
        if unsupported:
            coverage["not_interpreted"] = unsupported
        return Verdict(
            status=status,
            reason=reason,
            check=check,
            evidence=self._evidence(status),
            targets=targets,
            device=hello.get("name", ""),
            torch=hello.get("torch", ""),
            triton=hello.get("triton", ""),
            max_abs_error=first.response.get("max_abs_error"),
            max_rel_error=first.response.get("max_rel_error"),
            seconds=round(seconds, 4),
            coverage=coverage,
            witness=witness,
        )

    def _finding(self) -> tuple[Any, str, str, dict[str, Any] | None]:
        """Status, check, reason and witness: the compiler's word weighs more than an exception."""
        findings: dict[str, Finding] = {}
        for kind, outcome in self.stages.items():
            if outcome.status != "done":
                return "error", "worker", _words(outcome), None
            found = outcome.response.get("finding")
            if found is not None:
                findings[kind] = found
        compiled = findings.get("compile")
        ran = findings.get("interpret") or findings.get("cuda")
        if ran is not None and ran["check"] == "unsupported":
            if compiled is None:
                reason = f"compiled only; the interpreter cannot run it: {ran['reason']}"
                return "passed", "", reason, None
            ran = compiled
        if compiled is not None and compiled["check"] == "compile":
            ran = compiled
        found = ran or compiled
        if found is None:
            return "passed", "", "", None
        return found["status"], found["check"], found["reason"], found["witness"]

    def _evidence(self, status: str) -> Any:
        ok = {
            kind
            for kind, outcome in self.stages.items()
            if outcome.status == "done" and outcome.response.get("finding") is None
        }
        if "cuda" in ok:
            return "gpu"
        if ok == {"interpret", "compile"}:
            return "interpreted"
        if "compile" in ok:
            return "compiled"
        if status == "passed":
            return "interpreted"
        checks = [(o.response.get("finding") or {}).get("check") for o in self.stages.values()]
        loaded = all(check not in (None, "load", "form", "internal") for check in checks)
        return "static" if loaded or "interpret" in ok else "none"


def _words(outcome: Outcome) -> str:
    """What to say of a job that has no answer, with the last line that the worker printed."""
    lines = [line.strip() for line in outcome.output.splitlines() if line.strip()]
    useful = lines[-1][:200] if lines and outcome.status == "died" else ""
    return f"{outcome.reason}: {useful}" if useful else outcome.reason


def check_targets(targets: Iterable[str]) -> tuple[str, ...]:
    """The targets, all known; else an error that lists them."""
    names = tuple(targets)
    for name in names:
        if name not in TARGETS:
            raise VerificationError(
                "targets", "unknown compilation target", value=name, known=TARGETS
            )
    return names


class Gate:
    """Warm workers for one device; use as a context manager, or through `verify`."""

    def __init__(
        self,
        device: Device = "auto",
        *,
        workers: int | None = None,
        timeout: float = 120.0,
        targets: Sequence[str] | None = None,
        interpret_only: bool = False,
    ) -> None:
        self.device = resolve_device(device)
        cores = os.cpu_count() or 1
        default = min(cores, GPU_WORKERS) if self.device == "cuda" else cores
        self.pool = Pool(workers or default)
        self.timeout = timeout
        self.targets = targets
        self.interpret_only = interpret_only
        self._order = itertools.count()

    def __enter__(self) -> Gate:
        return self

    def __exit__(self, *_: object) -> None:
        self.close()

    def close(self) -> None:
        """Kill the workers and remove their scratch folder."""
        self.pool.close()

    @property
    def usable(self) -> bool:
        """False once closed, and in a forked child."""
        return self.pool.usable

    def check(self, pair: PairLike, **options: Any) -> Verdict:
        """The verdict of one pair."""
        return next(self.stream([pair], **options))

    def stream(
        self,
        pairs: Iterable[PairLike],
        *,
        timeout: float | None = None,
        targets: Sequence[str] | None = None,
    ) -> Iterator[Verdict]:
        """The verdicts of pairs, in their order; pairs are taken a few ahead of the workers."""
        wanted = check_targets(targets) if targets else self.targets
        patience = timeout or self.timeout
        finished: queue.SimpleQueue[tuple[_Flow, Verdict]] = queue.SimpleQueue()
        ready: dict[int, Verdict] = {}
        waiting: deque[int] = deque()
        source = iter(pairs)
        window = AHEAD * self.pool.workers
        exhausted = False
        while True:
            while not exhausted and len(waiting) < window:
                try:
                    pair = next(source)
                except StopIteration:
                    exhausted = True
                    break
                order = next(self._order)
                flow = _Flow(pair, self, order, patience, wanted, lambda f, v: finished.put((f, v)))
                waiting.append(order)
                flow.start()
            if not waiting:
                return
            while waiting[0] not in ready:
                flow, verdict = finished.get()
                ready[flow.order] = verdict
            yield ready.pop(waiting.popleft())


_GATES: dict[tuple[str, int | None], Gate] = {}
_GATES_LOCK = threading.Lock()


def shared_gate(device: Device = "auto", workers: int | None = None) -> Gate:
    """The process's own warm gate for a device and number of workers."""
    key = (resolve_device(device), workers)
    with _GATES_LOCK:
        gate = _GATES.get(key)
        if gate is None or not gate.usable:
            gate = Gate(key[0], workers=workers)
            _GATES[key] = gate
        return gate


def close_gates() -> None:
    """Kill the warm workers that `verify` keeps."""
    with _GATES_LOCK:
        gates = list(_GATES.values())
        _GATES.clear()
    for gate in gates:
        gate.close()


atexit.register(close_gates)


@overload
def verify(
    pair_or_pairs: PairLike,
    *,
    device: Device = "auto",
    workers: int | None = None,
    timeout: float = 120.0,
    targets: Sequence[str] | None = None,
) -> Verdict: ...


@overload
def verify(
    pair_or_pairs: Iterable[PairLike],
    *,
    device: Device = "auto",
    workers: int | None = None,
    timeout: float = 120.0,
    targets: Sequence[str] | None = None,
) -> Iterator[Verdict]: ...


def verify(
    pair_or_pairs: PairLike | Iterable[PairLike],
    *,
    device: Device = "auto",
    workers: int | None = None,
    timeout: float = 120.0,
    targets: Sequence[str] | None = None,
) -> Verdict | Iterator[Verdict]:
    """Prove a pair, or pairs, on this machine.

    A pair (anything with `python_code`, `triton_code`, `test_code`, `metadata`) gives a `Verdict`;
    an iterable gives an iterator of verdicts in the same order, taken as they come. `auto` is the
    GPU if there is one, else compilation for `targets` plus Triton's interpreter.

    Raises DeviceError where `cuda` is asked for and there is none, and VerificationError for an unknown
    target and a timeout that is no positive number.
    """
    if isinstance(timeout, bool) or not isinstance(timeout, int | float) or timeout <= 0:
        raise VerificationError("timeout", "a number of seconds above 0 is expected", value=timeout)
    gate = shared_gate(device, workers)
    if isinstance(pair_or_pairs, Iterable):
        return gate.stream(pair_or_pairs, timeout=timeout, targets=targets)
    return gate.check(pair_or_pairs, timeout=timeout, targets=targets)


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
