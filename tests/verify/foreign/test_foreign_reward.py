"""`reward`: a score for a completion; never raises, owns its deadline."""

from __future__ import annotations

import json
import os
import subprocess
import sys
import threading
import time

import pytest
from foreign_sources import PYTHON, TEST, TRITON, blocks

import tritongen
from tritongen.verify.foreign import allow
from tritongen.verify.foreign.reward import CHEATS, WEIGHTS, Reward, parts_of
from tritongen.verify.judge.records import CHECKS

FENCED = f"Certainly.\n\n```python\n{TRITON}```\n"


def reward(completion: object = FENCED, python: object = PYTHON, **options: object) -> Reward:
    options.setdefault("test_inputs", TEST)
    return tritongen.reward(python, completion, device="cpu", **options)  # type: ignore[arg-type]


def test_a_right_completion_scores_one():
    found = reward()
    assert found.score == 1.0
    assert found.parts == WEIGHTS
    assert found.verdict["correct"] is True
    json.dumps(found.verdict, allow_nan=False)


@pytest.mark.parametrize(
    ("old", "new", "score", "check"),
    [
        ("x * 2,", "x * 3,", 0.3, "numerics"),
        ("(triton.cdiv(x.numel(), 64),)", "(4,)", 0.4, "numerics"),
        ("return out", "return out.double()", 0.2, "dtype"),
        ("return out", "return out, out", 0.2, "type"),
        ("x * 2,", "tl.nothing(x),", 0.1, "compile"),
        ("return out", "raise KeyError", 0.1, "exception"),
        ("return out", "return torch.mul(x, 2)", 0.0, "honesty"),
        ("    twice_kernel", "    out = x * 2\n    return out\n    twice_kernel", 0.0, "launch"),
        ("@triton.jit", "import os\n@triton.jit", 0.0, "static"),
        ("@triton.jit", "x = 1 / 0\n@triton.jit", 0.0, "load"),
        ("def twice_triton(x):", "def twice_triton(x)", 0.0, "form"),
    ],
)
def test_a_wrong_completion_scores_for_how_far_it_comes(old, new, score, check):
    found = reward(FENCED.replace(old, new))
    assert (found.score, found.verdict["check"]) == (score, check)
    assert sum(found.parts.values()) == pytest.approx(score)


def test_weights_add_up_and_a_wrong_candidate_stays_far_from_one():
    assert sum(WEIGHTS.values()) == pytest.approx(1.0)
    for check in CHECKS:
        for trials in (0, 5):
            verdict = {"status": "SUCCESS", "correct": False, "check": check}
            score = sum(parts_of({**verdict, "coverage": {"trials": trials}}).values())
            assert score <= 0.4 + 1e-9
            assert score == 0 or check not in CHEATS


def test_what_is_not_judged_scores_nothing_however_far_it_came():
    verdict = {"status": "FAILED", "correct": False, "check": "timeout", "coverage": {"trials": 9}}
    assert sum(parts_of(verdict).values()) == 0


def test_a_completion_does_not_choose_its_own_test():
    easy = blocks(triton=TRITON.replace("x * 2", "x * 3"), test=TEST.replace("randn", "zeros"))
    assert reward(easy).verdict["check"] == "numerics"
    assert reward(easy, python=PYTHON + TEST, test_inputs=None).verdict["check"] == "numerics"
    assert reward(blocks(), test_inputs=None).verdict["check"] == "form"
    changed = blocks(
        python="def twice(x):\n    return x * 3\n", triton=TRITON.replace("x * 2", "x * 3")
    )
    assert reward(changed).verdict["check"] == "numerics"


def test_inputs_may_be_given_as_tensors():
    torch = pytest.importorskip("torch")
    assert reward(test_inputs=[torch.randn(77)]).score == 1.0
    assert reward(FENCED.replace("x * 2,", "x * 3,"), test_inputs=(torch.randn(77),)).score == 0.3
    assert reward(test_inputs=[]).verdict["check"] == "form"


def test_a_reference_in_blocks_brings_its_test():
    text = blocks(triton="x = 1\n")
    assert reward(python=text, test_inputs=None).score == 1.0


def test_a_module_with_inputs_of_its_own_is_a_reference():
    python = "class Model(nn.Module):\n    def forward(self, x):\n        return x * 2\n\n\n"
    python += "def get_inputs():\n    return [torch.randn(50)]\n\n\ndef get_init_inputs():\n    return []\n"
    assert reward(python=python, test_inputs=None).score == 1.0


