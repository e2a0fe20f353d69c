"""Ahead-of-time compilation of a candidate's launches, in a sandbox of its own."""

from __future__ import annotations

import contextlib
import math
import threading
from collections.abc import Sequence
from typing import TYPE_CHECKING, Any

from tritongen.verify.foreign.remote import Deadline, Role, RoleError, as_problem
from tritongen.verify.judge.records import Problem

if TYPE_CHECKING:
    from tritongen.verify.sandbox import Zygote


class Compilation:
    """Ahead-of-time compilation for every target, while the interpreter runs."""

    def __init__(
        self,
        zygote: Zygote,
        load: dict[str, Any],
        arguments: tuple[Any, ...],
        names: Sequence[str],
        deadline: Deadline,
    ) -> None:
        """Start; `load` is what the sandbox loads, `names` are those of the targets."""
        self.names = tuple(names)
        self.role = Role("compile", zygote, load, deadline, restarts=len(self.names))
        self.arguments = arguments
        self.problem: Problem | None = None
        self.targets: dict[str, str] = {}
        self.stopped = False
        self.thread = threading.Thread(target=self._run, name="foreign-compiler", daemon=True)
        self.thread.start()

    def _run(self) -> None:
        try:
            for target in self.names:
                if self.stopped or not self._compile(target):
                    return
        except RoleError as error:
            self.problem = as_problem(error, "load", "the wrapper does not load for compilation: ")
        except Exception as error:
            self.problem = Problem("internal", f"{type(error).__name__}: {error}")

    def _compile(self, target: str) -> bool:
        """Compile for one target; a compiler that crashes has an outcome too. False: no launches."""
        if not self.role.is_running:
            seen = self.role.call("capture", {"arguments": self.arguments})
            if not seen.get("launches"):
                return False
        try:
            answer = self.role.call("compile", {"target": target})
        except RoleError as error:
            if error.raised or error.problem.check != "worker":
                raise
            self.targets[target] = f"the compiler crashed: {error.problem.reason}"[:600]
        else:
            self.targets[target] = str(answer.get("problem") or "ok")[:600]
        return True

    @property
    def compiles(self) -> bool:
        """Whether some target takes every kernel."""
        return "ok" in self.targets.values()

    def finish(self, most: float = math.inf) -> Problem | None:
        """Wait; a problem where no target takes the kernels, or it could not be found out."""
        self.thread.join(min(most, self.role.deadline.left + 1.0))
        if self.thread.is_alive():
            return Problem("timeout", "the compilation did not end in time")
        if self.problem is not None:
            return self.problem
        problems = {name: said for name, said in self.targets.items() if said != "ok"}
        if not problems or len(problems) < len(self.targets):
            return None
        name, said = next(iter(problems.items()))
        return Problem("compile", f"{name}: {said}", {"targets": dict(self.targets)})

    def close(self) -> None:
        """Stop at the next target; the sandbox is ended by its own thread or here."""
        self.stopped = True
        sandbox = self.role.sandbox
        if self.thread.is_alive() and sandbox is not None:
            with contextlib.suppress(Exception):
                sandbox.kill()
            self.thread.join(5.0)
        with contextlib.suppress(Exception):
            self.role.close()
