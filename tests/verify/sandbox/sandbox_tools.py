"""What the tests of the sandbox share."""

from __future__ import annotations

from pathlib import Path
from typing import Any

from tritongen.verify.sandbox import Limits, Sandbox, SandboxError, Zygote

HANDLERS = str(Path(__file__).with_name("sandbox_handlers.py"))
MEBI = 1 << 20
TIGHT = Limits(
    memory=300 * MEBI,
    scratch=32 * MEBI,
    processes=16,
    threads=16,
    output=MEBI,
    message=64 * MEBI,
    text=MEBI,
)
LOOSE = Limits(memory=1 << 40, processes=4096, threads=4096, output=1 << 30)


def run(sandbox: Sandbox, source: str, timeout: float = 20.0, **message: Any) -> Any:
    """Run a program in a sandbox; its `result`."""
    return sandbox.call("run", {"source": source, **message}, timeout)["result"]


def outcome(
    zygote: Zygote, source: str, timeout: float = 20.0, limits: Limits | None = None, **message: Any
) -> Any:
    """The result of a program in a new sandbox, or the error that ended it."""
    with zygote.sandbox(limits) as sandbox:
        try:
            return run(sandbox, source, timeout, **message)
        except SandboxError as error:
            return error
