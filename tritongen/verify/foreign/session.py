"""One judgement: sandboxes for reference, candidate and compiler, and the judge between them.

The judge is this process. It asks the reference's sandbox for the given inputs, makes all further
ones itself from a secret seed, shows the candidate's sandbox nothing but inputs, and compares what
comes back with what only it and the reference know.
"""

from __future__ import annotations

import contextlib
import hashlib
import math
import os
import time
from collections.abc import Sequence
from dataclasses import asdict, dataclass
from typing import Any

from tritongen.errors import VerificationError
from tritongen.verify.foreign import allow
from tritongen.verify.foreign.compiling import Compilation
from tritongen.verify.foreign.form import Form, Source
from tritongen.verify.foreign.remote import (
    Deadline,
    RemoteReference,
    RemoteSubject,
    Role,
    RoleError,
    as_problem,
)
from tritongen.verify.foreign.verdict import Findings
from tritongen.verify.foreign.zygotes import Zygotes
from tritongen.verify.judge.records import Problem
from tritongen.verify.targets import DEFAULT_TARGETS

TIMING_SECONDS = 1.0
COMPILER_SECONDS = 20.0


@dataclass(frozen=True, slots=True)
class Options:
    """How to judge: the device, rules, time and the seed (None: a secret one)."""

    device: str = "cpu"
    strict: bool = False
    trust: bool = False
    timeout: float = 120.0
    seed: int | None = None
    targets: tuple[str, ...] = DEFAULT_TARGETS
    timings: bool = True


class _EndsError(Exception):
    """The judgement is over: `problem` is its outcome."""

    def __init__(self, problem: Problem) -> None:
        super().__init__(problem.reason)
        self.problem = problem


def judge(
    form: Form,
    options: Options,
    zygotes: Zygotes,
    *,
    given: Sequence[Any] | None = None,
) -> dict[str, Any]:
    """The verdict on a candidate; never raises short of KeyboardInterrupt.

    `given` are positional arguments that stand for `get_test_inputs()`.
    """
    session = _Session(form, options, zygotes, given)
    try:
        session.run()
    except _EndsError as end:
        session.findings.problem = session.explained(end.problem)
    except VerificationError as error:
        session.findings.problem = Problem("isolation", " ".join(str(error).split())[:600])
    except Exception as error:
        words = " ".join(f"{type(error).__name__}: {error}".split())[:600]
        session.findings.problem = Problem("internal", words)
    finally:
        session.close()
    return session.record()


def secret_seed() -> int:
    """A seed that nobody can guess."""
    return int.from_bytes(os.urandom(7), "little")


def _plain(source: Source | None) -> dict[str, Any] | None:
    return None if source is None else asdict(source)


