"""From a configuration to a dataset, and from a dataset to one that is proved further."""

from __future__ import annotations

from tritongen.pipeline.builder import build
from tritongen.pipeline.raising import verify_dataset
from tritongen.pipeline.report import BuildReport
from tritongen.pipeline.verified import VerifyReport

__all__ = ["BuildReport", "VerifyReport", "build", "verify_dataset"]