@pytest.mark.parametrize(
    ("python", "completion", "options"),
    [
        (None, FENCED, {}),
        (PYTHON, None, {}),
        (PYTHON, b"bytes", {}),
        ("", "", {}),
        ("\0", "\0", {}),
        ("(" * 10_000, "(" * 10_000, {}),
        (PYTHON, FENCED, {"timeout": 0}),
        (PYTHON, FENCED, {"timeout": None}),
        (PYTHON, FENCED, {"test_inputs": 3}),
        (PYTHON, FENCED, {"test_inputs": [object()]}),
        (PYTHON, FENCED, {"test_inputs": "("}),
        (PYTHON, FENCED, {"entry": 3}),
        (PYTHON, FENCED, {"entry": "a:b:c"}),
        (PYTHON, FENCED, {"tier": "nothing"}),
        (PYTHON, FENCED, {"seed": "x"}),
        (PYTHON, "```python\n" + "x = " + "-" * 100_000 + "1\n```", {}),
        (PYTHON, "\ud800" + FENCED.replace("x * 2", "x * '\ud800'"), {}),
    ],
)
def test_nothing_that_it_is_given_makes_it_raise(python, completion, options):
    found = reward(completion, python, **options)
    assert found.score == 0.0
    assert found.verdict["status"] == "FAILED"
    json.dumps(found.verdict, allow_nan=False)


def test_an_unknown_device_is_a_verdict():
    found = tritongen.reward(PYTHON, FENCED, test_inputs=TEST, device="tpu")
    assert (found.score, found.verdict["check"]) == (0.0, "requires")


def test_it_ends_in_time(monkeypatch):
    monkeypatch.setattr(allow, "findings", lambda form: [])
    reward()
    began = time.monotonic()
    found = reward(FENCED.replace("    out =", "    while True: pass\n    out ="), timeout=3.0)
    assert time.monotonic() - began < 6.0
    assert (found.score, found.verdict["check"]) == (0.0, "timeout")


def test_calls_from_several_threads_do_not_mix():
    codes = [FENCED, FENCED.replace("x * 2,", "x * 3,"), FENCED.replace("return out", "return x")]
    found: dict[int, Reward] = {}

    def call(number: int) -> None:
        found[number] = reward(codes[number % 3])

    threads = [threading.Thread(target=call, args=(number,)) for number in range(6)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    said = [(found[number].score, found[number].verdict["reason"]) for number in range(6)]
    assert [score for score, _ in said] == [1.0, 0.3, 0.0] * 2, said


def test_settings_of_the_caller_do_not_reach_the_judge():
    torch = pytest.importorskip("torch")
    before = torch.random.get_rng_state()
    with torch.inference_mode(), torch.device("meta"):
        assert reward().score == 1.0
    torch.set_default_dtype(torch.float64)
    try:
        assert reward().score == 1.0
    finally:
        torch.set_default_dtype(torch.float32)
    assert torch.equal(before, torch.random.get_rng_state())


def test_a_forked_process_starts_anew():
    reward()
    read, write = os.pipe()
    pid = os.fork()
    if pid == 0:
        try:
            os.write(write, str(reward().score).encode())
        finally:
            os._exit(0)
    os.close(write)
    with os.fdopen(read) as stream:
        assert stream.read() == "1.0"
    os.waitpid(pid, 0)
    assert reward().score == 1.0


def test_a_process_that_ends_leaves_no_other_behind():
    code = (
        "import tritongen, sys\n"
        "from tritongen.verify.foreign.zygotes import _SHARED\n"
        f"r = tritongen.reward({PYTHON!r}, {FENCED!r}, test_inputs={TEST!r}, device='cpu')\n"
        "print(r.score, *[z.pid for s in _SHARED.values() for z in s._made.values()])\n"
    )
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, timeout=120)
    score, *pids = done.stdout.split()
    assert (score, len(pids)) == ("1.0", 2), done.stderr
    for pid in map(int, pids):
        with pytest.raises(ProcessLookupError):
            os.kill(pid, 0)


def test_importing_tritongen_loads_neither_torch_nor_triton():
    code = (
        "import sys, tritongen, tritongen.verify\n"
        "tritongen.reward, tritongen.check, tritongen.Reward\n"
        "print(sorted({'torch', 'triton', 'numpy'} & set(sys.modules)))"
    )
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True)
    assert done.stdout.strip() == "[]", done.stderr
