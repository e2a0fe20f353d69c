"""Verified training data for models that write Triton kernels."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from tritongen.api import expand, families, space
from tritongen.errors import TritongenError
from tritongen.pair import Pair

if TYPE_CHECKING:
    from tritongen.pipeline import BuildReport, VerifyReport, build, verify_dataset
    from tritongen.verify import Verdict, verify
    from tritongen.verify.foreign.check import check
    from tritongen.verify.foreign.reward import Reward, reward

__version__ = "0.1.0"
__all__ = [
    "BuildReport",
    "Pair",
    "Reward",
    "TritongenError",
    "Verdict",
    "VerifyReport",
    "build",
    "check",
    "expand",
    "families",
    "reward",
    "space",
    "verify",
    "verify_dataset",
]
_LATER = {
    "BuildReport": "tritongen.pipeline",
    "VerifyReport": "tritongen.pipeline",
    "build": "tritongen.pipeline",
    "Verdict": "tritongen.verify",
    "verify": "tritongen.verify",
    "check": "tritongen.verify.foreign.check",
    "Reward": "tritongen.verify.foreign.reward",
    "reward": "tritongen.verify.foreign.reward",
    "verify_dataset": "tritongen.pipeline",
}


def __getattr__(name: str) -> Any:
    if name not in _LATER:
        raise AttributeError(f"module 'tritongen' has no attribute {name!r}")
    import importlib

    return getattr(importlib.import_module(_LATER[name]), name)
