"""The checks of each kind of worker: small functions over a candidate, run in a stated order.

A check returns a `Finding`, which ends the judgement, or None. Another gate adds its checks to
`CHECKS`; a check that needs what an earlier one gathered finds it on the candidate.
"""

from __future__ import annotations

import contextlib
import time
from collections.abc import Callable, Iterator
from dataclasses import asdict, dataclass, field
from types import ModuleType
from typing import TYPE_CHECKING, Any

from tritongen.verify.cases import (
    Case,
    CaseError,
    collect,
    describe,
    one_line,
    outcome_of,
    root_cause,
)

if TYPE_CHECKING:
    from tritongen.verify.judge.records import Problem
    from tritongen.verify.own.gate import OwnGate

RERUN_BUDGET = 256
CASE_ACCESSES = 700


@dataclass(frozen=True, slots=True)
class Finding:
    """Why a pair does not pass: the check's name, the status and one line."""

    check: str
    reason: str
    status: str = "failed"
    witness: dict[str, Any] | None = None
    fatal: bool = False


@dataclass(slots=True)
class Candidate:
    """One pair in a worker: the loaded module and all that the checks gather about it."""

    module: ModuleType
    request: dict[str, Any]
    filename: str
    errors: Any
    surroundings: Callable[[], contextlib.AbstractContextManager[Any]]
    tools: dict[str, Any] = field(default_factory=dict)
    cases: list[Case] = field(default_factory=list)
    coverage: dict[str, Any] = field(default_factory=dict)
    targets: dict[str, str] = field(default_factory=dict)
    unsupported: str = ""
    kind: str = "interpret"
    own: OwnGate | None = None
    seconds: dict[str, float] = field(default_factory=dict)

    @property
    def metadata(self) -> dict[str, Any]:
        """The pair's metadata as sent by the parent."""
        return self.request.get("metadata") or {}


Check = Callable[[Candidate], Finding | None]


def find_cases(candidate: Candidate) -> Finding | None:
    """The pair has test functions that can be run here."""
    try:
        candidate.cases = collect(candidate.module)
        if not candidate.cases:
            from tritongen.verify.inputs import case_from_inputs

            single = case_from_inputs(candidate.module, candidate.metadata.get("entry") or {})
            candidate.cases = [single] if single else []
    except CaseError as error:
        return Finding("form", one_line(str(error)), "error")
    if not candidate.cases:
        return Finding("form", "the test code defines no test function")
    if all(case.skip is not None for case in candidate.cases):
        return Finding("test", f"all tests are skipped: {candidate.cases[0].skip}")
    candidate.coverage["tests"] = len({case.function for case in candidate.cases})
    candidate.coverage["cases"] = len(candidate.cases)
    return None


def run_case(candidate: Candidate, case: Case) -> Finding | None:
    """Run one case; how it ended."""
    try:
        with candidate.surroundings():
            case.run()
            candidate.tools.get("after", lambda: None)()
    except BaseException as error:
        return _judge(candidate, case, error)
    return None


def _judge(candidate: Candidate, case: Case, error: BaseException) -> Finding | None:
    kind = outcome_of(error)
    if kind == "skipped":
        candidate.coverage["skipped"] = candidate.coverage.get("skipped", 0) + 1
        return None
    if kind == "xfailed" or case.raises:
        return None
    root = root_cause(error)
    witness: dict[str, Any] = {"case": case.name}
    reason = f"{case.name}: {describe(error, candidate.filename)}"
    refused = getattr(root, "problem", None)
    if refused is not None and hasattr(refused, "check"):
        return problem_finding(refused)
    found = getattr(root, "witness", None)
    if isinstance(found, dict):
        return Finding("memory", reason, witness={**witness, **found})
    if isinstance(error, SystemExit):
        return Finding("exception", f"{case.name}: the code called sys.exit({error.code})", "error")
    if isinstance(root, NotImplementedError) and "interpreter mode" in str(root):
        candidate.unsupported = reason
        return Finding("unsupported", reason)
    if isinstance(root, MemoryError):
        return Finding("exception", reason, "error", witness)
    fatal = is_fatal(root)
    return Finding("test" if kind == "failed" else "exception", reason, "failed", witness, fatal)


FATAL_WORDS = (
    *("cuda error", "illegal memory access", "device-side assert", "misaligned address"),
    *("unspecified launch failure", "triton error [cuda]", "acceleratorerror"),
)


def is_fatal(error: BaseException) -> bool:
    """Whether an exception leaves the CUDA context of this process dead."""
    text = f"{type(error).__name__}: {error}".lower()
    return any(word in text for word in FATAL_WORDS)


