"""From a configuration to a dataset."""

from __future__ import annotations

from tritongen.pipeline.builder import build
from tritongen.pipeline.report import BuildReport

__all__ = ["BuildReport", "build"]
