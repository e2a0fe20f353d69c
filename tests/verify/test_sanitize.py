"""compute-sanitizer: what its logs mean, and when it is believed. One test runs it for real."""

from __future__ import annotations

import os
import sys
import time
from contextlib import ExitStack
from pathlib import Path
from types import SimpleNamespace

import pytest

from tritongen.errors import VerificationError
from tritongen.verify import sanitize as module
from tritongen.verify.sanitize import Sanitizer, Sources, find_tool, sanitize, unavailable
from tritongen.verify.sanitized import calls

CLEAN = "========= COMPUTE-SANITIZER\n========= ERROR SUMMARY: 0 errors\n"
STORE = """\
========= COMPUTE-SANITIZER
========= Invalid __global__ write of size 4 bytes
=========     at canary_kernel+0x140 in /tmp/pair_0.py:11
=========     by thread (100,0,0) in block (0,0,0)
=========     Address 0x7f403ba00590 is out of bounds
=========     and is 1 bytes after the nearest allocation at 0x7f403ba00400 of size 400 bytes
=========     Saved host backtrace up to driver entry point at kernel launch time
=========
========= ERROR SUMMARY: 28 errors
"""
RACE = """\
========= COMPUTE-SANITIZER
========= Error: Race reported between Write access at kernel+0x90 in /tmp/pair_0.py:9
=========     and Read access at kernel+0xb0 in /tmp/pair_0.py:10 [496 hazards]
=========
========= RACECHECK SUMMARY: 1 hazard displayed (1 error, 0 warnings)
"""
NO_RACE = "========= RACECHECK SUMMARY: 0 hazards displayed (0 errors, 0 warnings)\n"
UNSUPPORTED = """\
========= COMPUTE-SANITIZER
========= Error: Device not supported. Please refer to the "Supported Devices" section
========= Program hit cudaErrorUnknown (error 999) due to "unknown error" on CUDA API call
========= ERROR SUMMARY: 2 errors
"""
GOOD = {
    "launches": 3,
    "calls": 2,
    "error": "",
    "device": "H200",
    "torch": "2.11.0",
    "triton": "3.6.0",
}
PAIR = Sources(
    "",
    "def wrapper(x):\n    return x\n",
    "def get_test_inputs():\n    return (1,)\n",
    {"entry": {"wrapper": "wrapper"}},
)


@pytest.mark.parametrize(
    ("code", "log", "report", "outcome", "words"),
    [
        (0, CLEAN, GOOD, "clean", ""),
        (0, NO_RACE, GOOD, "clean", ""),
        (86, STORE, None, "fault", "Invalid __global__ write of size 4 bytes; at canary_kernel"),
        (86, STORE, GOOD, "fault", "by thread (100,0,0)"),
        (86, RACE, GOOD, "fault", "Race reported between Write access"),
        (1, UNSUPPORTED, None, "error", "exit code 1, 2 errors"),
        (0, "", GOOD, "error", "no summary"),
        (0, CLEAN, None, "error", "exit code 0"),
        (1, CLEAN, GOOD, "error", "exit code 1"),
        (0, CLEAN, {**GOOD, "launches": 0}, "error", "no Triton kernel was launched"),
        (0, CLEAN, {**GOOD, "error": "ValueError: x"}, "error", "does not run: ValueError: x"),
    ],
)
def test_what_log_exit_code_and_report_mean_together(code, log, report, outcome, words):
    ran = module._read(code, log, report, "")
    assert ran.outcome == outcome
    assert words in ran.words


