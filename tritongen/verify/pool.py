"""A small supervisor of worker processes: the parent holds every deadline and the whole group.

A worker is one warm process of some kind (`interpret`, `compile`, `cuda`) in its own session. It
reads job lines from one pipe and answers on another; its standard streams carry nothing of the
protocol. One thread of the parent starts workers lazily, hands out jobs, watches deadlines and
replaces what hangs or dies; a worker's end costs the job it was busy with and nothing else.
"""

from __future__ import annotations

import contextlib
import heapq
import itertools
import json
import os
import selectors
import shutil
import signal
import subprocess
import sys
import tempfile
import threading
import time
from collections import Counter, deque
from collections.abc import Callable
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, Literal

START_SECONDS = 240.0
START_ATTEMPTS = 3
OUTPUT_TAIL = 8192
INLINE_REQUEST = 32_000
MAX_RESPONSE = 8_000_000
JOBS_PER_WORKER = 2000
SPARE_AFTER = 30
MAX_RESIDENT_MB = 6000


@dataclass(frozen=True, slots=True)
class Outcome:
    """What became of one job: an answer, or why there is none."""

    status: Literal["done", "timeout", "died", "unstarted", "cancelled"]
    response: dict[str, Any] = field(default_factory=dict)
    reason: str = ""
    output: str = ""
    seconds: float = 0.0
    hello: dict[str, Any] = field(default_factory=dict)


@dataclass(slots=True)
class Job:
    """One request to a worker of a kind; `callback` is called once, in the supervisor's thread."""

    kind: str
    payload: dict[str, Any]
    timeout: float
    callback: Callable[[Outcome], None]
    id: int = 0
    cancelled: bool = False


class _Worker:
    """One process and its pipes."""

    def __init__(self, kind: str, index: int, scratch: Path) -> None:
        self.kind = kind
        self.folder = Path(tempfile.mkdtemp(prefix=f"{kind}-{index}-", dir=scratch))
        request_read, self.request = os.pipe()
        self.response, response_write = os.pipe()
        output_write: int
        self.output, output_write = os.pipe()
        environment = {
            **os.environ,
            "PYTHONHASHSEED": "0",
            "TMPDIR": str(self.folder),
            "TRITON_CACHE_DIR": str(self.folder / "triton"),
            "TRITON_INTERPRET": "1" if kind == "interpret" else "0",
            "OMP_NUM_THREADS": "1",
            "MKL_NUM_THREADS": "1",
            "OPENBLAS_NUM_THREADS": "1",
        }
        if kind != "interpret":
            environment["TRITON_DISABLE_LINE_INFO"] = "1"
        if kind == "compile":
            environment["TRITON_STORE_BINARY_ONLY"] = "1"
        command = [
            *(sys.executable, "-P", str(Path(__file__).with_name("boot.py"))),
            *("--kind", kind, "--index", str(index), "--scratch", str(self.folder)),
            *("--cache", str(scratch / "cache"), "--parent", str(os.getpid())),
            *("--request-fd", str(request_read), "--response-fd", str(response_write)),
        ]
        try:
            self.process = subprocess.Popen(
                command,
                stdin=subprocess.DEVNULL,
                stdout=output_write,
                stderr=output_write,
                pass_fds=(request_read, response_write),
                start_new_session=True,
                cwd=self.folder,
                env=environment,
            )
        finally:
            for descriptor in (request_read, response_write, output_write):
                os.close(descriptor)
        for descriptor in (self.response, self.output):
            os.set_blocking(descriptor, False)
        try:
            self.pidfd = os.pidfd_open(self.process.pid)
        except (AttributeError, OSError):
            self.pidfd = -1
        self.buffer = b""
        self.tail: deque[bytes] = deque()
        self.tail_size = 0
        self.hello: dict[str, Any] = {}
        self.ready = False
        self.job: Job | None = None
        self.started = time.monotonic()
        self.deadline = self.started + START_SECONDS
        self.jobs_done = 0

    @property
    def descriptors(self) -> list[int]:
        return [fd for fd in (self.response, self.output, self.pidfd) if fd >= 0]

    def send(self, job: Job) -> None:
        self.job = job
        self.started = time.monotonic()
        self.deadline = self.started + job.timeout
        line = json.dumps({"id": job.id, **job.payload})
        if len(line) > INLINE_REQUEST:
            path = self.folder / f"job-{job.id}.json"
            path.write_text(line, encoding="utf-8")
            line = json.dumps({"id": job.id, "file": str(path)})
        os.write(self.request, line.encode() + b"\n")

    def read_output(self) -> None:
        with contextlib.suppress(BlockingIOError):
            while chunk := os.read(self.output, 65536):
                self.tail.append(chunk)
                self.tail_size += len(chunk)
                while self.tail and self.tail_size - len(self.tail[0]) > OUTPUT_TAIL:
                    self.tail_size -= len(self.tail.popleft())
                if len(chunk) < 65536:
                    return

    def read_lines(self) -> tuple[list[bytes], bool]:
        """Complete response lines, and whether the worker has closed its end."""
        closed = False
        with contextlib.suppress(BlockingIOError):
            while True:
                chunk = os.read(self.response, 1 << 20)
                if not chunk:
                    closed = True
                    break
                self.buffer += chunk
                if len(self.buffer) > MAX_RESPONSE:
                    return [], True
        *lines, self.buffer = self.buffer.split(b"\n")
        return lines, closed

    def text(self) -> str:
        self.read_output()
        return b"".join(self.tail)[-OUTPUT_TAIL:].decode("utf-8", "replace")

    def end(self, grace: float = 0.0) -> str:
        """Kill the whole process group and say how the worker ended."""
        if grace:
            with contextlib.suppress(subprocess.TimeoutExpired):
                self.process.wait(grace)
        code = self.process.poll()
        with contextlib.suppress(ProcessLookupError, PermissionError):
            os.killpg(self.process.pid, signal.SIGKILL)
        self.process.wait()
        return describe_exit(code)

    def close(self) -> None:
        for descriptor in (self.request, *self.descriptors):
            os.close(descriptor)
        shutil.rmtree(self.folder, ignore_errors=True)


