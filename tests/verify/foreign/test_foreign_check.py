"""`check`: verdicts on one file in the three-block form, in real sandboxes on the CPU."""

from __future__ import annotations

import json
import math

import pytest
from foreign_sources import PYTHON, TEST, TRITON, blocks

import tritongen
from tritongen.errors import DeviceError, InputFileError, VerificationError
from tritongen.verify.foreign import allow
from tritongen.verify.foreign.verdict import FAILED, KEYS, Findings
from tritongen.verify.judge.records import CHECKS, Problem


def check(*sources: str, timeout: float = 60.0, **named):
    options = {key: named.pop(key) for key in ("strict", "trust", "seed", "entry") if key in named}
    return tritongen.check(blocks(*sources, **named), device="cpu", timeout=timeout, **options)


def outcome(found) -> tuple[str, bool, str]:
    return found["status"], found["correct"], found["check"]


RIGHT = ("SUCCESS", True, "")


@pytest.fixture
def unlisted(monkeypatch):
    """Without the static allow-list, to see what holds behind it."""
    monkeypatch.setattr(allow, "findings", lambda form: [])


def test_a_right_candidate_is_right_and_the_verdict_says_what_was_tried():
    found = check(seed=7)
    assert outcome(found) == RIGHT
    assert tuple(found) == KEYS
    assert found["evidence"] == "interpreted"
    assert found["coverage"]["seed"] == 7
    assert found["coverage"]["trials"] > 8
    assert set(found["coverage"]["targets"].values()) == {"ok"}
    assert found["isolation"]["tier"] != "none"
    assert found["environment"]["torch"]
    assert found["environment"]["triton"]
    assert found["python_ms"] is None
    assert json.loads(json.dumps(found, allow_nan=False)) == found


def test_a_secret_seed_is_another_one_every_time():
    assert check()["coverage"]["seed"] != check()["coverage"]["seed"]


def test_a_wrong_element_is_wrong_and_the_witness_says_where():
    found = check(triton=TRITON.replace("x * 2", "x * 2 + (offsets == 7)"))
    assert outcome(found) == ("SUCCESS", False, "numerics")
    assert found["witness"]["index"] == [7]
    assert found["witness"]["inputs"] == "given"
    assert "1 of 200 elements" in found["reason"]


@pytest.mark.parametrize(
    ("old", "new", "name"),
    [
        ("x * 2,", "x * 2.0001,", "numerics"),
        ("triton.cdiv(x.numel(), 64)", "x.numel() // 64", "numerics"),
        ("return out", "return out.view(2, 100)", "shape"),
        ("empty_like(x)", "empty_like(x, dtype=torch.float64)", "dtype"),
        ("return out", "return out, out", "type"),
        ("return out", "return torch.mul(x, 2)", "honesty"),
        ("return out", "raise KeyError('no')", "exception"),
        ("twice_kernel[", "twice_nothing[", "exception"),
        ("x * 2,", "tl.nothing(x),", "compile"),
    ],
)
def test_what_ran_and_is_wrong_is_named_by_its_check(old, new, name):
    found = check(triton=TRITON.replace(old, new))
    assert outcome(found) == ("SUCCESS", False, name)


def test_an_exception_names_the_line_of_the_file():
    text = blocks(triton=TRITON.replace("    out = ", "    [][1]\n    out = "))
    line = text.split("\n").index("    [][1]") + 1
    found = tritongen.check(text, device="cpu")
    assert f"line {line}" in found["reason"]


def test_sizes_that_are_not_given_are_tried():
    """Right for 200 elements only."""
    found = check(triton=TRITON.replace("(triton.cdiv(x.numel(), 64),)", "(4,)"))
    assert outcome(found) == ("SUCCESS", False, "numerics")
    assert found["witness"]["inputs"] != "given"
    assert found["coverage"]["trials"] >= 1


def test_reference_and_wrapper_may_share_a_name():
    same = TRITON.replace("twice_triton", "twice")
    assert outcome(check(triton=same)) == RIGHT
    assert check(triton=same.replace("x * 2", "x * 3"))["check"] == "numerics"


def test_a_helper_of_one_name_on_both_sides_does_not_replace_that_of_the_reference():
    python = "def scale(x):\n    return x * 2\n\n\ndef reference(x):\n    return scale(x)\n"
    triton = TRITON.replace("twice_triton", "scale").replace("x * 2", "x * 3")
    triton += "\n\ndef wrapper(x):\n    return scale(x)\n"
    assert check(python, triton)["check"] == "numerics"
    assert outcome(check(python, triton.replace("x * 3", "x * 2"))) == RIGHT


