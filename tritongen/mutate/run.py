"""`mutate`: mutants of pairs through the gate, and what it let pass."""

from __future__ import annotations

import json
import os
import queue
import time
from collections.abc import Callable, Iterable, Iterator
from concurrent.futures import ThreadPoolExecutor
from dataclasses import asdict, dataclass, replace
from hashlib import blake2b
from pathlib import Path
from typing import Any

from tritongen.errors import VerificationError
from tritongen.mutate.equivalent import Equivalence, Referee
from tritongen.mutate.mutants import Mutant, mutants_of, normal
from tritongen.mutate.operators import OPERATORS, Operator, chosen
from tritongen.mutate.report import MutationReport, Result, difference
from tritongen.verify.gate import Device, Gate
from tritongen.verify.verdict import Verdict

LEDGER = "mutants.jsonl"
UNJUDGED = ("internal", "requires", "unsupported", "isolation")
LEAST_SECONDS = 30.0
MOST_REFEREES = 8

Progress = Callable[[int, int, MutationReport], None]


@dataclass(frozen=True, slots=True)
class Plan:
    """What a run does: which operators, how many mutants of each pair, the seed."""

    operators: list[Operator]
    per_pair: int | None
    seed: int
    timeout: float


def mutate(
    pairs: Iterable[Any],
    operators: Iterable[str] | None = None,
    *,
    per_pair: int | None = None,
    seed: int = 0,
    device: Device = "auto",
    workers: int | None = None,
    timeout: float = 120.0,
    keep: str | Path | None = None,
    progress: Progress | None = None,
) -> MutationReport:
    """Send mutants of pairs through the gate and say what became of each.

    Originals go first: one that the gate refuses is a false alarm and gets no mutants. `per_pair` takes a
    seeded sample, spread over the operators; without it all mutants are made. Without `operators` those
    run that the gate can judge on the device. On the CPU mutants are interpreted first, and survivors
    compiled as well. Survivors are compared with their originals (`equivalent.py`). `keep` names a folder
    for a ledger, from which an interrupted run goes on, and for the survivors. `progress` is called with
    the mutants judged, those made so far and the report.

    Raises UnknownNameError for an unknown operator and DeviceError for a device that is not there.
    """
    if per_pair is not None and per_pair < 1:
        raise VerificationError("per_pair", "at least one mutant is expected", value=per_pair)
    started = time.perf_counter()
    options: dict[str, Any] = {"interpret_only": True, "share": False}
    with Gate(device, workers=workers, timeout=timeout, **options) as gate, Bench(workers) as ref:
        plan = Plan(chosen(operators, gate.device), per_pair, seed, timeout)
        run = Run(gate, ref, plan, Ledger(keep), progress)
        run.report.not_judged = {
            op.name: op.why for op in OPERATORS.values() if gate.device not in op.judged_on
        }
        run.all(list(pairs))
    run.report.seconds = time.perf_counter() - started
    return run.report


class Ledger:
    """Results on disk by the content of what was judged; survivors as files beside it."""

    def __init__(self, folder: str | Path | None) -> None:
        self.folder = Path(folder) if folder is not None else None
        self.known: dict[str, Result] = {}
        if self.folder is None:
            return
        self.folder.mkdir(parents=True, exist_ok=True)
        self.path = self.folder / LEDGER
        if self.path.exists():
            text = self.path.read_text(encoding="utf-8")
            if text and not text.endswith("\n"):
                self.path.write_text(f"{text}\n", encoding="utf-8")
            for line in text.splitlines():
                try:
                    result = Result(**json.loads(line))
                except (ValueError, TypeError):
                    continue
                self.known[result.key] = result

    def add(self, result: Result, mutant: Mutant) -> None:
        """Write a result down; a survivor's source goes into a file of its own."""
        if self.folder is None:
            return
        with self.path.open("a", encoding="utf-8") as file:
            file.write(json.dumps(asdict(result)) + "\n")
        if result.fate in ("survived", "unjudged"):
            name = result.id.replace(":", "-")
            parts = (mutant.python_code, mutant.triton_code, mutant.test_code)
            text = "\n\n".join(parts)
            (self.folder / f"{name}.py").write_text(text, encoding="utf-8")
            (self.folder / f"{name}.diff").write_text(result.diff + "\n", encoding="utf-8")


class Bench:
    """Several referees at work at once; use as a context manager."""

    def __init__(self, workers: int | None = None) -> None:
        count = max(1, min(workers or os.cpu_count() or 1, MOST_REFEREES))
        self._idle: queue.SimpleQueue[Referee] = queue.SimpleQueue()
        self._all = [Referee() for _ in range(count)]
        for referee in self._all:
            self._idle.put(referee)
        self._threads = ThreadPoolExecutor(count)

    def __enter__(self) -> Bench:
        return self

    def __exit__(self, *_: object) -> None:
        self._threads.shutdown(cancel_futures=True)
        for referee in self._all:
            referee.close()

    def decide(self, mutants: Iterable[Mutant]) -> Iterator[Equivalence]:
        """Decisions in the order of the mutants."""
        return self._threads.map(self._decide, mutants)

    def _decide(self, mutant: Mutant) -> Equivalence:
        referee = self._idle.get()
        try:
            return referee.decide(mutant)
        finally:
            self._idle.put(referee)