def describe_exit(code: int | None) -> str:
    """Words for a return code of `Popen`."""
    if code is None:
        return "worker closed its pipe"
    if code >= 0:
        return f"worker died: exit code {code}"
    try:
        name = signal.Signals(-code).name
    except ValueError:
        name = "unknown signal"
    hint = "; perhaps out of memory" if -code == signal.SIGKILL else ""
    return f"worker died: signal {-code} ({name}{hint})"


class Pool:
    """Warm workers, at most `workers` of them busy at a time; use as a context manager."""

    def __init__(self, workers: int | None = None) -> None:
        self.workers = max(1, workers or os.cpu_count() or 1)
        self._lock = threading.Lock()
        self._pending: list[tuple[tuple[int, int], int, Job]] = []
        self._ids = itertools.count(1)
        self._indices = itertools.count()
        self._live: list[_Worker] = []
        self._failed_starts: dict[str, tuple[int, str]] = {}
        self._done: Counter[str] = Counter()
        self._thread: threading.Thread | None = None
        self._closing = False
        self._ended = False
        self._scratch: Path | None = None
        self._wake_read, self._wake_write = os.pipe()
        os.set_blocking(self._wake_read, False)
        self._pid = os.getpid()
        self.restarts = 0

    def __enter__(self) -> Pool:
        return self

    def __exit__(self, *_: object) -> None:
        self.close()

    @property
    def usable(self) -> bool:
        """False once closed or ended, and in a forked child, which has none of the threads."""
        return not (self._closing or self._ended) and os.getpid() == self._pid

    def submit(self, job: Job, order: int = 0) -> Job:
        """Queue a job; lower `order` goes first."""
        with self._lock:
            ended = self._ended
            job.id = next(self._ids)
        if ended:
            job.callback(Outcome("cancelled", reason="the pool has ended"))
            return job
        with self._lock:
            heapq.heappush(self._pending, ((order, job.id), job.id, job))
            if self._thread is None:
                remove_stale_scratch()
                self._scratch = Path(
                    tempfile.mkdtemp(prefix=f"{SCRATCH_PREFIX}{os.getpid()}-", dir=scratch_root())
                )
                (self._scratch / "cache").mkdir()
                self._thread = threading.Thread(
                    target=self._supervise, name="verify-supervisor", daemon=True
                )
                self._thread.start()
        self._wake()
        return job

    def close(self) -> None:
        """Kill all workers and remove the scratch folder; queued jobs are cancelled."""
        if self._closing:
            return
        self._closing = True
        if os.getpid() != self._pid:
            return
        self._wake()
        if self._thread is not None:
            self._thread.join(30)
        if self._scratch is not None:
            shutil.rmtree(self._scratch, ignore_errors=True)
        os.close(self._wake_write)
        os.close(self._wake_read)

    def pids(self) -> list[int]:
        """Process ids of the workers that are alive."""
        return [worker.process.pid for worker in list(self._live)]

    def _wake(self) -> None:
        with contextlib.suppress(OSError):
            os.write(self._wake_write, b".")

    def _supervise(self) -> None:
        selector = selectors.DefaultSelector()
        selector.register(self._wake_read, selectors.EVENT_READ, None)
        try:
            while not self._closing:
                self._assign(selector)
                self._keep_spares(selector)
                for key, _ in selector.select(self._patience()):
                    if key.data is None:
                        with contextlib.suppress(BlockingIOError):
                            os.read(self._wake_read, 65536)
                    elif key.data in self._live and key.fd == key.data.output:
                        key.data.read_output()
                for worker in list(self._live):
                    self._attend(worker, selector)
        finally:
            for worker in list(self._live):
                self._retire(worker, selector, None)
            with self._lock:
                self._ended = True
                jobs = [job for _, _, job in self._pending]
                self._pending.clear()
            for job in jobs:
                job.callback(Outcome("cancelled", reason="the pool was closed"))

    def _patience(self) -> float:
        waiting = [w.deadline for w in self._live if w.job is not None or not w.ready]
        if not waiting:
            return 5.0
        return max(0.0, min(0.5, min(waiting) - time.monotonic()))

    def _assign(self, selector: selectors.BaseSelector) -> None:
        """Give queued jobs to idle workers; start workers where one is missing."""
        while True:
            with self._lock:
                while self._pending and self._pending[0][2].cancelled:
                    heapq.heappop(self._pending)[2].callback(Outcome("cancelled"))
                if not self._pending:
                    return
                order = sorted(self._pending)
            busy = sum(w.job is not None or not w.ready for w in self._live)
            starting = [w.kind for w in self._live if not w.ready]
            if busy - len(starting) >= self.workers:
                return
            for entry in order:
                job = entry[2]
                idle = [w for w in self._live if w.kind == job.kind and w.ready and w.job is None]
                if idle:
                    break
                if job.kind in starting:
                    starting.remove(job.kind)
                elif busy < self.workers:
                    self._start(job.kind, selector)
                    busy += 1
            else:
                return
            with self._lock:
                self._pending.remove(entry)
                heapq.heapify(self._pending)
            try:
                idle[0].send(job)
            except OSError:
                self._retire(idle[0], selector, Outcome("died", reason=idle[0].end(0.2)))

    def _start(self, kind: str, selector: selectors.BaseSelector) -> None:
        scratch = self._scratch
        if scratch is None:
            raise RuntimeError("the pool has no scratch folder")
        worker = _Worker(kind, next(self._indices), scratch)
        self._live.append(worker)
        for descriptor in worker.descriptors:
            selector.register(descriptor, selectors.EVENT_READ, worker)

    def _keep_spares(self, selector: selectors.BaseSelector) -> None:
        """Keep one idle worker of each kind in long use, so that a crash costs no start."""
        for kind, done in self._done.items():
            workers = [worker for worker in self._live if worker.kind == kind]
            busy = all(worker.ready and worker.job is not None for worker in workers)
            if done >= SPARE_AFTER and busy and len(workers) == self.workers:
                self._start(kind, selector)

    def _attend(self, worker: _Worker, selector: selectors.BaseSelector) -> None:
        """Read what a worker says; replace it if it is dead or late."""
        exited = worker.process.poll() is not None
        lines, closed = worker.read_lines()
        for line in lines:
            self._hear(worker, line, selector)
            if worker not in self._live:
                return
        if exited or closed:
            worker.read_output()
            reason = worker.end(grace=0.3)
            self._retire(worker, selector, Outcome("died", reason=reason))
        elif (worker.job is not None or not worker.ready) and time.monotonic() > worker.deadline:
            worker.end()
            patience = worker.job.timeout if worker.job else START_SECONDS
            reason = f"timeout after {patience:g} s"
            self._retire(worker, selector, Outcome("timeout", reason=reason))

    def _hear(self, worker: _Worker, line: bytes, selector: selectors.BaseSelector) -> None:
        try:
            message = json.loads(line)
        except ValueError:
            return
        if not isinstance(message, dict):
            return
        if not worker.ready:
            if "hello" in message:
                worker.hello = message["hello"]
                worker.ready = True
                self._failed_starts.pop(worker.kind, None)
            return
        job = worker.job
        if job is None or message.get("id") != job.id:
            return
        worker.job = None
        worker.jobs_done += 1
        self._done[worker.kind] += 1
        seconds = time.monotonic() - worker.started
        outcome = Outcome("done", message, "", worker.text(), seconds, worker.hello)
        worker.tail.clear()
        worker.tail_size = 0
        spent = message.get("resident_mb", 0) > MAX_RESIDENT_MB
        if message.get("fatal") or spent or worker.jobs_done >= JOBS_PER_WORKER:
            self._retire(worker, selector, None)
        job.callback(outcome)

    def _retire(
        self, worker: _Worker, selector: selectors.BaseSelector, outcome: Outcome | None
    ) -> None:
        """Remove a worker; its job, if any, gets `outcome`."""
        for descriptor in worker.descriptors:
            selector.unregister(descriptor)
        self._live.remove(worker)
        worker.end()
        text = worker.text()
        job, worker.job = worker.job, None
        worker.close()
        self.restarts += 1
        if outcome is not None and not worker.ready:
            self._start_failed(worker.kind, outcome.reason, text)
        if job is not None:
            seconds = time.monotonic() - worker.started
            given = outcome or Outcome("cancelled", reason="the pool was closed")
            job.callback(Outcome(given.status, {}, given.reason, text, seconds, worker.hello))

    def _start_failed(self, kind: str, reason: str, text: str) -> None:
        count = self._failed_starts.get(kind, (0, ""))[0] + 1
        self._failed_starts[kind] = (count, reason)
        if count < START_ATTEMPTS:
            return
        with self._lock:
            jobs = [entry[2] for entry in self._pending if entry[2].kind == kind]
            self._pending = [entry for entry in self._pending if entry[2].kind != kind]
            heapq.heapify(self._pending)
        self._failed_starts.pop(kind)
        last = text.strip().splitlines()[-1:] or [reason]
        for job in jobs:
            job.callback(
                Outcome("unstarted", reason=f"no {kind} worker could be started: {last[0]}")
            )


SCRATCH_PREFIX = "tritongen-verify-"
SCRATCH_BYTES = 512 << 20


def scratch_root() -> Path:
    """Memory-backed where possible: a compilation makes and removes dozens of small files."""
    shared = Path("/dev/shm")
    with contextlib.suppress(OSError):
        if os.access(shared, os.W_OK | os.X_OK) and shutil.disk_usage(shared).free > SCRATCH_BYTES:
            return shared
    return Path(tempfile.gettempdir())


def remove_stale_scratch() -> None:
    """Remove scratch folders of this user's pools whose process is gone (it was killed)."""
    for folder in scratch_root().glob(f"{SCRATCH_PREFIX}*"):
        owner = folder.name.removeprefix(SCRATCH_PREFIX).split("-")[0]
        with contextlib.suppress(OSError):
            if owner.isdigit() and folder.stat().st_uid == os.getuid():
                try:
                    os.kill(int(owner), 0)
                except ProcessLookupError:
                    shutil.rmtree(folder, ignore_errors=True)
