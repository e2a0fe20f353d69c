"""Judging one file in the three-block form, on the CPU."""

from __future__ import annotations

import pytest

from tritongen.candidate import candidate, check_file
from tritongen.errors import InputFileError

PYTHON = """def twice(x):
    return torch.mul(x, 2)
"""
TRITON = """@triton.jit
def twice_kernel(x_ptr, out_ptr, n, BLOCK: tl.constexpr):
    offsets = tl.program_id(0) * BLOCK + tl.arange(0, BLOCK)
    mask = offsets < n
    x = tl.load(x_ptr + offsets, mask=mask)
    tl.store(out_ptr + offsets, x * 2, mask=mask)


def twice_triton(x):
    out = torch.empty_like(x)
    twice_kernel[(triton.cdiv(x.numel(), 64),)](x, out, x.numel(), BLOCK=64)
    return out
"""
TEST = """def get_test_inputs():
    return (torch.randn(200, device="cuda"),)
"""


def blocks(python: str = PYTHON, triton: str = TRITON, test: str = TEST) -> str:
    sources = {"PYTHON": python, "TRITON": triton, "TEST": test}
    return "\n".join([f"# <{name}>\n{text}# </{name}>" for name, text in sources.items()])


@pytest.fixture
def check(tmp_path):
    def judge(*sources: str, **named: str):
        path = tmp_path / "candidate.py"
        path.write_text(blocks(*sources, **named))
        return check_file(path, device="cpu")

    return judge


def test_a_right_candidate_is_right(check):
    found = check()
    assert (found["status"], found["correct"], found["reason"]) == ("SUCCESS", True, "")
    assert found["evidence"] == "interpreted"
    assert set(found["targets"].values()) == {"ok"}
    assert found["environment"]["torch"]


def test_a_wrong_candidate_is_wrong_and_says_how_many(check):
    found = check(triton=TRITON.replace("x * 2", "x * 2 + (offsets == 7)"))
    assert (found["status"], found["correct"]) == ("SUCCESS", False)
    assert "1 of 200 elements" in found["reason"]


def test_an_error_of_one_part_in_a_thousand_is_wrong(check):
    assert check(triton=TRITON.replace("x * 2", "x * 2.002"))["correct"] is False


def test_a_tail_that_is_left_out_is_wrong(check):
    found = check(triton=TRITON.replace("triton.cdiv(x.numel(), 64)", "x.numel() // 64"))
    assert found["correct"] is False


def test_reference_and_wrapper_may_share_a_name(check):
    same = TRITON.replace("twice_triton", "twice")
    assert check(triton=same)["correct"] is True
    assert check(triton=same.replace("x * 2", "x * 3"))["correct"] is False


def test_a_helper_of_one_name_on_both_sides_does_not_replace_that_of_the_reference(check):
    python = "def scale(x):\n    return x * 2\n\n\ndef reference(x):\n    return scale(x)\n"
    triton = TRITON.replace("twice_triton", "scale").replace("x * 2", "x * 3")
    triton += "\n\ndef wrapper(x):\n    return scale(x)\n"
    assert check(python, triton)["correct"] is False
    assert check(python, triton.replace("x * 3", "x * 2"))["correct"] is True


def test_constants_of_one_block_serve_the_others(check):
    assert check("N = 200\n\n\n" + PYTHON, test=TEST.replace("200", "N"))["correct"] is True


def test_a_reference_that_raises_is_no_judgement(check):
    found = check("def twice(x):\n    raise ValueError('not today')\n")
    assert found["correct"] is False
    assert "not today" in found["reason"]


def test_a_reference_that_takes_no_float64_is_compared_in_its_own_dtype(check):
    python = "def twice(x):\n    assert x.dtype == torch.float32\n    return x * 2\n"
    assert check(python)["correct"] is True
    assert check(python, TRITON.replace("x * 2", "x * 2.01"))["correct"] is False


def test_a_result_of_another_dtype_is_wrong(check):
    wide = TRITON.replace("empty_like(x)", "empty_like(x, dtype=torch.float64)")
    found = check(triton=wide)
    assert found["correct"] is False
    assert "dtype torch.float64, expected torch.float32" in found["reason"]


def test_a_result_of_another_shape_is_wrong(check):
    found = check(triton=TRITON.replace("return out", "return out.view(2, 100)"))
    assert found["correct"] is False
    assert "shape (2, 100), expected (200,)" in found["reason"]


def test_integer_results_are_compared_exactly(check):
    test = TEST.replace("torch.randn(200", "torch.arange(2**24, 2**24 + 200")
    assert check(test=test)["correct"] is True
    found = check(triton=TRITON.replace("x * 2", "x * 2 + (offsets == 7)"), test=test)
    assert found["correct"] is False
    assert "integer or boolean results differ" in found["reason"]


def test_several_results_are_all_compared(check):
    python = "def twice(x):\n    return x * 2, x\n"
    assert check(python, TRITON.replace("return out", "return out, x"))["correct"] is True
    assert check(python, TRITON.replace("return out", "return out, out"))["correct"] is False
    assert check(python)["correct"] is False


def test_half_precision_is_held_to_one_rounding(check):
    test = TEST.replace('device="cuda"', 'device="cuda", dtype=torch.float16')
    assert check(test=test)["correct"] is True
    assert check(triton=TRITON.replace("x * 2", "x * 2.02"), test=test)["correct"] is False


def test_infinities_stand_where_the_reference_has_them(check):
    python = "def twice(x):\n    return x * 2 / (x != x[0])\n"
    held = TRITON.replace("x * 2,", 'tl.where(offsets == 0, x * float("inf"), x * 2),')
    assert check(python, held)["correct"] is True
    assert check(python)["correct"] is False


@pytest.mark.parametrize(
    ("sources", "message"),
    [
        ({"python": "x = 1\n"}, r"PYTHON: one top-level function .*: \[\]"),
        ({"python": PYTHON + "\n\ndef other(x):\n    return x\n"}, r"\['twice', 'other'\]"),
        ({"triton": "def twice_triton(x:\n"}, r"TRITON: does not parse \(line \d+"),
        ({"python": "def twice(x)\n"}, r"PYTHON: does not parse \(line \d+"),
        ({"test": "inputs = ()\n"}, r"does not define get_test_inputs"),
    ],
)
def test_a_file_that_is_not_in_the_form_is_refused(sources, message):
    with pytest.raises(InputFileError, match=rf"some\.py: ?.*{message}"):
        candidate(blocks(**sources), "some.py")


@pytest.mark.parametrize("name", ["PYTHON", "TRITON", "TEST"])
def test_a_missing_block_is_named(name):
    with pytest.raises(InputFileError, match=rf"blocks are missing: \['{name}'\]"):
        candidate(blocks().replace(f"<{name}>", "<OTHER>"), "some.py")


def test_a_half_written_file_names_the_blocks_that_are_missing():
    text = blocks()
    with pytest.raises(InputFileError, match=r"\['TRITON', 'TEST'\]"):
        candidate(text[: text.index("twice_kernel[")], "some.py")


def test_a_file_that_cannot_be_read_is_named(tmp_path):
    with pytest.raises(InputFileError, match=r"none\.py: cannot be read"):
        check_file(tmp_path / "none.py")
    (tmp_path / "bytes.py").write_bytes(b"\xff\xfe")
    with pytest.raises(InputFileError, match=r"bytes\.py: cannot be read"):
        check_file(tmp_path / "bytes.py")
