"""A call under watch: what is allowed passes, what is not is named, under the interpreter."""

from __future__ import annotations

import ast
import json
import os
import subprocess
import sys
from pathlib import Path

import pytest

HERE = Path(__file__).parent
SCRIPT = HERE / "probe_cases.py"


def run_script(script: Path, **environment: str) -> dict[str, list[str]]:
    """The report of a script of cases, in a process of its own."""
    done = subprocess.run(
        [sys.executable, str(script)],
        env={**os.environ, "PYTHONPATH": str(HERE.parents[2]), **environment},
        capture_output=True,
        text=True,
        check=False,
    )
    assert done.returncode == 0, done.stderr[-4000:]
    return json.loads(done.stdout.splitlines()[-1])


def declared_cases() -> dict[str, tuple[str, str]]:
    """Name, expected check and part of the reason of each case, read without importing."""
    found = {}
    texts = [(HERE / name).read_text() for name in ("probe_honesty.py", "probe_memory.py")]
    for node in [node for text in texts for node in ast.parse(text).body]:
        if isinstance(node, ast.FunctionDef):
            for mark in node.decorator_list:
                if isinstance(mark, ast.Call) and getattr(mark.func, "id", "") in (
                    "case",
                    "observed",
                ):
                    values = [ast.literal_eval(argument) for argument in mark.args]
                    check, reason = (*values, "", "")[:2]
                    found[node.name] = (check, reason)
    return found


DECLARED = declared_cases()


@pytest.fixture(scope="module")
def report() -> dict[str, list[str]]:
    """What was observed of every case."""
    return run_script(SCRIPT, TRITON_INTERPRET="1")


@pytest.mark.parametrize("name", DECLARED)
def test_the_outcome_of_a_call_is_what_it_should_be(
    report: dict[str, list[str]], name: str
) -> None:
    check, reason = report[name]
    assert (check, DECLARED[name][1] in reason) == (DECLARED[name][0], True), (check, reason)


FAKE = HERE / "fake_gpu_cases.py"
FAKE_CASES = [
    node.name
    for node in ast.parse(FAKE.read_text()).body
    if isinstance(node, ast.FunctionDef)
    and any(isinstance(mark, ast.Name) and mark.id == "case" for mark in node.decorator_list)
]


@pytest.fixture(scope="module")
def gpu_report(tmp_path_factory: pytest.TempPathFactory) -> dict[str, list[str]]:
    """What was observed in GPU mode, with a driver that is made up."""
    cache = str(tmp_path_factory.mktemp("triton"))
    return run_script(FAKE, TRITON_INTERPRET="0", TRITON_CACHE_DIR=cache)


@pytest.mark.parametrize("name", FAKE_CASES)
def test_gpu_mode_sees_what_kernels_do(gpu_report: dict[str, list[str]], name: str) -> None:
    assert gpu_report[name] == ["", ""]


@pytest.mark.gpu
def test_the_same_calls_on_a_gpu() -> None:
    report = run_script(SCRIPT, TRITON_INTERPRET="0", PROBE_MODE="cuda")
    wrong = {name: found for name, found in report.items() if found[0] != found[2]}
    assert wrong == {}
    assert len(report) > 60


@pytest.mark.gpu
def test_an_illegal_address_and_the_time_of_a_call_on_a_gpu() -> None:
    report = run_script(HERE / "gpu_cases.py", TRITON_INTERPRET="0")
    assert report["illegal"] == ["memory", "True", "True"]
    print("milliseconds per call over the kernel:", report["overhead"])
    assert float(report["overhead"][0]) < 1.5
