"""In the compiler's sandbox: launches of the TRITON block caught, and compiled for named targets."""

from __future__ import annotations

from pathlib import Path
from typing import Any

from tritongen.verify import capture, redirect
from tritongen.verify.foreign.load import describe, entry_point, load
from tritongen.verify.targets import Compiler


class CompileSide:
    """The wrapper of one candidate in a process where no kernel ever runs."""

    def __init__(self, message: dict[str, Any]) -> None:
        """Load the block; `message` has `triton` and `entry`."""
        self.state = capture.begin()
        self.compiler = Compiler(Path.cwd() / "compiled")
        with redirect.redirected(poison=False):
            self.module = load("TRITON", message["triton"], Path.cwd())
            self.wrapper = entry_point(self.module, message["entry"])

    def capture(self, arguments: tuple[Any, ...]) -> dict[str, Any]:
        """Call the wrapper; the number of launches seen so far and of specialisations, an error."""
        error = ""
        try:
            with redirect.redirected(poison=False):
                self.wrapper(*arguments)
        except BaseException as raised:
            error = describe(raised)
        return {
            "launches": sum(self.state.counts.values()),
            "specialisations": len(self.state.launches),
            "error": error,
        }

    def compile(self, target: str) -> dict[str, Any]:
        """Compile everything seen for a target; the first problem."""
        for launch in list(self.state.launches.values()):
            result = self.compiler.compile(launch, target)
            if result["problem"]:
                return {"problem": f"kernel {launch.name}: {result['problem']}"}
        return {"problem": ""}
