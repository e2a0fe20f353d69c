"""Verified training data for models that write Triton kernels."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from tritongen.api import expand, families, space
from tritongen.errors import TritongenError
from tritongen.pair import Pair

if TYPE_CHECKING:
    from tritongen.pipeline import BuildReport, build
    from tritongen.verify import Verdict, verify

__version__ = "0.1.0"
__all__ = [
    "BuildReport",
    "Pair",
    "TritongenError",
    "Verdict",
    "build",
    "expand",
    "families",
    "space",
    "verify",
]
_LATER = {
    "BuildReport": "tritongen.pipeline",
    "build": "tritongen.pipeline",
    "Verdict": "tritongen.verify",
    "verify": "tritongen.verify",
}


def __getattr__(name: str) -> Any:
    if name not in _LATER:
        raise AttributeError(f"module 'tritongen' has no attribute {name!r}")
    import importlib

    return getattr(importlib.import_module(_LATER[name]), name)