@pytest.fixture
def tool(tmp_path, monkeypatch):
    """A compute-sanitizer that says what the test wants for each tool; nothing is run under it."""
    logs = tmp_path / "logs"
    logs.mkdir()
    program = tmp_path / "bin" / "compute-sanitizer"
    program.parent.mkdir()
    program.write_text(
        f"#!{sys.executable}\n"
        "import json, os, pathlib, sys, time\n"
        "args = sys.argv[1:]\n"
        "tool, log = args[args.index('--tool') + 1], args[args.index('--log-file') + 1]\n"
        f"logs = pathlib.Path({str(logs)!r})\n"
        "folder = pathlib.Path(args[-1])\n"
        "spec = json.loads((folder / 'spec.json').read_text())\n"
        "kind = 'canary' if 'canary' in spec['triton_code'] else 'pair'\n"
        "if kind == 'canary' and 'mask=' in spec['triton_code']: kind = 'masked'\n"
        "path = logs / f'{kind}-{tool}'\n"
        "if (logs / 'sleep').exists(): time.sleep(60)\n"
        "pathlib.Path(log).write_text(path.read_text())\n"
        f"(folder / 'report.json').write_text(json.dumps({GOOD!r}))\n"
        "(logs / 'seen').write_text(' '.join(args) + str(dict(os.environ)))\n"
        "sys.exit(86 if 'Invalid' in path.read_text() or 'Race' in path.read_text() else 0)\n"
    )
    program.chmod(0o755)
    monkeypatch.setenv("PATH", f"{program.parent}:{os.environ['PATH']}")
    monkeypatch.setattr("tritongen.verify.device.has_gpu", lambda: True)
    unavailable.cache_clear()
    for name, log in {
        "canary-memcheck": STORE,
        "masked-memcheck": CLEAN,
        "masked-racecheck": NO_RACE,
        "pair-memcheck": CLEAN,
        "pair-racecheck": NO_RACE,
    }.items():
        (logs / name).write_text(log)
    yield SimpleNamespace(say=lambda name, log: (logs / name).write_text(log), logs=logs)
    unavailable.cache_clear()


def test_a_pair_in_which_both_tools_find_nothing_is_sanitized(tool):
    verdict = sanitize(PAIR)
    assert verdict.passed
    assert verdict.evidence == "sanitized"
    assert verdict.coverage["sanitize"] == ["memcheck", "racecheck"]
    assert (verdict.device, verdict.torch, verdict.triton) == ("H200", "2.11.0", "3.6.0")
    seen = (tool.logs / "seen").read_text()
    assert "'PYTORCH_NO_CUDA_MEMORY_CACHING': '1'" in seen
    assert "--error-exitcode 86" in seen


@pytest.mark.parametrize(("name", "log"), [("memcheck", STORE), ("racecheck", RACE)])
def test_a_fault_that_one_tool_finds_fails_the_pair(tool, name, log):
    tool.say(f"pair-{name}", log)
    verdict = sanitize(PAIR)
    assert (verdict.status, verdict.check) == ("failed", "sanitize")
    assert verdict.reason.startswith(name)
    assert verdict.witness["tool"] == name
    assert "pair_0.py" in verdict.witness["log"]


@pytest.mark.parametrize(
    ("name", "log", "words"),
    [
        ("canary-memcheck", CLEAN, "memcheck does not see a store out of bounds here"),
        ("canary-memcheck", UNSUPPORTED, "memcheck does not see a store out of bounds here"),
        ("masked-memcheck", STORE, "memcheck does not work here"),
        ("masked-racecheck", UNSUPPORTED, "racecheck does not work here"),
    ],
)
def test_a_tool_that_misses_a_planted_fault_or_sees_one_anywhere_is_unavailable(
    tool, name, log, words
):
    tool.say(name, log)
    verdict = sanitize(PAIR)
    assert (verdict.status, verdict.check, verdict.evidence) == ("error", "sanitize", "none")
    assert verdict.coverage == {"sanitize": "unavailable"}
    assert words in verdict.reason
    with pytest.raises(VerificationError, match=words):
        Sanitizer()


def test_without_a_gpu_it_is_unavailable(monkeypatch):
    monkeypatch.setattr("tritongen.verify.device.has_gpu", lambda: False)
    unavailable.cache_clear()
    verdict = sanitize(PAIR)
    unavailable.cache_clear()
    assert not verdict.passed
    assert verdict.coverage == {"sanitize": "unavailable"}
    assert "no GPU" in verdict.reason


