"""The checks of each kind of worker: small functions over a candidate, run in a stated order.

A check returns a `Finding`, which ends the judgement, or None. Another gate adds its checks to
`CHECKS`; a check that needs what an earlier one gathered finds it on the candidate.
"""

from __future__ import annotations

import contextlib
from collections.abc import Callable, Iterator
from dataclasses import asdict, dataclass, field
from types import ModuleType
from typing import Any

from tritongen.verify.cases import (
    Case,
    CaseError,
    collect,
    describe,
    one_line,
    outcome_of,
    root_cause,
)

RERUN_BUDGET = 256


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


def run_tests(candidate: Candidate) -> Finding | None:
    """Every case of every test function passes."""
    ran = 0
    for case in candidate.cases:
        if case.skip is not None:
            candidate.coverage["skipped"] = candidate.coverage.get("skipped", 0) + 1
            continue
        finding = run_case(candidate, case)
        if finding is not None:
            return finding
        ran += 1
    candidate.coverage["ran"] = ran
    candidate.coverage["comparisons"] = candidate.errors.comparisons
    if candidate.coverage.get("skipped", 0) >= len(candidate.cases):
        return Finding("test", "all tests were skipped")
    return None


def run_configurations(candidate: Candidate) -> Finding | None:
    """The other configurations of an autotuned kernel pass the same tests."""
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


def was_launched(candidate: Candidate) -> Finding | None:
    """A Triton kernel ran at all."""
    counts: dict[str, int] = dict(candidate.tools["launches"]())
    candidate.coverage["launches"] = sum(counts.values())
    candidate.coverage["kernels"] = sorted(counts)
    if not counts:
        return Finding("launch", "no Triton kernel was launched")
    return None


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
    """Every captured specialisation compiles for, and fits, every target."""
    compiler = candidate.tools["compiler"]
    launches = list(candidate.tools["captured"]().launches.values())
    before = compiler.compiled, compiler.reused
    first = ""
    for target in candidate.request["targets"]:
        for launch in launches:
            result = compiler.compile(launch, target)
            if result["problem"]:
                problem = f"kernel {launch.name}: {result['problem']}"
                candidate.targets[target] = problem
                first = first or f"{target}: {problem}"
                break
        else:
            candidate.targets[target] = "ok"
    candidate.coverage["specialisations"] = len(launches)
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


CHECKS: dict[str, list[Check]] = {
    "interpret": [require_capabilities, find_cases, run_tests, was_launched, run_configurations],
    "compile": [require_capabilities, find_cases, capture_launches, compile_launches],
    "cuda": [require_capabilities, find_cases, run_tests, was_launched],
}


def judge(candidate: Candidate, kind: str) -> Finding | None:
    """The first finding of the checks of a kind of worker."""
    for check in CHECKS[kind]:
        finding = check(candidate)
        if finding is not None:
            return finding
    return None


def finding_record(finding: Finding | None) -> dict[str, Any] | None:
    """A finding as plain data."""
    return None if finding is None else asdict(finding)