class _Session:
    def __init__(
        self, form: Form, options: Options, zygotes: Zygotes, given: Sequence[Any] | None
    ) -> None:
        self.form = form
        self.options = options
        self.zygotes = zygotes
        self.given = None if given is None else tuple(given)
        self.cuda = options.device == "cuda"
        self.deadline = Deadline(options.timeout)
        self.seed = secret_seed() if options.seed is None else options.seed
        self.findings = Findings(coverage={"seed": self.seed})
        self.roles: list[Role] = []
        self.compiler: Compilation | None = None

    def run(self) -> None:
        """All of it, in order; ends with `_EndsError` where something is wrong."""
        refused = allow.findings(self.form)
        if refused:
            raise _EndsError(Problem("static", allow.message(refused)))
        reference, candidate = self._roles()
        arguments = self._inputs(reference)
        if not self.cuda:
            load = {"triton": _plain(self.form.triton), "entry": self.form.wrapper}
            zygote, names = self.zygotes.get("compile"), self.options.targets
            self.compiler = Compilation(zygote, load, arguments, names, self.deadline)
        traits = self._traits(reference, arguments)
        self._ready(candidate, "load")
        self._environment(candidate.hello.get("environment"))
        self.findings.evidence = "static"
        subject = RemoteSubject(candidate, traits)
        self._trials(reference, subject, arguments)
        self.findings.evidence = "gpu" if self.cuda else "interpreted"
        if self.cuda:
            capability = str(self.findings.environment.get("capability", ""))
            self.findings.coverage["targets"] = {capability: "ok"}
        if self.compiler is not None:
            self._end_if(self._compiled())
        if self.cuda and self.options.timings:
            self._timings(reference, candidate, subject, arguments)

    def _environment(self, said: Any) -> None:
        """Name and capability of the GPU, as the candidate's process gives them."""
        if self.cuda and isinstance(said, dict):
            known = {key: str(said.get(key, ""))[:80] for key in ("device", "capability")}
            self.findings.environment |= known

    def _roles(self) -> tuple[Role, Role]:
        """Reference and candidate, each in its sandbox (trusted: both in one)."""
        form, device = self.form, self.options.device
        hashed = hashlib.sha256(f"reference {self.seed}".encode()).digest()
        load_reference = {
            "python": _plain(form.python),
            "test": _plain(form.test) if self.given is None else None,
            "entry": form.reference,
            "device": device,
            "seed": int.from_bytes(hashed[:4], "little"),
        }
        load_candidate = {"triton": _plain(form.triton), "entry": form.wrapper, "device": device}
        zygote = self.zygotes.get("cuda" if self.cuda else "interpret")
        if not self.cuda:
            self.zygotes.get("compile")
        _load_torch()
        reference = Role("reference", zygote, load_reference, self.deadline, restarts=2)
        self.roles.append(reference)
        candidate = Role("candidate", zygote, load_candidate, self.deadline)
        self._ready(reference, "reference")
        if self.options.trust:
            candidate.sandbox, candidate.shared = reference.sandbox, True
            reference.restarts = 0
        self.roles.append(candidate)
        self.findings.isolation = self._isolation(reference)
        self.findings.environment |= {"device": device, **zygote.versions}
        return reference, candidate

    def _isolation(self, reference: Role) -> dict[str, Any]:
        if not self.options.trust:
            return reference.isolation
        return {"tier": "none", "parts": [], "note": "trusted: one process runs every block"}

    def _ready(self, role: Role, check: str) -> None:
        try:
            role.ready()
        except RoleError as error:
            raise _EndsError(as_problem(error, check, f"the {role.name} does not load: ")) from None

    def _answer(self, role: Role, op: str, message: dict[str, Any], check: str) -> dict[str, Any]:
        try:
            return role.call(op, message)
        except RoleError as error:
            raise _EndsError(as_problem(error, check, f"the {role.name} raises ")) from None

    def _inputs(self, reference: Role) -> tuple[Any, ...]:
        if self.given is not None:
            return self.given
        try:
            answer = reference.call("inputs", {})
        except RoleError as error:
            raise _EndsError(as_problem(error, "reference", "get_test_inputs() raises ")) from None
        arguments = answer.get("arguments")
        if not isinstance(arguments, tuple) or not arguments:
            raise _EndsError(Problem("reference", "get_test_inputs() gives no inputs"))
        return arguments

    def _traits(self, reference: Role, arguments: tuple[Any, ...]) -> dict[str, Any]:
        """What a wrapper may do because the reference does it."""
        answer = self._answer(reference, "traits", {"arguments": arguments}, "reference")
        if not answer.get("elements"):
            reason = "the results for the given inputs have no element: nothing can be judged"
            raise _EndsError(Problem("reference", reason))
        keys = ("mutable", "free", "computes")
        return {key: answer[key] for key in keys}

    def _trials(self, reference: Role, subject: RemoteSubject, arguments: tuple[Any, ...]) -> None:
        from tritongen.verify.foreign.trials import run_trials

        began = time.monotonic()
        problem = run_trials(
            RemoteReference(reference),
            subject,
            arguments,
            source=self.form.triton.text,
            seed=self.seed,
            strict=self.options.strict,
            deadline=self.deadline,
            compiles=self.cuda,
            coverage=self.findings.coverage,
        )
        self.findings.coverage["calls"] = subject.calls
        self.findings.coverage["seconds"] = round(time.monotonic() - began, 3)
        late = self.deadline.problem if self.deadline.over else None
        self._end_if(problem or late)

    def _timings(
        self,
        reference: Role,
        candidate: Role,
        subject: RemoteSubject,
        arguments: tuple[Any, ...],
    ) -> None:
        for role, into in ((reference, "python"), (candidate, "triton")):
            message = {"role": role.name, "arguments": arguments, "seconds": TIMING_SECONDS}
            with contextlib.suppress(RoleError):
                answer = role.call("timing", message)
                setattr(self.findings, into, _timing(answer))
        if self.findings.triton.get("kernels") is None:
            self.findings.triton["kernels"] = subject.launches

    def explained(self, problem: Problem) -> Problem:
        """What the compiler says where a kernel did not run: it says better what is wrong."""
        if self.compiler is None or problem.check not in ("exception", "compile", "launch"):
            return problem
        found = self._compiled(COMPILER_SECONDS)
        if found is not None:
            return found if found.check == "compile" else problem
        if problem.check == "compile" and self.compiler.compiles:
            self.findings.evidence = "compiled"
            return Problem("requires", f"the interpreter cannot run it: {problem.reason}")
        return problem

    def _compiled(self, most: float = math.inf) -> Problem | None:
        """The outcome of the compilation, noted in the coverage."""
        if self.compiler is None:
            return None
        problem = self.compiler.finish(most)
        if self.compiler.targets:
            self.findings.coverage["targets"] = dict(self.compiler.targets)
        return problem

    @staticmethod
    def _end_if(problem: Problem | None) -> None:
        if problem is not None:
            raise _EndsError(problem)

    def close(self) -> None:
        """End every sandbox."""
        if self.compiler is not None:
            self.compiler.close()
        for role in self.roles:
            with contextlib.suppress(Exception):
                role.close()

    def record(self) -> dict[str, Any]:
        """The verdict."""
        return self.findings.record()


def _load_torch() -> None:
    """Import torch here while the zygotes start."""
    import torch  # noqa: F401


def _timing(answer: dict[str, Any]) -> dict[str, Any]:
    ms, kernels = answer.get("ms"), answer.get("kernels")
    return {
        "ms": round(ms, 6) if isinstance(ms, float) and 0 < ms < 1e9 else None,
        "kernels": kernels if isinstance(kernels, int) and kernels >= 0 else None,
    }
