"""A small plan with made-up pairs, so that the pipeline is tested apart from the templates."""

from __future__ import annotations

import sys
from pathlib import Path

import pytest

sys.path.insert(0, str(Path(__file__).parent))

import fake_plan


@pytest.fixture
def fake_source(monkeypatch):
    """Builds take their pairs from `fake_plan`."""
    monkeypatch.setattr("tritongen.pipeline.builder.open_source", fake_plan.open_source)
    return fake_plan


@pytest.fixture
def fake_gate(monkeypatch):
    """Verification by a `fake_plan.Gate`, which is given."""
    gate = fake_plan.Gate()
    monkeypatch.setattr("tritongen.verify.Gate", gate.opened)
    return gate
