"""Dry runs say which specialisations a call needs, without compiling any."""

from __future__ import annotations

import json
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest


@pytest.fixture(scope="module")
def found() -> dict[str, Any]:
    """What the script says."""
    script = Path(__file__).parent / "dry_script.py"
    answer = subprocess.run(
        [sys.executable, str(script)], capture_output=True, text=True, check=True, timeout=120
    )
    return json.loads(answer.stdout.strip().splitlines()[-1])


def test_sizes_fall_into_the_classes_that_triton_compiles_for(found: dict[str, Any]) -> None:
    assert found["classes"] == {
        "1": [1, 0],
        "257": [0, 0],
        "509": [0, 0],
        "512": [0, 1],
        "1024": [0, 1],
    }
    assert found["keys"] == 3
    assert found["constants"] == {"kernel.BLOCK": 256}
    assert found["configurations"] == 2
    assert found["tuned"] == [[128], [512]]


def test_cases_run_that_need_no_more_than_what_is_paid_for(found: dict[str, Any]) -> None:
    paid = found["paid"]
    names = ["test_pair[float32-300]", "test_pair[float32-512]", "test_pair[float32-301]"]
    assert paid["cases"] == names
    assert paid["classes"] == {"general": ["float32"], "divisible by 16": ["float32"]}
    assert paid["specialisations"] == 2
    assert paid["left"] == {"float32, equal to 1": 1}
