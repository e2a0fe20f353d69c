"""Isolation of foreign Python: `Zygote` forks one `Sandbox` per candidate.

    zygote = Zygote("interpret", handlers="tritongen.verify.foreign.inside", tier="auto")
    with zygote.sandbox() as sandbox:
        answer = sandbox.call("load", {"source": text}, timeout=10.0)

A message is a dictionary of None, bool, int, float, complex, str, bytes, lists, tuples,
dictionaries (keys str or int), torch tensors, dtypes and devices. `handlers` is a module, imported
in the zygote, with `HANDLERS: dict[str, Callable[[dict], dict]]`; their state lives in the
sandbox's process, which is used for one candidate and then killed. Importing this package loads
neither torch nor triton.
"""

from __future__ import annotations

from tritongen.verify.sandbox.box import Sandbox
from tritongen.verify.sandbox.parent import Zygote
from tritongen.verify.sandbox.records import (
    MODES,
    Isolation,
    IsolationError,
    Limits,
    Mode,
    SandboxError,
)
from tritongen.verify.sandbox.tiers import (
    TIERS,
    available_parts,
    available_tiers,
    best_tier,
    choose,
)
from tritongen.verify.sandbox.wire import WireError

__all__ = [
    "MODES",
    "TIERS",
    "Isolation",
    "IsolationError",
    "Limits",
    "Mode",
    "Sandbox",
    "SandboxError",
    "WireError",
    "Zygote",
    "available_parts",
    "available_tiers",
    "best_tier",
    "choose",
]
