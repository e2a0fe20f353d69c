"""Verification of a dataset that is killed again and again: is every verdict there, once?

`python benchmarks/kills.py --pairs 2000 --kills 50` builds a dataset, starts `verify_dataset` on it
in a process of its own, kills that process or one of its workers (kill -9) at random moments,
starts it again where it was the parent that died, and looks at what is there in the end: records,
verdicts, processes, scratch folders. Prints a table; exit code 1 where something is lost or left.
"""

from __future__ import annotations

import argparse
import contextlib
import json
import os
import random
import shutil
import signal
import subprocess
import sys
import tempfile
import time
import uuid
from collections import Counter
from collections.abc import Iterator
from dataclasses import dataclass, field
from pathlib import Path

ROOT = Path(__file__).resolve().parent.parent
MARK = "TRITONGEN_KILLS"
GRACE = 15.0
"""Seconds that workers may outlive a killed parent; the kernel needs a moment."""


@dataclass(slots=True)
class Outcome:
    """What a run of kills came to; `problems` is empty where all is well."""

    pairs: int = 0
    killed: Counter[str] = field(default_factory=Counter)
    starts: int = 0
    seconds: float = 0.0
    evidence: Counter[str] = field(default_factory=Counter)
    rejected: int = 0
    slowest_end: float = 0.0
    problems: list[str] = field(default_factory=list)