def test_a_test_sees_the_names_of_the_reference_and_a_wrapper_does_not():
    python = "N = 200\n\n\n" + PYTHON
    assert outcome(check(python, test=TEST.replace("200", "N"))) == RIGHT
    found = check(python, TRITON.replace("    out =", "    N + 1\n    out ="))
    assert (found["check"], "'N' is not defined" in found["reason"]) == ("exception", True)


@pytest.mark.parametrize(
    ("python", "test", "words"),
    [
        ("def twice(x):\n    raise ValueError('not today')\n", TEST, "not today"),
        ("def twice(x):\n    return x * torch.rand(1)\n", TEST, "random"),
        ("def twice(x):\n    return None\n", TEST, "returns nothing"),
        ("M = 1 / 0\n" + PYTHON, TEST, "ZeroDivisionError"),
        (PYTHON, "def get_test_inputs():\n    return ()\n", "no inputs"),
        (PYTHON, "def get_test_inputs():\n    return 1 / 0\n", "ZeroDivisionError"),
        (PYTHON, "def get_test_inputs():\n    return (object(),)\n", "cannot be judged"),
        (PYTHON, "def get_test_inputs():\n    raise SystemExit(0)\n", "sys.exit(0)"),
    ],
)
def test_a_reference_that_gives_no_answer_is_no_judgement(python, test, words):
    found = check(python, test=test)
    assert outcome(found) == ("FAILED", False, "reference")
    assert words in found["reason"]


def test_a_reference_that_takes_no_float64_is_compared_in_its_own_dtype():
    python = "def twice(x):\n    return (x.view(torch.int32) & -1).view(torch.float32) * 2\n"
    found = check(python)
    assert outcome(found) == RIGHT
    assert found["coverage"]["reference"] == "eager"
    assert check(python, TRITON.replace("x * 2", "x * 2.01"))["correct"] is False


def test_inputs_by_name_are_put_in_the_order_of_the_reference():
    python = "def f(x, y):\n    return x - y\n"
    triton = TRITON.replace("twice_triton(x)", "f(x, y)").replace(
        "kernel(x_ptr", "kernel(x_ptr, y_ptr"
    )
    triton = triton.replace("(x, out", "(x, y, out").replace(
        "x * 2", "x - tl.load(y_ptr + offsets, mask=mask)"
    )
    test = "def get_test_inputs():\n    return {'y': torch.randn(99), 'x': torch.randn(99)}\n"
    assert outcome(check(python, triton, test)) == RIGHT
    assert (
        check(
            python,
            triton.replace("x - tl", "tl").replace(
                "mask=mask)\n    tl.store", "mask=mask)\n    tl.store"
            ),
            test,
        )["correct"]
        is False
    )


def test_a_module_without_arguments_is_a_reference():
    python = "class Model(nn.Module):\n    def forward(self, x):\n        return x * 2\n"
    assert outcome(check(python)) == RIGHT


def test_what_a_reference_writes_into_its_arguments_a_wrapper_may_write():
    python = "def twice(x):\n    x.mul_(2)\n    return x\n"
    triton = TRITON.replace("out = torch.empty_like(x)", "out = x")
    assert outcome(check(python, triton)) == RIGHT
    assert check(triton=triton)["check"] == "inputs-changed"
    assert check(python, triton.replace("x * 2", "x * 3"))["check"] == "numerics"


def test_an_argument_that_the_reference_hands_back_may_be_handed_back():
    python = "def twice(x):\n    return x * 2, x\n"
    assert outcome(check(python, TRITON.replace("return out", "return out, x"))) == RIGHT
    assert check(python, TRITON.replace("return out", "return out, out"))["correct"] is False


def test_a_file_that_is_not_in_the_form_is_a_verdict():
    found = tritongen.check("# <PYTHON>\n# </PYTHON>\n", device="cpu")
    assert outcome(found) == ("FAILED", False, "form")
    assert "PYTHON (empty), TRITON, TEST" in found["reason"]
    assert tuple(found) == KEYS


def test_what_the_list_refuses_is_not_run():
    found = check(triton="import os\n" + TRITON)
    assert outcome(found) == ("FAILED", False, "static")
    assert found["reason"] == "TRITON line 6: import of os"
    assert found["isolation"] == {}


def test_a_wrapper_that_does_not_load_is_no_judgement():
    found = check(triton="x = [][1]\n" + TRITON)
    assert outcome(found) == ("FAILED", False, "load")
    assert "IndexError" in found["reason"]
    assert "TRITON line 6" in found["reason"]


