"""Made-up pairs of the pipeline's tests serve here as well."""

from __future__ import annotations

import sys
from pathlib import Path

import pytest

sys.path.insert(0, str(Path(__file__).parent.parent / "pipeline"))

import fake_plan


@pytest.fixture
def pairs():
    return list(fake_plan.FakePlan(20).pairs())


@pytest.fixture
def verdicts(pairs):
    return list(fake_plan.Gate(refuse=lambda pair: False).stream(pairs))


@pytest.fixture
def build_fake(monkeypatch, tmp_path):
    """Builds an unverified dataset of made-up pairs and gives its folder."""
    monkeypatch.setattr("tritongen.pipeline.builder.open_source", fake_plan.open_source)

    def run(**fields):
        from tritongen.pipeline import build

        out = tmp_path / "dataset"
        config = {"out": str(out), "count": 240, "shard_size": 100}
        build({**config, "verify": {"device": "none"}, **fields})
        return out

    return run