def make_dataset(out: Path, pairs: int, seed: int) -> list[str]:
    """A dataset of cheap pairs that are not verified; returns their ids."""
    import tritongen
    from tritongen.export.reader import iter_records

    tritongen.build(
        {
            "out": out,
            "count": pairs,
            "seed": seed,
            "families": {"elementwise": {"strategies": ["flat"]}},
            "where": {"BLOCK_SIZE": [256], "dtype": ["float32"]},
            "shard_size": max(20, pairs // 20),
            "split": {"train": 0.7, "validation": 0.15, "test": 0.15},
            "verify": {"device": "none"},
        }
    )
    return [record["id"] for record in iter_records(out)]


def run_child(out: Path, workers: int, device: str, interpret_only: bool) -> None:
    """The process that is killed."""
    from tritongen.pipeline import verify_dataset
    from tritongen.verify import Gate

    with Gate(device, workers=workers, timeout=120.0, interpret_only=interpret_only) as gate:
        report = verify_dataset(out, gate=gate)
    print(json.dumps({"effects": dict(report.effects), "reasons": dict(report.reasons)}))


def kill_often(
    out: Path,
    *,
    kills: int,
    seed: int,
    workers: int = 2,
    device: str = "cpu",
    interpret_only: bool = True,
    ids: list[str],
    show: bool = False,
) -> Outcome:
    """Verify the dataset in `out`, killed `kills` times, and look at what is left."""
    chance = random.Random(seed)
    outcome = Outcome(pairs=len(ids))
    mark = uuid.uuid4().hex
    command = [
        *(sys.executable, str(Path(__file__).resolve()), "--child", str(out)),
        *("--workers", str(workers), "--device", device),
        *(("--interpret-only",) if interpret_only else ()),
    ]
    path = os.pathsep.join([str(ROOT), os.environ.get("PYTHONPATH", "")]).rstrip(os.pathsep)
    environment = {**os.environ, MARK: mark, "PYTHONPATH": path}
    # Whom, and how far the run is when it happens; some parents die while they start
    plan = sorted(
        (chance.uniform(0, 0.95) * len(ids), "worker" if chance.random() < 0.5 else "parent")
        for _ in range(kills)
    )
    parents: list[int] = []
    started = time.monotonic()
    try:
        while True:
            process = subprocess.Popen(command, env=environment, stdout=subprocess.PIPE)
            outcome.starts += 1
            parents.append(process.pid)
            while plan and process.poll() is None:
                at, whom = plan[0]
                early = whom == "parent" and chance.random() < 0.2
                if early:
                    _sleep(process, chance.uniform(0, 4))
                else:
                    _until(process, out, at)
                    _sleep(process, chance.uniform(0, 0.3))
                victim = process.pid if whom == "parent" else _a_worker(process, mark, chance)
                if victim is None or process.poll() is not None:
                    continue
                with contextlib.suppress(ProcessLookupError):
                    os.kill(victim, signal.SIGKILL)
                    plan.pop(0)
                    outcome.killed[whom] += 1
                    if show:
                        print(f"killed a {whom} at {progress(out)} verdicts", flush=True)
                if whom == "parent":
                    process.wait()
                    outcome.slowest_end = max(outcome.slowest_end, _gone(mark))
                    outcome.problems += _twice(out)
                    break
            if process.wait() == 0:
                break
            if process.returncode != -signal.SIGKILL:
                outcome.problems.append(f"a run ended with code {process.returncode}")
                break
        outcome.slowest_end = max(outcome.slowest_end, _gone(mark))
    finally:
        outcome.seconds = time.monotonic() - started
        left = processes(mark)
        for pid in left:
            with contextlib.suppress(ProcessLookupError):
                os.kill(pid, signal.SIGKILL)
    outcome.problems += [f"process {pid} is left over" for pid in left]
    outcome.problems += [f"{folder} is left over" for folder in scratch(parents)]
    if plan:
        outcome.problems.append(f"{len(plan)} kills came too late: the run was over")
    _examine(out, ids, outcome)
    return outcome


def processes(mark: str) -> list[int]:
    """Living processes whose environment has the mark of a run."""
    wanted = f"{MARK}={mark}".encode()
    found = []
    for folder in Path("/proc").glob("[0-9]*"):
        with contextlib.suppress(OSError, IndexError):
            state = (folder / "stat").read_text().rsplit(")", 1)[1].split()[0]
            if state != "Z" and wanted in (folder / "environ").read_bytes().split(b"\0"):
                found.append(int(folder.name))
    return found


def scratch(parents: list[int]) -> list[Path]:
    """Scratch folders of the pools of some processes."""
    roots = {Path("/dev/shm"), Path(tempfile.gettempdir())}
    owners = {str(pid) for pid in parents}
    return [
        folder
        for root in roots
        for folder in root.glob("tritongen-verify-*")
        if folder.name.split("-")[2] in owners
    ]


def progress(out: Path) -> int:
    """How many verdicts a run under way has reached."""
    state = out / ".tritongen" / "verify"
    count = 0
    for path in state.glob("*.jsonl"):
        with contextlib.suppress(OSError):
            count += path.read_bytes().count(b"\n")
    for path in state.glob("*.done"):
        with contextlib.suppress(OSError, ValueError):
            if not (state / f"{path.stem.split('-')[1]}.jsonl").exists():
                count += sum(json.loads(path.read_bytes())["effects"].values())
    return count


def _until(process: subprocess.Popen[bytes], out: Path, verdicts: float) -> None:
    while process.poll() is None and progress(out) < verdicts:
        time.sleep(0.02)


def _sleep(process: subprocess.Popen[bytes], seconds: float) -> None:
    with contextlib.suppress(subprocess.TimeoutExpired):
        process.wait(seconds)


def _a_worker(process: subprocess.Popen[bytes], mark: str, chance: random.Random) -> int | None:
    """One of the processes that a run has started, once there is one."""
    deadline = time.monotonic() + 60
    while process.poll() is None and time.monotonic() < deadline:
        found = [pid for pid in processes(mark) if pid != process.pid]
        if found:
            return chance.choice(found)
        time.sleep(0.05)
    return None


def _gone(mark: str) -> float:
    """Seconds until no process of a run is left, at most `GRACE`."""
    started = time.monotonic()
    while processes(mark) and time.monotonic() - started < GRACE:
        time.sleep(0.02)
    return time.monotonic() - started


def _twice(out: Path) -> Iterator[str]:
    """Pairs with two verdicts in the files of a run that was stopped."""
    seen: Counter[str] = Counter()
    for path in (out / ".tritongen" / "verify").glob("*.jsonl"):
        for line in path.read_bytes().splitlines():
            with contextlib.suppress(ValueError, KeyError):
                seen[json.loads(line.partition(b" ")[2])["id"]] += 1
    return (f"pair {pair_id} has {n} verdicts" for pair_id, n in seen.items() if n > 1)


def _examine(out: Path, ids: list[str], outcome: Outcome) -> None:
    """Look at the dataset: every pair once, with a verdict; figures that agree; no traces."""
    from tritongen.export.manifest import read_manifest
    from tritongen.export.reader import iter_records

    found: Counter[str] = Counter()
    for record in iter_records(out):
        found[record["id"]] += 1
        proof = record["verification"]
        outcome.evidence[proof["evidence"]] += 1
        if proof["status"] != "passed" or proof["evidence"] not in ("interpreted", "gpu"):
            outcome.problems.append(f"{record['id']} is {proof['status']}, {proof['evidence']}")
    for path in sorted((out / "rejected").glob("*.jsonl")):
        for line in path.read_text().splitlines():
            record = json.loads(line)
            found[record["id"]] += 1
            outcome.rejected += 1
            proof = record["verification"]
            if proof["check"] in ("worker", "timeout", "internal"):
                outcome.problems.append(f"{record['id']} refused for a kill: {proof['reason']}")
    outcome.problems += [f"{pair_id} is there {found[pair_id]} times" for pair_id in ids if found[pair_id] != 1]  # fmt: skip
    outcome.problems += [f"{pair_id} is new" for pair_id in found.keys() - set(ids)]
    manifest = read_manifest(out)
    if (manifest.counts.passed, manifest.counts.refused) != (
        outcome.evidence.total(),
        outcome.rejected,
    ):
        outcome.problems.append("the manifest counts otherwise")
    for trace in (".tritongen/verify", *(p.relative_to(out) for p in out.rglob("*.partial"))):
        if (out / trace).exists():
            outcome.problems.append(f"{trace} is left over")


def table(outcome: Outcome) -> str:
    """The outcome as a Markdown table."""
    rows = [
        ("pairs", f"{outcome.pairs:,}"),
        ("kill -9 of the parent", outcome.killed["parent"]),
        ("kill -9 of a worker", outcome.killed["worker"]),
        ("starts", outcome.starts),
        ("seconds", f"{outcome.seconds:,.0f}"),
        ("verdicts in the dataset", f"{outcome.evidence.total() + outcome.rejected:,}"),
        ("of them refused", outcome.rejected),
        ("longest until all processes of a killed run were gone", f"{outcome.slowest_end:.2f} s"),
        ("lost, doubled or left over", len(outcome.problems)),
    ]
    return "\n".join(["| | |", "|---|---:|", *(f"| {name} | {value} |" for name, value in rows)])


def main() -> int:
    """Parse the arguments, run, print."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--pairs", type=int, default=2000)
    parser.add_argument("--kills", type=int, default=50)
    parser.add_argument("--seed", type=int, default=0)
    parser.add_argument("--workers", type=int, default=os.cpu_count() or 1)
    parser.add_argument("--device", default="cpu", choices=("cpu", "cuda"))
    parser.add_argument("--interpret-only", action="store_true")
    parser.add_argument("--child", type=Path, help=argparse.SUPPRESS)
    options = parser.parse_args()
    if options.child is not None:
        run_child(options.child, options.workers, options.device, options.interpret_only)
        return 0
    folder = Path(tempfile.mkdtemp(prefix="tritongen-kills-"))
    try:
        ids = make_dataset(folder / "dataset", options.pairs, options.seed)
        outcome = kill_often(
            folder / "dataset",
            kills=options.kills,
            seed=options.seed,
            workers=options.workers,
            device=options.device,
            interpret_only=options.interpret_only,
            ids=ids,
            show=True,
        )
    finally:
        shutil.rmtree(folder, ignore_errors=True)
    print(table(outcome))
    for problem in outcome.problems[:20]:
        print("PROBLEM", problem)
    return 1 if outcome.problems else 0


if __name__ == "__main__":
    sys.exit(main())