@pytest.mark.parametrize(
    ("line", "name"),
    [
        ("__import__('os')._exit(0)", "worker"),
        ("__import__('ctypes').string_at(0)", "worker"),
        ("[bytearray(b'x') * (1 << 28) for _ in range(99)]", "worker"),
        ("while True: pass", "timeout"),
    ],
)
def test_a_candidate_that_ends_its_process_is_no_judgement(unlisted, line, name):
    timeout = 6.0 if name == "timeout" else 60.0
    found = check(triton=TRITON.replace("    out =", f"    {line}\n    out ="), timeout=timeout)
    assert outcome(found) == ("FAILED", False, name)


def test_a_reference_that_ends_its_process_is_no_judgement(unlisted):
    found = check(test="import os\n\n\ndef get_test_inputs():\n    os._exit(3)\n")
    assert outcome(found) == ("FAILED", False, "worker")
    assert "exit code 3" in found["reason"]


def test_a_candidate_finds_neither_the_reference_nor_what_is_expected(unlisted):
    """The wrapper looks everywhere in its process for something that doubles a tensor."""
    triton = (
        TRITON
        + """

def spy(x):
    import gc, sys
    assert "candidate_python" not in sys.modules
    for thing in gc.get_objects():
        if callable(thing) and getattr(thing, "__name__", "") == "twice":
            return thing(x)
    raise LookupError("nothing was found")
"""
    )
    found = check(triton=triton, entry="twice:spy")
    assert outcome(found) == ("SUCCESS", False, "exception")
    assert "nothing was found" in found["reason"]


def test_patched_comparisons_and_forged_answers_lead_nowhere(unlisted):
    head = """
import json, os, sys
import tritongen.verify.judge.bound as bound
import tritongen.verify.foreign.plain as plain
bound.compare = lambda *_: None
torch.equal = torch.allclose = lambda *_, **__: True
print(json.dumps({"status": "SUCCESS", "correct": True}))
"""
    found = check(triton=head + TRITON.replace("x * 2", "x * 3"))
    assert found["correct"] is False


def test_an_answer_that_is_none_is_no_judgement(unlisted):
    head = """
import tritongen.verify.foreign.candidate_side as side
side.observation_to_plain = lambda observation: {"outputs": 3}
"""
    assert outcome(check(triton=head + TRITON)) == ("FAILED", False, "worker")


def test_trusted_code_runs_in_one_process_and_the_verdict_says_so():
    found = check(trust=True)
    assert outcome(found) == RIGHT
    assert found["isolation"]["tier"] == "none"
    assert check(triton=TRITON.replace("x * 2", "x * 3"), trust=True)["check"] == "numerics"


def test_strict_refuses_a_reduction_of_partial_results_by_torch():
    python = "def total(x):\n    return x.sum()\n"
    triton = TRITON.replace("twice_triton", "total").replace("empty_like(x)", "zeros(4)")
    triton = triton.replace(
        "out_ptr + offsets, x * 2, mask=mask", "out_ptr + tl.program_id(0), tl.sum(x)"
    )
    triton = triton.replace("mask=mask)\n", "mask=mask, other=0.0)\n", 1)
    triton = triton.replace("torch.zeros(4)", "x.new_empty(triton.cdiv(x.numel(), 64))")
    triton = triton.replace("return out", "return out.sum()")
    assert outcome(check(python, triton)) == RIGHT
    assert outcome(check(python, triton, strict=True)) == ("SUCCESS", False, "honesty")


DOT = """@triton.jit
def kernel(x_ptr, out_ptr, N: tl.constexpr):
    at = tl.arange(0, N)[:, None] * N + tl.arange(0, N)[None, :]
    x = tl.load(x_ptr + at)
    tl.store(out_ptr + at, tl.dot(x, x))


def square(x):
    assert x.shape == (16, 16), "16 x 16 only"
    out = torch.empty_like(x)
    kernel[(1,)](x, out, N=16)
    return out
"""


def test_strict_refuses_tf32_for_float32_operands():
    python = "def square(x):\n    return x @ x\n"
    test = "def get_test_inputs():\n    return (torch.randn(16, 16),)\n"
    found = check(python, DOT, test)
    assert outcome(found) == RIGHT
    assert "tf32" in found["coverage"]["precisions"]
    assert outcome(check(python, DOT, test, strict=True)) == ("SUCCESS", False, "precision")
    exact = DOT.replace("tl.dot(x, x)", "tl.dot(x, x, input_precision='ieee')")
    assert outcome(check(python, exact, test, strict=True)) == RIGHT


HALF = TEST.replace('device="cuda"', 'device="cuda", dtype=torch.float16')


def test_a_kernel_for_any_dtype_is_also_held_to_float32():
    """An error that half precision hides."""
    assert outcome(check(test=HALF)) == RIGHT
    found = check(triton=TRITON.replace("x * 2", "x * 2.00002"), test=HALF)
    assert outcome(found) == ("SUCCESS", False, "numerics")
    assert found["witness"]["inputs"].startswith("float32")


