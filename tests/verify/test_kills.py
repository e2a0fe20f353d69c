"""A verification whose processes are killed for real; benchmarks/kills.py does it at length."""

from __future__ import annotations

import importlib.util
import os
import subprocess
import sys
from pathlib import Path
from types import ModuleType

import pytest

ROOT = Path(__file__).parents[2]


@pytest.fixture(scope="module")
def kills() -> ModuleType:
    """The script as a module."""
    spec = importlib.util.spec_from_file_location("kills", ROOT / "benchmarks" / "kills.py")
    assert spec is not None
    assert spec.loader is not None
    module = importlib.util.module_from_spec(spec)
    sys.modules["kills"] = module
    spec.loader.exec_module(module)
    return module


@pytest.mark.slow
def test_killed_parents_and_workers_cost_no_verdict_and_leave_nothing(
    kills: ModuleType, tmp_path: Path
) -> None:
    ids = kills.make_dataset(tmp_path / "dataset", 100, seed=1)
    outcome = kills.kill_often(tmp_path / "dataset", kills=5, seed=1, ids=ids)
    assert outcome.problems == []
    assert outcome.killed["parent"] >= 2
    assert outcome.killed["worker"] >= 2
    assert outcome.starts == outcome.killed["parent"] + 1
    assert outcome.evidence.total() + outcome.rejected == 100


def test_what_is_left_over_would_be_seen(kills: ModuleType, tmp_path: Path) -> None:
    with subprocess.Popen(["sleep", "60"], env={**os.environ, kills.MARK: "here"}) as process:
        assert kills.processes("here") == [process.pid]
        assert kills.processes("elsewhere") == []
        process.kill()
    assert kills.processes("here") == []
    folder = Path("/dev/shm") / "tritongen-verify-1234567890-x"
    folder.mkdir()
    try:
        assert kills.scratch([1234567890]) == [folder]
    finally:
        folder.rmdir()


def test_what_is_lost_or_doubled_would_be_seen(kills: ModuleType, tmp_path: Path) -> None:
    ids = kills.make_dataset(tmp_path / "dataset", 40, seed=1)
    outcome = kills.Outcome()
    kills._examine(tmp_path / "dataset", [*ids[1:], "lost"], outcome)
    assert f"{ids[0]} is new" in outcome.problems
    assert "lost is there 0 times" in outcome.problems
    assert f"{ids[1]} is unverified, none" in outcome.problems