def problem_finding(problem: Problem) -> Finding:
    """What the gate itself saw, as a finding; a dead GPU context ends the worker."""
    dead = bool(problem.witness.get("fatal"))
    dead = dead or any(word in problem.reason.lower() for word in FATAL_WORDS)
    return Finding(problem.check, problem.reason, witness=dict(problem.witness), fatal=dead)


def open_own_gate(candidate: Candidate) -> Finding | None:
    """Where reference and wrapper are known, the whole gate watches the pair's own test."""
    from tritongen.verify.own.gate import open_gate

    if all(case.name == "get_test_inputs" for case in candidate.cases):
        return None
    candidate.own = open_gate(
        candidate.module, candidate.request, candidate.kind, candidate.surroundings
    )
    if candidate.own is None:
        candidate.coverage["gate"] = "the pair's own test only: its entry points are not known"
    return None


def run_tests(candidate: Candidate) -> Finding | None:
    """Every case of every test function passes; each call is a trial of the gate as well."""
    cases = [case for case in candidate.cases if case.skip is None]
    skipped = len(candidate.cases) - len(cases)
    if skipped:
        candidate.coverage["skipped"] = candidate.coverage.get("skipped", 0) + skipped
    own = candidate.own
    if own is None:
        finding = _run_all(candidate, cases)
    else:
        with own.watched():
            finding = _run_guarded(candidate, own, cases)
    if finding is not None:
        return finding
    candidate.coverage["comparisons"] = candidate.errors.comparisons
    if candidate.coverage.get("skipped", 0) >= len(candidate.cases):
        return Finding("test", "all tests were skipped")
    return None


def _run_all(candidate: Candidate, cases: list[Case]) -> Finding | None:
    for case in cases:
        finding = run_case(candidate, case)
        if finding is not None:
            return finding
    candidate.coverage["ran"] = len(cases)
    return None


def _run_guarded(candidate: Candidate, own: OwnGate, cases: list[Case]) -> Finding | None:
    """The cases that are paid for, first those that together show every pair of values.

    The others are run while the budget lasts, and judged by the test alone.
    """
    from tritongen.verify.own.session import Budget

    if own.paid is not None:
        before = dict(candidate.coverage)
        cases = own.paid.cases(cases, lambda case: run_case(candidate, case), own.full)
        candidate.coverage = before
    cases, needed, paired = own.ordered(cases)
    budget = Budget(own.session.watch, CASE_ACCESSES, len(cases))
    ran = 0
    for case in cases:
        if ran >= needed and budget.spent and not own.full:
            break
        own.guard.case = case.name
        finding = run_case(candidate, case)
        if finding is not None:
            return finding
        problem = own.guard.settle(compared=ran < paired or own.full)
        if problem is not None:
            return problem_finding(problem)
        ran += 1
    candidate.coverage["ran"] = ran
    if ran < len(cases):
        candidate.coverage["left"] = len(cases) - ran
    return None


def was_launched(candidate: Candidate) -> Finding | None:
    """A Triton kernel ran at all."""
    own = candidate.own
    counts: dict[str, int] = dict(own.session.launches if own else candidate.tools["launches"]())
    candidate.coverage["launches"] = sum(counts.values())
    candidate.coverage["kernels"] = sorted(counts)
    if not counts:
        return Finding("launch", "no Triton kernel was launched")
    return None


def more_trials(candidate: Candidate) -> Finding | None:
    """Trials of the gate beyond the pair's own test."""
    problem = candidate.own.more_trials() if candidate.own else None
    return problem_finding(problem) if problem else None


def repeats(candidate: Candidate) -> Finding | None:
    """The same results again, in any order, on any memory; and none without launches."""
    problem = candidate.own.repeats() if candidate.own else None
    return problem_finding(problem) if problem else None


def null_kernels(candidate: Candidate) -> Finding | None:
    """No null kernel passes the pair's own test."""

    def run(case: Case) -> None:
        with candidate.surroundings():
            case.run()

    own = candidate.own
    if own is None or "null" in candidate.request.get("skip", ()):
        return None
    candidate.errors.paused = True
    cases = [case for case in candidate.cases if case.skip is None and not case.raises]
    problem = own.nulls(cases, run)
    return problem_finding(problem) if problem else None