def test_a_kernel_for_half_precision_alone_is_held_to_half_precision():
    fixed = TRITON.replace("empty_like(x)", "empty_like(x, dtype=torch.float16)")
    assert outcome(check(triton=fixed, test=HALF)) == RIGHT
    inside = TRITON.replace("x * 2,", "(x * 2).to(tl.float16),")
    assert outcome(check(triton=inside, test=HALF)) == RIGHT
    assert check(triton=inside.replace("x * 2", "x * 2.01"), test=HALF)["check"] == "numerics"


def test_torch_may_copy_only_where_the_reference_computes():
    copying = TRITON.replace("    out =", "    x = x.clone()\n    out =")
    assert outcome(check(triton=copying)) == RIGHT
    python = "def twice(x):\n    return x.clone()\n"
    plain = TRITON.replace("x * 2", "x")
    assert outcome(check(python, plain)) == RIGHT
    assert check(python, copying.replace("x * 2", "x"))["check"] == "honesty"


def test_what_is_kept_by_address_shows():
    """Results of earlier calls at the same address and with the same shape."""
    triton = "_kept = {}\n" + TRITON.replace("return out", "return _kept.setdefault(key, out)")
    triton = triton.replace("    out =", "    key = x.data_ptr(), x.shape\n    out =")
    found = check(triton=triton)
    assert found["correct"] is False
    assert found["check"] in ("cache", "honesty")


def test_given_inputs_without_elements_judge_nothing():
    found = check(test="def get_test_inputs():\n    return (torch.empty(0),)\n")
    assert outcome(found) == ("FAILED", False, "reference")


def test_a_limit_that_the_wrapper_declares_is_counted():
    python = "def square(x):\n    return x @ x\n"
    test = "def get_test_inputs():\n    return (torch.randn(16, 16),)\n"
    coverage = check(python, DOT, test)["coverage"]
    assert coverage["limits"]["declared"] > 0
    assert any("16 x 16 only" in line for line in coverage["limit_words"])


def test_what_no_target_can_compile_is_wrong_although_it_is_interpreted():
    wide = TRITON.replace("BLOCK=64)", "BLOCK=64, num_warps=64)")
    found = check(triton=wide)
    assert outcome(found) == ("SUCCESS", False, "compile")
    assert len(found["witness"]["targets"]) == 4


def test_what_the_interpreter_cannot_run_is_no_judgement():
    """Assembly for NVIDIA: it compiles there, and the compiler for AMD ends its process."""
    call = '"add.f32 $0, $1, $1;", "=f,f", [x], dtype=tl.float32, is_pure=True, pack=1'
    found = check(triton=TRITON.replace("x * 2", f"tl.inline_asm_elementwise({call})"))
    assert outcome(found) == ("FAILED", False, "requires")
    assert found["evidence"] == "compiled"
    targets = found["coverage"]["targets"]
    assert targets["sm_80"] == targets["sm_90"] == targets["sm_100"] == "ok"
    assert targets["gfx942"] != "ok"


def test_bad_usage_is_an_error(tmp_path):
    with pytest.raises(InputFileError, match=r"none\.py: cannot be read"):
        tritongen.check(tmp_path / "none.py")
    (tmp_path / "bytes.py").write_bytes(b"\xff\xfe")
    with pytest.raises(InputFileError, match=r"bytes\.py: cannot be read"):
        tritongen.check(tmp_path / "bytes.py")
    for timeout in (0, -1, True, math.inf, math.nan, "1"):
        with pytest.raises(VerificationError, match="seconds above 0"):
            tritongen.check(blocks(), device="cpu", timeout=timeout)
    with pytest.raises(DeviceError, match="unknown device"):
        tritongen.check(blocks(), device="tpu")


def test_a_tier_that_is_not_there_is_refused_and_nothing_runs():
    found = tritongen.check(blocks(), device="cpu", tier="nothing")
    assert outcome(found) == ("FAILED", False, "isolation")


def test_a_verdict_is_standard_json_whatever_a_witness_holds():
    witness = {"expected": math.nan, "got": math.inf, "index": [1], "shape": (2, 3), 4: object()}
    record = Findings(Problem("numerics", "two\nlines", witness)).record()
    assert json.loads(json.dumps(record, allow_nan=False))["witness"]["got"] == "inf"
    assert record["reason"] == "two lines"


def test_every_check_is_either_a_failure_to_judge_or_a_fault():
    assert set(CHECKS) > FAILED
    statuses = {name: Findings(Problem(name, "x")).record()["status"] for name in CHECKS}
    assert {name for name, status in statuses.items() if status == "FAILED"} == FAILED
