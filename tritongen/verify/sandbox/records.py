"""What a sandbox may use, what it reports of itself, and how it fails."""

from __future__ import annotations

from dataclasses import asdict, dataclass
from typing import Any, Literal

from tritongen.errors import VerificationError

Mode = Literal["interpret", "compile", "cuda"]
MODES: tuple[Mode, ...] = ("interpret", "compile", "cuda")

Failure = Literal[
    "timeout",
    "died",
    "memory",
    "processes",
    "scratch",
    "cpu",
    "output",
    "protocol",
    "raised",
    "closed",
]


class IsolationError(VerificationError):
    """The isolation asked for is not to be had here; nothing was run."""


class SandboxError(Exception):
    """A call got no answer.

    `kind` says why: `timeout`, `died` (the process ended), `memory`, `processes`, `scratch`, `cpu`
    and `output` (a limit was passed), `protocol` (what it sent is no answer), `raised` (the handler itself
    raised; the sandbox stays usable), `closed`. `output` is what the sandbox printed.
    """

    def __init__(
        self, kind: Failure, reason: str, *, output: str = "", detail: dict[str, Any] | None = None
    ) -> None:
        super().__init__(reason)
        self.kind: Failure = kind
        self.reason = reason
        self.output = output
        self.detail = detail or {}


@dataclass(frozen=True, slots=True)
class Limits:
    """What one sandbox may use; bytes, seconds, counts.

    `memory` is what it may add to the memory of the zygote it was forked from. `message` bounds
    the tensors of one answer, as stored and as they would be if every element were written out;
    `text` the rest of it. `output` is what it may print in all.
    """

    memory: int = 4 << 30
    scratch: int = 512 << 20
    processes: int = 64
    threads: int = 256
    files: int = 256
    cpu: int = 900
    output: int = 16 << 20
    message: int = 1 << 30
    text: int = 8 << 20

    def record(self) -> dict[str, int]:
        """As a plain dictionary."""
        return asdict(self)


@dataclass(frozen=True, slots=True)
class Isolation:
    """The tier in use and its parts; `detail` has versions and what is weaker than usual."""

    tier: str
    parts: tuple[str, ...]
    detail: dict[str, Any]

    def record(self) -> dict[str, Any]:
        """As a plain dictionary, for a verdict."""
        return {"tier": self.tier, "parts": list(self.parts), **self.detail}
