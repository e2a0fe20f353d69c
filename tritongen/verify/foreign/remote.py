"""Reference and subject in sandboxes, as the judge sees them."""

from __future__ import annotations

import time
from typing import TYPE_CHECKING, Any

from tritongen.verify.foreign.plain import PlainError, how_to_plain, observation_from_plain
from tritongen.verify.judge.records import How, Observation, Precision, Problem, Ran

if TYPE_CHECKING:
    from tritongen.verify.sandbox import Sandbox, Zygote

CALL_SHARE = 0.5
CALL_SECONDS = 10.0


class Deadline:
    """The end of a judgement; every call into a sandbox gets what is left of it."""

    def __init__(self, seconds: float) -> None:
        self.seconds = seconds
        self._end = time.monotonic() + seconds

    @property
    def left(self) -> float:
        """Seconds left, never below 0."""
        return max(0.0, self._end - time.monotonic())

    @property
    def over(self) -> bool:
        """Whether time is up."""
        return self.left <= 0

    @property
    def problem(self) -> Problem:
        """The problem of a judgement that it ended."""
        return Problem("timeout", f"timeout after {self.seconds:g} s")


class RoleError(Exception):
    """A role gave no answer; `problem` says why, `raised` whether its own code raised."""

    def __init__(self, problem: Problem, raised: bool = False) -> None:
        super().__init__(problem.reason)
        self.problem = problem
        self.raised = raised


def as_problem(error: RoleError, check: str, words: str) -> Problem:
    """The problem of a role: what its own code raised counts as a failure of `check`."""
    if not error.raised:
        return error.problem
    return Problem(check, words + error.problem.reason)


class Role:
    """A sandbox that plays one part; made and loaded at its first call, and again after a death."""

    def __init__(
        self,
        name: str,
        zygote: Zygote,
        load: dict[str, Any],
        deadline: Deadline,
        *,
        restarts: int = 0,
        sandbox: Sandbox | None = None,
    ) -> None:
        self.name = name
        self.zygote = zygote
        self.load = load
        self.deadline = deadline
        self.restarts = restarts
        self.sandbox = sandbox
        self.shared = sandbox is not None
        self.hello: dict[str, Any] = {}
        self.isolation: dict[str, Any] = {}
        self.seconds = 0.0
        self._loaded = False

    def call(self, op: str, message: dict[str, Any]) -> dict[str, Any]:
        """The answer to an operation. Raises RoleError."""
        self.ready()
        return self._call(op, message)

    def ready(self) -> None:
        """Make and load the sandbox if it is not there. Raises RoleError."""
        from tritongen.verify.sandbox import IsolationError

        if self.sandbox is not None and not self.sandbox.alive:
            if self.restarts <= 0 or self.shared:
                raise RoleError(Problem("worker", f"the {self.name}'s process has ended"))
            self.restarts -= 1
            self.sandbox = None
            self._loaded = False
        if self.sandbox is None:
            try:
                self.zygote.wait(max(0.1, self.deadline.left))
                self.sandbox = self.zygote.sandbox()
            except (IsolationError, OSError) as error:
                late = self.deadline.over
                problem = Problem("isolation", " ".join(str(error).split())[:600])
                raise RoleError(self.deadline.problem if late else problem) from None
        if not self._loaded:
            self.isolation = self.sandbox.isolation.record()
            self.hello = self._call(f"load-{self.name}", self.load)
            self._loaded = True

    def _call(self, op: str, message: dict[str, Any]) -> dict[str, Any]:
        from tritongen.verify.sandbox import SandboxError, WireError

        sandbox = self.sandbox
        if sandbox is None:
            raise RoleError(Problem("internal", "there is no sandbox"))
        most = max(CALL_SECONDS, self.deadline.seconds * CALL_SHARE)
        seconds = min(most, self.deadline.left)
        if seconds <= 0:
            raise RoleError(self.deadline.problem)
        began = time.monotonic()
        try:
            answer = sandbox.call(op, message, seconds)
        except SandboxError as error:
            raise RoleError(self._problem(error, seconds)) from None
        except WireError as error:
            raise RoleError(Problem("internal", f"cannot be sent: {error}")) from None
        finally:
            self.seconds += time.monotonic() - began
        if "raised" in answer:
            words = str(answer["raised"])[:1000]
            raise RoleError(Problem("exception", words), raised=True)
        return answer

    def _problem(self, error: Any, seconds: float) -> Problem:
        """What the end of a sandbox means."""
        if error.kind == "timeout":
            if self.deadline.over:
                return self.deadline.problem
            return Problem("timeout", f"the {self.name} gave no answer within {seconds:g} s")
        if error.kind == "raised":
            return Problem("exception", error.reason[:1000])
        lines = [line.strip() for line in error.output.splitlines() if line.strip()]
        last = f"; it printed: {lines[-1][:200]}" if lines else ""
        return Problem("worker", f"the {self.name}'s process: {error.reason}{last}")

    @property
    def is_running(self) -> bool:
        """Whether its sandbox is there and loaded, with what earlier calls left in it."""
        return self._loaded and self.sandbox is not None and self.sandbox.alive

    @property
    def alive(self) -> bool:
        """Whether it can still be called, if need be in a new sandbox."""
        lives = self.sandbox is None or self.sandbox.alive
        return lives or (self.restarts > 0 and not self.shared)

    def close(self) -> None:
        """End the sandbox."""
        if self.sandbox is not None and not self.shared:
            self.sandbox.close()


class RemoteReference:
    """A reference in its sandbox."""

    def __init__(self, role: Role) -> None:
        self.role = role
        self.deaths: list[str] = []

    def run(self, arguments: tuple[Any, ...], precision: Precision) -> Ran:
        """The results for copies of the arguments; what goes wrong as `error`."""
        message = {"arguments": arguments, "precision": precision}
        try:
            answer = self.role.call("reference", message)
        except RoleError as error:
            if not error.raised:
                self.deaths.append(error.problem.reason)
            return Ran(error=error.problem.reason)
        outputs = answer.get("outputs")
        if answer.get("error") or not isinstance(outputs, (tuple, list)):
            return Ran(error=str(answer.get("error") or "it gave no results")[:1000])
        return Ran(tuple(outputs))


class RemoteSubject:
    """A candidate in its sandbox; what it says is checked for its form and never for its truth."""

    def __init__(self, role: Role, traits: dict[str, Any]) -> None:
        self.role = role
        self.traits = traits
        self.shapes: list[Any] | None = None
        self.calls = 0
        self.launches: int | None = None
        """Launches of Triton kernels in the first call."""

    def run(self, arguments: tuple[Any, ...], how: How) -> Observation:
        """One call; the end of the process is a problem of the call."""
        self.calls += 1
        shapes = [getattr(item, "shape", None) for item in arguments]
        self.shapes = shapes if self.shapes is None else self.shapes
        message = {
            "arguments": arguments,
            "how": how_to_plain(how),
            "given_sizes": shapes == self.shapes,
            **self.traits,
        }
        try:
            observation = observation_from_plain(self.role.call("candidate", message))
        except RoleError as error:
            return Observation(problem=error.problem)
        except PlainError as error:
            return Observation(problem=Problem("worker", f"the candidate's process sent {error}"))
        if self.launches is None:
            self.launches = sum(observation.launches.values())
        return observation
