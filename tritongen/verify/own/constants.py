"""What kernels are launched with, and what a run costs, under the interpreter.

Block sizes are among the constants; sizes to try are derived from them. The cost of a run is
counted in accesses to memory, not in time, so that what is left out does not depend on the machine.
"""

from __future__ import annotations

import contextlib
from collections.abc import Iterator
from dataclasses import dataclass, field
from types import ModuleType
from typing import Any

Constants = dict[str, Any]


@dataclass(slots=True)
class Watch:
    """What was seen: `latest` are the constants of the last call, `accesses` counts since start."""

    latest: Constants = field(default_factory=dict)
    every: dict[str, set[Any]] = field(default_factory=dict)
    accesses: int = 0

    def note(self, kernel: str, name: str, value: Any) -> None:
        """Write down a constant of a launch."""
        value = plain(value)
        self.latest[f"{kernel}.{name}"] = value
        self.every.setdefault(f"{kernel}.{name}", set()).add(value)


@contextlib.contextmanager
def watching(watch: Watch) -> Iterator[None]:
    """Watch every launch under the interpreter."""
    from tritongen.verify.grid import STATE

    arena: Any = STATE.arena
    check = arena.check

    def launching(kernel: str, constants: dict[str, Any]) -> None:
        for name, value in constants.items():
            watch.note(kernel, name, value)

    def access(*args: Any) -> None:
        watch.accesses += 1
        check(*args)

    STATE.constants = launching
    arena.check = access
    try:
        yield
    finally:
        STATE.constants = None
        del arena.check


def tuned_constants(module: ModuleType, watch: Watch) -> None:
    """Note the constants of all configurations of the module's autotuned kernels."""
    for name, value in vars(module).items():
        for config in getattr(value, "configs", None) or ():
            for key, constant in getattr(config, "kwargs", {}).items():
                watch.every.setdefault(f"{name}.{key}", set()).add(plain(constant))


def plain(value: Any) -> Any:
    """A constant as something that can be compared and hashed."""
    value = getattr(value, "value", value)
    return value if isinstance(value, (int, float, str, bool, type(None))) else repr(value)
