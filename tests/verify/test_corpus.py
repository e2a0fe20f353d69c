"""Candidates right, wrong, cheating and hostile, judged as a user's file is.

`tests/corpus/right` guards against false alarms, `tests/corpus/wrong` has a file for each threat of
docs/verification.md. Lines `# key: value` at the head of a file say what is expected:

    threat   numbers of the list in docs/verification.md (wrong ones)
    expect   the checks that may refuse it, separated by `|` (wrong ones)
    status   FAILED where it must not count as judged
    strict   `refused`: right, but not under `strict`
    device   `cpu` or `cuda` where it shows on one of them only
    naive    `passes`: the usual check, allclose at 1e-2 on the given inputs, takes it
    timeout  seconds that it is given, where it is about time
"""

from __future__ import annotations

import json
import os
import re
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest

from tritongen.verify.foreign.check import check
from tritongen.verify.foreign.verdict import KEYS
from tritongen.verify.judge.records import CHECKS

CORPUS = Path(__file__).parent.parent / "corpus"
DOCUMENT = Path(__file__).parents[2] / "docs" / "verification.md"
RIGHT = sorted((CORPUS / "right").glob("*.py"))
WRONG = sorted((CORPUS / "wrong").glob("*.py"))
FIELDS = {"threat", "expect", "status", "strict", "device", "naive", "timeout"}
TIMEOUT = 120.0
OWN_PAIRS_ONLY = {"6.4"}


def header(path: Path) -> dict[str, str]:
    """The expectations at the head of a file."""
    head = path.read_text().split("\n# <", 1)[0]
    return dict(re.findall(r"^# (\w+): (.+)$", head, re.MULTILINE))


def shown_on(paths: list[Path], device: str) -> list[Any]:
    """The files whose fault (or use) shows on a device."""
    return [
        pytest.param(path, id=path.stem)
        for path in paths
        if header(path).get("device", device) == device
    ]


def judged(path: Path, device: str, **options: Any) -> dict[str, Any]:
    timeout = float(header(path).get("timeout", TIMEOUT))
    return check(path, device=device, timeout=timeout, **options)


def assert_right(path: Path, device: str) -> None:
    verdict = judged(path, device)
    assert tuple(verdict) == KEYS
    assert (verdict["status"], verdict["correct"]) == ("SUCCESS", True), verdict
    assert verdict["evidence"] == {"cpu": "interpreted", "cuda": "gpu"}[device]
    assert verdict["coverage"]["trials"] >= 12


def assert_wrong(path: Path, device: str) -> None:
    expected = header(path)
    verdict = judged(path, device)
    assert tuple(verdict) == KEYS
    assert not verdict["correct"], f"taken for right: {verdict}"
    assert verdict["check"] in expected["expect"].split("|"), verdict
    assert verdict["status"] == expected.get("status", verdict["status"]), verdict
    assert verdict["reason"]


@pytest.mark.parametrize("path", shown_on(RIGHT, "cpu"))
def test_a_right_candidate_is_right(path):
    assert_right(path, "cpu")


@pytest.mark.parametrize("path", shown_on(WRONG, "cpu"))
def test_a_wrong_candidate_is_refused_by_the_check_meant_for_it(path):
    assert_wrong(path, "cpu")


@pytest.mark.gpu
@pytest.mark.parametrize("path", shown_on(RIGHT, "cuda"))
def test_a_right_candidate_is_right_on_a_gpu(path):
    assert_right(path, "cuda")


@pytest.mark.gpu
@pytest.mark.parametrize("path", shown_on(WRONG, "cuda"))
def test_a_wrong_candidate_is_refused_on_a_gpu(path):
    assert_wrong(path, "cuda")


STRICT = [path for path in RIGHT if header(path).get("strict") == "refused"]


@pytest.mark.parametrize("path", shown_on(STRICT, "cpu"))
def test_strict_refuses_partial_sums_left_to_torch_and_tf32(path):
    verdict = judged(path, "cpu", strict=True)
    assert not verdict["correct"]
    assert verdict["check"] in ("honesty", "precision"), verdict


@pytest.mark.parametrize("path", [*RIGHT, *WRONG], ids=lambda path: path.stem)
def test_the_head_of_a_file_says_what_it_is_and_what_is_expected(path):
    first = path.read_text().splitlines()[0]
    assert re.match(r"# \S.{8,}", first), first
    assert ":" not in first.split()[1]
    found = header(path)
    assert set(found) <= FIELDS
    if path in WRONG:
        assert {"threat", "expect"} <= set(found)
        assert set(found["expect"].split("|")) <= set(CHECKS)


def test_every_threat_of_the_documentation_has_a_candidate_and_the_reverse():
    documented = set(re.findall(r"^\| (\d\.\d+) \|", DOCUMENT.read_text(), re.MULTILINE))
    present = {header(path)["threat"] for path in WRONG}
    assert present == documented - OWN_PAIRS_ONLY


def test_the_documentation_names_the_checks_that_a_threat_is_refused_by():
    rows = re.findall(r"^\| (\d\.\d+) \| .+? \| ([\w, -]+) \|", DOCUMENT.read_text(), re.MULTILINE)
    named = {number: set(checks.split(", ")) for number, checks in rows}
    for path in WRONG:
        found = header(path)
        assert named[found["threat"]] & set(found["expect"].split("|")), path.name


def test_the_usual_check_takes_what_its_head_says_it_takes():
    """That the wrong candidates are worth having: allclose at 1e-2 on the given inputs passes."""
    marked = [path for path in WRONG if header(path).get("naive") == "passes"]
    script = Path(__file__).with_name("usual_check.py")
    environment = {**os.environ, "TRITON_INTERPRET": "1"}
    command = [sys.executable, str(script), *map(str, marked)]
    ran = subprocess.run(command, env=environment, capture_output=True, text=True)
    assert ran.returncode == 0, ran.stderr[-2000:]
    verdicts = json.loads(ran.stdout.splitlines()[-1])
    assert {name: said for name, said in verdicts.items() if said != "passes"} == {}
    assert len(verdicts) == len(marked) > 60