class Run:
    """One run: the gate, the referees and what is found."""

    def __init__(
        self, gate: Gate, bench: Bench, plan: Plan, ledger: Ledger, progress: Progress | None
    ) -> None:
        self.gate = gate
        self.bench = bench
        self.plan = plan
        self.ledger = ledger
        self.progress = progress
        self.report = MutationReport(gate.device, plan.seed)
        self.made = 0

    def all(self, pairs: list[Any]) -> None:
        """Originals, then mutants, then a closer look at what survived."""
        sound: list[Any] = []
        longest = 0.0
        for pair, verdict in zip(pairs, self.gate.stream(pairs), strict=True):
            entry = {"pair": pair.id, "check": verdict.check, "reason": verdict.reason}
            if verdict.passed and "not_interpreted" not in verdict.coverage:
                sound.append(pair)
                longest = max(longest, verdict.seconds)
            elif verdict.check in UNJUDGED or verdict.passed:
                self.report.skipped.append(entry)
            else:
                self.report.false_alarms.append(entry)
        self.report.pairs = len(pairs)
        timeout = min(self.plan.timeout, max(LEAST_SECONDS, 10 * longest))
        waiting: list[tuple[Mutant, Verdict]] = []
        fresh: list[Mutant] = []

        def mutants() -> Iterator[Mutant]:
            for pair in sound:
                found = mutants_of(
                    pair, self.plan.operators, limit=self.plan.per_pair, seed=self.plan.seed
                )
                self.made += len(found)
                for mutant in found:
                    known = self.ledger.known.get(self._key(mutant))
                    if known is not None:
                        self.report.results.append(known)
                    else:
                        fresh.append(mutant)
                        yield mutant

        verdicts = self.gate.stream(mutants(), timeout=timeout)
        for number, verdict in enumerate(verdicts):
            mutant = fresh[number]
            if verdict.passed:
                waiting.append((mutant, verdict))
            else:
                self._settle(mutant, verdict)
        self._look_closer(waiting, timeout)

    def _look_closer(self, waiting: list[tuple[Mutant, Verdict]], timeout: float) -> None:
        """Compile what was only interpreted; compare with the original what still passes."""
        if self.gate.device == "cpu" and waiting:
            self.gate.interpret_only = False
            mutants = [mutant for mutant, _ in waiting]
            verdicts = self.gate.stream(mutants, timeout=2 * timeout)
            waiting = list(zip(mutants, verdicts, strict=True))
            self.gate.interpret_only = True
        passed = [mutant for mutant, verdict in waiting if verdict.passed]
        decisions = self.bench.decide(passed)
        for mutant, verdict in waiting:
            self._settle(mutant, verdict, next(decisions) if verdict.passed else None)

    def _settle(
        self, mutant: Mutant, verdict: Verdict, decision: Equivalence | None = None
    ) -> None:
        """Write down the fate of a mutant; what passed the gate comes with a decision."""
        base = Result(
            id=mutant.id,
            pair=mutant.pair.id,
            family=mutant.family,
            strategy=getattr(mutant.pair, "strategy", ""),
            operator=mutant.operator.name,
            line=mutant.line,
            description=mutant.description[:300],
            fate="killed",
            check=verdict.check,
            reason=verdict.reason[:300],
            seconds=round(verdict.seconds, 4),
            key=self._key(mutant),
        )
        if decision is not None:
            base = replace(base, check="", diff=difference(mutant))
            if decision.equivalent:
                base = replace(base, fate="equivalent", reason=decision.reason)
            else:
                beyond = self.gate.device not in mutant.operator.judged_on
                fate = "beyond" if beyond else "survived"
                base = replace(base, fate=fate, reason=decision.reason[:300])
        elif verdict.check in UNJUDGED:
            base = replace(base, fate="unjudged", diff=difference(mutant))
        elif verdict.check == "worker":
            base = replace(base, check="timeout" if "timeout" in verdict.reason else "crash")
        self.report.results.append(base)
        self.ledger.add(base, mutant)
        if self.progress is not None:
            self.progress(len(self.report.results), self.made, self.report)

    def _key(self, mutant: Mutant) -> str:
        parts = (mutant.python_code, normal(mutant.triton_code), mutant.test_code)
        text = "\0".join((*parts, self.gate.device, mutant.operator.name))
        return blake2b(text.encode(), digest_size=12).hexdigest()
