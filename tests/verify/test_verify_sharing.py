"""Texts of one program share its verdict; any other text is run itself."""

from __future__ import annotations

from collections.abc import Iterator

import pytest
from verify_sources import ELEMENTWISE, Sources

from tritongen.verify import Gate, Verdict
from tritongen.verify.programs import audited, contradicted, program_key

RENAMED = Sources(
    ELEMENTWISE.python_code,
    ELEMENTWISE.triton_code.replace("offsets", "index").replace("result", "outcome"),
    ELEMENTWISE.test_code,
    ELEMENTWISE.metadata,
)
WRONG = ELEMENTWISE.change("tl.sigmoid(x) + y", "tl.sigmoid(x) - y")
HANGS = ELEMENTWISE.change(
    "    pid = tl.program_id(0)",
    "    pid = tl.program_id(0)\n    while x_ptr is not None:\n        pass",
)


@pytest.fixture(scope="module")
def auditing() -> Iterator[Gate]:
    with Gate("cpu", workers=1, interpret_only=True, audit=1.0) as gate:
        yield gate


@pytest.fixture(scope="module")
def sharing() -> Iterator[Gate]:
    with Gate("cpu", workers=1, interpret_only=True, audit=0.0) as gate:
        yield gate


def test_a_renamed_text_takes_the_verdict_of_its_program(sharing: Gate) -> None:
    first, second = sharing.stream([ELEMENTWISE, RENAMED])
    assert (first.proof, second.proof) == ("verbatim", "program")
    assert first.passed
    assert second.passed
    assert second.evidence == first.evidence
    assert second.coverage == first.coverage


def test_a_text_with_another_operator_is_run_itself(sharing: Gate) -> None:
    verdicts = list(sharing.stream([ELEMENTWISE, WRONG, RENAMED]))
    assert [verdict.passed for verdict in verdicts] == [True, False, True]
    assert [verdict.proof for verdict in verdicts] == ["verbatim", "verbatim", "program"]


def test_a_wrong_program_refuses_all_its_texts(sharing: Gate) -> None:
    renamed = Sources(
        WRONG.python_code,
        WRONG.triton_code.replace("offsets", "index"),
        WRONG.test_code,
        WRONG.metadata,
    )
    verdicts = list(sharing.stream([WRONG, renamed]))
    assert [verdict.status for verdict in verdicts] == ["failed", "failed"]
    assert verdicts[1].proof == "program"


def test_what_could_not_be_judged_says_nothing_of_another_text() -> None:
    renamed = Sources(
        HANGS.python_code,
        HANGS.triton_code.replace("offsets", "index"),
        HANGS.test_code,
        HANGS.metadata,
    )
    with Gate("cpu", workers=1, interpret_only=True, timeout=4.0) as gate:
        verdicts = list(gate.stream([HANGS, renamed]))
    assert [verdict.status for verdict in verdicts] == ["error", "error"]
    assert [verdict.proof for verdict in verdicts] == ["verbatim", "verbatim"]


def test_an_audited_text_is_run_besides(auditing: Gate) -> None:
    first, second = auditing.stream([ELEMENTWISE, RENAMED])
    assert (first.proof, second.proof) == ("verbatim", "audited")
    assert second.seconds > 0


def test_without_sharing_every_text_is_run() -> None:
    with Gate("cpu", workers=1, interpret_only=True, share=False) as gate:
        verdicts = list(gate.stream([ELEMENTWISE, RENAMED]))
    assert [verdict.proof for verdict in verdicts] == ["verbatim", "verbatim"]


def test_verdicts_come_in_the_order_of_the_pairs(sharing: Gate) -> None:
    pairs = [ELEMENTWISE, RENAMED, WRONG] * 5
    assert [verdict.passed for verdict in sharing.stream(pairs)] == [True, True, False] * 5


def test_other_demands_are_another_program() -> None:
    key = program_key(ELEMENTWISE)
    assert key == program_key(RENAMED)
    entry = {"reference": "torch_silu_add", "wrapper": "triton_silu_add"}
    assert program_key(ELEMENTWISE.with_metadata(entry=entry)) != key
    assert program_key(ELEMENTWISE.with_metadata(requires=["sm_90"])) != key
    assert program_key(ELEMENTWISE.with_metadata(style="short")) == key


def test_a_text_without_normal_form_shares_nothing(sharing: Gate) -> None:
    dynamic = Sources(
        ELEMENTWISE.python_code + "\n\nexec('unused = 1')\n",
        ELEMENTWISE.triton_code,
        ELEMENTWISE.test_code,
        ELEMENTWISE.metadata,
    )
    assert program_key(dynamic) is None
    assert [v.proof for v in sharing.stream([dynamic, dynamic])] == ["verbatim", "verbatim"]


def test_the_audited_share_is_what_was_asked_for() -> None:
    texts = [Sources(str(i), "", "") for i in range(4000)]
    share = sum(audited(text, 0.1) for text in texts) / len(texts)
    assert 0.08 < share < 0.12
    assert not any(audited(text, 0.0) for text in texts)
    assert all(audited(text, 1.0) for text in texts)


def test_an_audit_that_fails_says_that_its_program_passed() -> None:
    found = contradicted(Verdict("passed"), Verdict("failed", "wrong", "test"))
    assert (found.status, found.proof) == ("failed", "audited")
    assert "the program passed" in found.reason
