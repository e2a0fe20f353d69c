"""Shares, verdict and forms of a report."""

from __future__ import annotations

import json

from tritongen.mutate import MutationReport, Result
from tritongen.mutate.report import describe


def result(
    fate: str, number: int = 0, operator: str = "drop-mask", family: str = "softmax"
) -> Result:
    return Result(
        id=f"p:{operator}:{number}",
        pair="p",
        family=family,
        strategy="looped",
        operator=operator,
        line=3,
        description="a mask is gone",
        fate=fate,  # type: ignore[arg-type]
        check="memory" if fate == "killed" else "",
        reason="why",
        diff="-a\n+b" if fate == "survived" else "",
    )


def report_of(**counts: int) -> MutationReport:
    results = [result(fate, i) for fate, n in counts.items() for i in range(n)]
    return MutationReport("cpu", 0, results=results, pairs=2)


def test_the_share_killed_leaves_out_equivalents_and_what_cannot_be_judged():
    report = report_of(killed=198, survived=1, unjudged=1, equivalent=10, beyond=5)
    assert report.total.killed_share == 0.99
    assert report.total.made == 210
    assert report.total.equivalent_share == 10 / 210
    assert report.failures == []


def test_too_few_killed_is_a_failure():
    (failure,) = report_of(killed=98, survived=2).failures
    assert "98.00%" in failure


def test_too_many_equivalents_are_a_failure():
    (failure,) = report_of(killed=85, equivalent=15).failures
    assert "15.0% of the mutants are equivalent" in failure


def test_a_false_alarm_is_a_failure():
    report = report_of(killed=100)
    report.false_alarms.append({"pair": "p", "check": "test", "reason": "wrong"})
    assert report.failures == ["1 originals were refused"]


def test_an_empty_run_is_a_failure():
    assert report_of().failures == ["no mutant was made"]


def test_shares_are_counted_by_operator_and_family():
    report = report_of(killed=2)
    report.results.append(result("survived", operator="ties", family="reduction"))
    assert {k: v.killed for k, v in report.shares("operator").items()} == {
        "drop-mask": 2,
        "ties": 0,
    }
    assert report.shares("family")["reduction"].killed_share == 0.0
    assert [name for name, _ in report.rows("operator")] == ["ties", "drop-mask", "all"]
    assert report.checks == {"memory": 2}


def test_the_report_is_written_as_json(tmp_path):
    report = report_of(killed=3, survived=1)
    report.write(tmp_path / "deep" / "report.json")
    record = json.loads((tmp_path / "deep" / "report.json").read_text())
    assert record["total"]["killed"] == 3
    assert record["operators"]["drop-mask"]["killed_share"] == 0.75
    assert [s["id"] for s in record["survivors"]] == ["p:drop-mask:0"]
    assert record["failures"]
    assert len(record["results"]) == 4


def test_survivors_are_described_with_their_diff():
    text = describe(report_of(killed=3, survived=1))
    assert "survived: softmax/looped p:drop-mask:0 line 3" in text
    assert "-a\n+b" in text
    assert text.count("p:drop-mask") == 1