def run_configurations(candidate: Candidate) -> Finding | None:
    """The other configurations of an autotuned kernel pass the same trials, or tests."""
    if candidate.own is not None:
        candidate.coverage["configurations"] = candidate.own.session.configurations
        problem = candidate.own.configurations()
        return problem_finding(problem) if problem else None
    if candidate.kind != "interpret":
        return None
    state = candidate.tools["interpreter"]
    count = state.configurations
    candidate.coverage["configurations"] = count
    cases = [case for case in candidate.cases if case.skip is None]
    if count <= 1:
        return None
    share = max(1, min(len(cases), RERUN_BUDGET // (count - 1)))
    for index in range(1, count):
        state.pinned = index
        for case in _spread(cases, share, index):
            finding = run_case(candidate, case)
            if finding is not None:
                reason = f"autotune configuration {index}: {finding.reason}"
                witness = {**(finding.witness or {}), "configuration": index}
                return Finding(finding.check, reason, finding.status, witness)
    state.pinned = 0
    return None


def _spread(cases: list[Case], share: int, start: int) -> Iterator[Case]:
    """`share` cases spread over all, at another offset for each `start`."""
    for step in range(share):
        yield cases[(start + step * len(cases) // share) % len(cases)]


def capture_launches(candidate: Candidate) -> Finding | None:
    """Run the tests with every launch caught; an exception that prevents all of them counts."""
    first: Finding | None = None
    for case in candidate.cases:
        if case.skip is None:
            finding = run_case(candidate, case)
            if finding is not None and finding.check == "exception":
                first = first or finding
    counts = candidate.tools["launches"]()
    candidate.coverage["captured"] = sum(counts.values())
    candidate.coverage["kernels"] = sorted(counts)
    if not counts:
        return first or Finding("launch", "no Triton kernel was launched")
    return None


def compile_launches(candidate: Candidate) -> Finding | None:
    """Captured specialisations compile for, and fit, the targets that the policy names for them.

    `compile_policy` of the request is `all` or `largest` (own/policy.py), `largest` if not given.
    """
    from tritongen.verify.own.policy import compilable, compile_plan, program_hash

    compiler = candidate.tools["compiler"]
    launches = list(candidate.tools["captured"]().launches.values())
    before = compiler.compiled, compiler.reused
    targets = list(candidate.request["targets"])
    policy = candidate.request.get("compile_policy") or "largest"
    number = program_hash(candidate.request)
    plan = compile_plan([compilable(launch) for launch in launches], targets, number, policy)
    first = ""
    done = 0
    for target in targets:
        for index in plan[target]:
            launch = launches[index]
            result = compiler.compile(launch, target)
            done += 1
            if result["problem"]:
                problem = f"kernel {launch.name}: {result['problem']}"
                candidate.targets[target] = problem
                first = first or f"{target}: {problem}"
                break
        else:
            candidate.targets[target] = "ok"
    candidate.coverage["specialisations"] = len(launches)
    candidate.coverage["compilations"] = [done, len(launches) * len(targets)]
    candidate.coverage["compiled"] = compiler.compiled - before[0]
    candidate.coverage["reused"] = compiler.reused - before[1]
    if first:
        return Finding("compile", first, witness={"targets": dict(candidate.targets)})
    return None


def require_capabilities(candidate: Candidate) -> Finding | None:
    """What the pair says it needs of Triton or of the device is there."""
    has = candidate.tools["has"]
    missing = [name for name in candidate.metadata.get("requires") or () if not has(name)]
    if missing:
        return Finding("requires", f"needs what is not here: {', '.join(missing)}", "error")
    return None


_GATE: list[Check] = [
    *(require_capabilities, find_cases, open_own_gate, run_tests, was_launched),
    *(more_trials, repeats, run_configurations, null_kernels),
]
CHECKS: dict[str, list[Check]] = {
    "interpret": _GATE,
    "compile": [require_capabilities, find_cases, capture_launches, compile_launches],
    "cuda": _GATE,
}


def judge(candidate: Candidate, kind: str) -> Finding | None:
    """The first finding of the checks of a kind of worker."""
    candidate.kind = kind
    spent: dict[str, float] = {}
    try:
        for check in CHECKS[kind]:
            started = time.perf_counter()
            finding = check(candidate)
            spent[check.__name__] = round(time.perf_counter() - started, 4)
            if finding is not None:
                return finding
    finally:
        candidate.seconds = spent
        if candidate.own is not None:
            candidate.own.close()
            candidate.coverage["gate"] = candidate.own.summary()
    return None


def finding_record(finding: Finding | None) -> dict[str, Any] | None:
    """A finding as plain data."""
    return None if finding is None else asdict(finding)
