"""The way of one pair through the workers: its stages, and the verdict made of their answers.

On the CPU a pair is interpreted first (its tests are run) and, if they pass, compiled for every
target. A pair whose kernel raises is compiled as well, since the compiler says better what is
wrong. So a wrong pair costs no compilation and the verdict does not depend on timing.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable
from dataclasses import dataclass
from typing import Any, Protocol

from tritongen.errors import VerificationError
from tritongen.verify.pool import Job, Outcome, Pool
from tritongen.verify.targets import DEFAULT_TARGETS, TARGETS
from tritongen.verify.verdict import Verdict

SENT = ("requires", "entry", "atomics", "dtypes", "copies", "layouts", "program_id")
"""What the workers are told of a pair's metadata."""

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


@dataclass(frozen=True, slots=True)
class Terms:
    """On what terms a pair is judged.

    `device` is `cpu` or `cuda`; `timeout` in seconds for each stage; `interpret_only` leaves the
    compilation out; `full` runs every case of the pair's own test, whatever it costs to compile;
    `rotate` runs a program that takes both half precisions in one of them (on a GPU).
    """

    device: str
    timeout: float
    targets: tuple[str, ...] | None = None
    interpret_only: bool = False
    full: bool = False
    rotate: bool = False


class Flow:
    """The way of one pair through the workers to its verdict; `done` is called once."""

    def __init__(
        self,
        pair: PairLike,
        pool: Pool,
        terms: Terms,
        order: int,
        done: Callable[[Flow, Verdict], None],
    ) -> None:
        self.pool = pool
        self.terms = terms
        self.order = order
        self.done = done
        metadata = metadata_of(pair)
        self.targets = check_targets(terms.targets or metadata.get("targets") or DEFAULT_TARGETS)
        self.payload: dict[str, Any] = {
            "python_code": pair.python_code,
            "triton_code": pair.triton_code,
            "test_code": pair.test_code,
            "metadata": {key: metadata[key] for key in SENT if key in metadata},
            "targets": list(self.targets),
            "full": terms.full,
            "rotate": terms.rotate,
        }
        self.stages: dict[str, Outcome] = {}

    def start(self) -> None:
        """Queue the first stage."""
        self._submit("cuda" if self.terms.device == "cuda" else "interpret")

    def _submit(self, kind: str) -> None:
        def heard(outcome: Outcome) -> None:
            self._heard(kind, outcome)

        job = Job(kind, self.payload, self.terms.timeout, heard)
        self.pool.submit(job, self.order)

    def _heard(self, kind: str, outcome: Outcome) -> None:
        try:
            self.stages[kind] = outcome
            finding = outcome.response.get("finding")
            goes_on = outcome.status == "done" and (
                finding is None or finding["check"] in ("exception", "unsupported", "load")
            )
            if kind == "interpret" and goes_on and not self.terms.interpret_only:
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
            if outcome.status in ("unstarted", "cancelled"):
                return "error", "internal", _words(outcome), None
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


def metadata_of(pair: PairLike) -> dict[str, Any]:
    """The metadata of a pair, empty where there is none."""
    return dict(getattr(pair, "metadata", None) or {})


def _words(outcome: Outcome) -> str:
    """What to say of a job that has no answer, with the last line that the worker printed."""
    lines = [line.strip() for line in outcome.output.splitlines() if line.strip()]
    useful = lines[-1][:200] if lines and outcome.status == "died" else ""
    return f"{outcome.reason}: {useful}" if useful else outcome.reason


def check_targets(targets: Iterable[str]) -> tuple[str, ...]:
    """The targets, all known; else an error that lists them."""
    if isinstance(targets, str) or not isinstance(targets, Iterable):
        raise VerificationError(
            "targets", "a list of compilation targets is expected", value=targets, known=TARGETS
        )
    names = tuple(targets)
    for name in names:
        if name not in TARGETS:
            raise VerificationError(
                "targets", "unknown compilation target", value=name, known=TARGETS
            )
    return names
