"""Verification of pairs: `verify`, its verdicts, and the gate of warm workers behind it.

Importing this package loads neither torch nor triton; the workers do. The package can be called
itself, so that `tritongen.verify(pair)` works whether or not it was imported as a module before.
"""

from __future__ import annotations

import sys
from types import ModuleType
from typing import Any

from tritongen.verify.device import has_gpu, resolve_device
from tritongen.verify.gate import Gate, close_gates, verify
from tritongen.verify.targets import DEFAULT_TARGETS, TARGETS
from tritongen.verify.verdict import EVIDENCE, Evidence, Status, Verdict, at_least

__all__ = [
    "DEFAULT_TARGETS",
    "EVIDENCE",
    "TARGETS",
    "Evidence",
    "Gate",
    "Status",
    "Verdict",
    "at_least",
    "close_gates",
    "has_gpu",
    "resolve_device",
    "verify",
]


class _CallablePackage(ModuleType):
    """This module, callable as the function `verify`."""

    def __call__(self, *args: Any, **kwargs: Any) -> Any:
        """`verify(...)`."""
        return verify(*args, **kwargs)


sys.modules[__name__].__class__ = _CallablePackage