def test_without_the_tool_it_is_unavailable(monkeypatch, tmp_path):
    monkeypatch.setenv("PATH", str(tmp_path))
    monkeypatch.delenv("CUDA_HOME", raising=False)
    monkeypatch.setattr(module, "_PLACES", (str(tmp_path / "cuda*" / "bin"),))
    monkeypatch.setattr("tritongen.verify.device.has_gpu", lambda: True)
    unavailable.cache_clear()
    assert find_tool() is None
    assert "not on PATH" in sanitize(PAIR).reason
    unavailable.cache_clear()
    program = tmp_path / "cuda-13" / "bin" / "compute-sanitizer"
    program.parent.mkdir(parents=True)
    program.write_text("")
    program.chmod(0o755)
    assert find_tool() == program


def test_a_hang_ends_at_the_deadline_and_is_no_success(tool):
    assert unavailable() == ""
    (tool.logs / "sleep").write_text("")
    started = time.monotonic()
    verdict = sanitize(PAIR, timeout=1.0)
    assert verdict.status == "error"
    assert verdict.reason == "memcheck: timeout after 1 s"
    assert time.monotonic() - started < 20


def test_verdicts_come_in_the_order_of_the_pairs(tool):
    tool.say("pair-racecheck", RACE)
    other = PAIR._replace(triton_code=PAIR.triton_code + "# canary, mask=\n")
    with Sanitizer(workers=2) as sanitizer:
        verdicts = list(sanitizer.stream([PAIR, other, PAIR, other]))
    assert [verdict.passed for verdict in verdicts] == [False, True, False, True]


def test_the_program_under_the_tool_calls_the_wrapper_and_some_cases(tmp_path, capsys):
    spec = {
        "python_code": "",
        "triton_code": "def wrapper(*args):\n    print('wrapper', args)\n",
        "test_code": (
            "import pytest\n\ndef get_test_inputs():\n    return (1, 2)\n\n"
            "@pytest.mark.parametrize('n', range(10))\ndef test_it(n):\n    print('case', n)\n"
        ),
        "wrapper": "wrapper",
        "cases": 3,
        "separate": False,
    }
    with ExitStack() as stack:
        for call in calls(spec, tmp_path, stack):
            call()
    said = capsys.readouterr().out.splitlines()
    assert said == ["wrapper (1, 2)", "case 1", "case 5", "case 8"]
    apart = {**spec, "separate": True, "python_code": "def wrapper(): raise ValueError\n"}
    with ExitStack() as stack:
        for call in calls(apart, tmp_path, stack):
            call()
    assert capsys.readouterr().out.splitlines() == ["wrapper (1, 2)"]


OUT_OF_BOUNDS = Sources(
    "import torch\n\n\ndef torch_copy(x):\n    return x.clone()\n",
    """
import torch
import triton
import triton.language as tl


@triton.jit
def copy_kernel(x_ptr, out_ptr, n, BLOCK: tl.constexpr):
    offsets = tl.program_id(0) * BLOCK + tl.arange(0, BLOCK)
    x = tl.load(x_ptr + offsets, mask=offsets < n)
    tl.store(out_ptr + offsets, x)


def triton_copy(x):
    out = torch.empty_like(x)
    copy_kernel[(triton.cdiv(x.numel(), 256),)](x, out, x.numel(), BLOCK=256)
    return out
""",
    "import torch\n\n\ndef get_test_inputs():\n    return (torch.ones(1000, device='cuda'),)\n",
    {"entry": {"reference": "torch_copy", "wrapper": "triton_copy"}},
)


@pytest.mark.gpu
@pytest.mark.slow
@pytest.mark.parametrize("separate", [False, True])
def test_a_store_out_of_bounds_is_found_and_without_it_the_pair_is_sanitized(
    separate: bool, tmp_path: Path
) -> None:
    missing = unavailable()
    if missing:
        pytest.skip(f"compute-sanitizer cannot be used: {missing}")
    wrong = sanitize(OUT_OF_BOUNDS, separate=separate)
    assert (wrong.status, wrong.check) == ("failed", "sanitize"), wrong
    assert "Invalid __global__ write" in wrong.reason
    masked = OUT_OF_BOUNDS.triton_code.replace("x)\n\n\ndef", "x, mask=offsets < n)\n\n\ndef")
    right = sanitize(OUT_OF_BOUNDS._replace(triton_code=masked), separate=separate)
    assert right.passed, right
    assert right.evidence == "sanitized"
    assert right.coverage["sanitized_calls"] == 1
