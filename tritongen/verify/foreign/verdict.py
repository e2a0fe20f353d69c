"""The verdict on a foreign candidate: one dictionary with the same keys whatever happened."""

from __future__ import annotations

import platform
from dataclasses import dataclass, field
from typing import Any

from tritongen.verify.foreign.plain import json_value
from tritongen.verify.judge.records import Problem

FAILED = frozenset(
    (
        *("form", "static", "reference", "load", "requires", "isolation", "timeout", "worker"),
        "internal",
    )
)
"""Checks after which a candidate counts as not judged: `status` is FAILED."""

MAX_REASON = 800

KEYS = (
    *("status", "correct", "reason", "check", "witness", "coverage", "evidence", "isolation"),
    *("python_ms", "triton_ms", "speedup", "kernels_python", "kernels_triton", "environment"),
)


@dataclass(slots=True)
class Findings:
    """What a judgement gathers on its way."""

    problem: Problem | None = None
    coverage: dict[str, Any] = field(default_factory=dict)
    evidence: str = "none"
    isolation: dict[str, Any] = field(default_factory=dict)
    environment: dict[str, Any] = field(default_factory=dict)
    python: dict[str, Any] = field(default_factory=dict)
    triton: dict[str, Any] = field(default_factory=dict)

    def record(self) -> dict[str, Any]:
        """The verdict as standard JSON."""
        problem = self.problem
        check = problem.check if problem else ""
        python_ms, triton_ms = self.python.get("ms"), self.triton.get("ms")
        speedup = round(python_ms / triton_ms, 3) if python_ms and triton_ms else None
        record = {
            "status": "FAILED" if check in FAILED else "SUCCESS",
            "correct": problem is None,
            "reason": " ".join(problem.reason.split())[:MAX_REASON] if problem else "",
            "check": check,
            "witness": dict(problem.witness) if problem and problem.witness else None,
            "coverage": self.coverage,
            "evidence": self.evidence,
            "isolation": self.isolation,
            "python_ms": python_ms,
            "triton_ms": triton_ms,
            "speedup": speedup,
            "kernels_python": self.python.get("kernels"),
            "kernels_triton": self.triton.get("kernels"),
            "environment": {**_environment(), **self.environment},
        }
        return json_value(record)


def _environment() -> dict[str, Any]:
    return {
        "device": "",
        "torch": "",
        "triton": "",
        "python": platform.python_version(),
        "platform": f"{platform.system()} {platform.machine()}",
    }


def refused(problem: Problem, **environment: Any) -> dict[str, Any]:
    """The verdict on what was not run."""
    return Findings(problem, environment=environment).record()
