"""A run: originals first, kills by check, survivors looked at closer, a ledger to go on from."""

from __future__ import annotations

import json
from dataclasses import replace
from typing import ClassVar

import pytest
from click.testing import CliRunner
from mutation_sources import SCALE, pair_of

from tritongen.cli import main
from tritongen.errors import UnknownNameError, VerificationError
from tritongen.mutate import mutate
from tritongen.mutate import run as run_module
from tritongen.verify.verdict import Verdict

PASSED = Verdict("passed", evidence="interpreted", seconds=0.01)


class FakeGate:
    """A gate that lets through what `lets` says, and keeps what it was given."""

    asked: ClassVar[list] = []

    def __init__(self, device, *, workers=None, timeout=120.0, **options):
        self.device = "cpu"
        self.interpret_only = options["interpret_only"]

    def __enter__(self):
        return self

    def __exit__(self, *_):
        pass

    def stream(self, pairs, *, timeout=None):
        for pair in pairs:
            FakeGate.asked.append((pair.id, self.interpret_only))
            yield self.verdict(pair)

    def verdict(self, pair):
        return (
            PASSED if ":" not in pair.id else Verdict("failed", "wrong", "numerics", seconds=0.02)
        )


class FakeReferee:
    """A referee for which every mutant differs."""

    def close(self):
        pass

    def decide(self, mutant):
        from tritongen.mutate import Equivalence

        return Equivalence("equal" in mutant.description, "element 0: 1.0 for 2.0")


@pytest.fixture
def gate(monkeypatch):
    """The fakes in place; tests set `gate.verdict`."""
    monkeypatch.setattr(run_module, "Gate", FakeGate)
    monkeypatch.setattr(run_module, "Referee", FakeReferee)
    monkeypatch.setattr(FakeGate, "asked", [])

    def judged_by(verdict):
        monkeypatch.setattr(FakeGate, "verdict", lambda self, pair: verdict(pair))

    return judged_by


def test_mutants_are_killed_by_the_check_that_spoke(gate):
    report = mutate([pair_of()], ["drop-mask", "nudge-constant"], device="cpu")
    assert report.total.killed == 3
    assert report.checks == {"numerics": 3}
    assert report.failures == []
    assert report.pairs == 1
    assert {result.family for result in report.results} == {"hand"}


def test_an_original_that_is_refused_is_a_false_alarm_and_gets_no_mutants(gate):
    gate(lambda pair: Verdict("failed", "no", "numerics"))
    report = mutate([pair_of()], device="cpu")
    assert report.false_alarms == [{"pair": "hand", "check": "numerics", "reason": "no"}]
    assert report.results == []


def test_an_original_that_cannot_be_judged_here_is_skipped(gate):
    gate(lambda pair: Verdict("error", "needs sm_100", "requires"))
    report = mutate([pair_of()], device="cpu")
    assert report.skipped
    assert not report.false_alarms


def test_survivors_are_compiled_and_compared_with_their_originals(gate):
    gate(lambda pair: PASSED)
    report = mutate([pair_of()], ["nudge-constant"], device="cpu")
    (result,) = report.survivors
    assert result.reason == "element 0: 1.0 for 2.0"
    assert "2.5" in result.diff
    assert "2.525" in result.diff
    assert FakeGate.asked == [
        ("hand", True),
        ("hand:nudge-constant:0", True),
        ("hand:nudge-constant:0", False),
    ]
    assert report.failures


def test_hangs_and_crashes_count_as_kills_and_failures_of_the_gate_do_not(gate):
    words = {
        "hand:drop-mask:0": ("worker", "timeout after 30 s"),
        "hand:drop-mask:1": ("worker", "died"),
    }
    words["hand:nudge-constant:0"] = ("internal", "broken")
    gate(
        lambda pair: (
            PASSED if pair.id == "hand" else Verdict("error", words[pair.id][1], words[pair.id][0])
        )
    )
    report = mutate([pair_of()], ["drop-mask", "nudge-constant"], device="cpu")
    assert report.checks == {"timeout": 1, "crash": 1}
    assert report.total.unjudged == 1
    assert report.failures


def test_operators_that_the_device_cannot_judge_are_a_class_of_their_own(gate):
    text = SCALE.replace("program_id(axis=0)", "program_id(axis=0).to(tl.int64)")
    gate(lambda pair: PASSED)
    report = mutate([pair_of(text)], ["drop-wide-offsets"], device="cpu")
    assert report.total.beyond == 1
    assert report.total.made == 0
    gate(lambda pair: FakeGate.verdict)  # not asked: nothing is made
    report = mutate([], None, device="cpu")
    assert set(report.not_judged) == {"drop-wide-offsets", "lower-input-precision"}


def test_an_interrupted_run_goes_on_from_its_ledger(gate, tmp_path):
    gate(
        lambda pair: (
            PASSED if "nudge" in pair.id or ":" not in pair.id else Verdict("failed", "x", "memory")
        )
    )
    operators = ["drop-mask", "nudge-constant"]
    first = mutate([pair_of()], operators, device="cpu", keep=tmp_path)
    assert (tmp_path / "hand-nudge-constant-0.py").read_text().count("2.525") == 1
    assert "2.525" in (tmp_path / "hand-nudge-constant-0.diff").read_text()
    lines = (tmp_path / "mutants.jsonl").read_text().splitlines()
    assert len(lines) == 3
    (tmp_path / "mutants.jsonl").write_text("\n".join(lines[:2]) + '\n{"torn')
    FakeGate.asked.clear()
    again = mutate([pair_of()], operators, device="cpu", keep=tmp_path)
    assert [name for name, _ in FakeGate.asked if ":" in name] in (
        ["hand:nudge-constant:0"] * 2,
        ["hand:drop-mask:1"],
        ["hand:drop-mask:0"],
    )
    assert again.total == first.total
    FakeGate.asked.clear()
    assert mutate([pair_of()], operators, device="cpu", keep=tmp_path).total == first.total
    assert [name for name, _ in FakeGate.asked] == ["hand"]


def test_progress_is_reported(gate):
    seen = []
    mutate(
        [pair_of()],
        ["drop-mask"],
        device="cpu",
        progress=lambda done, made, report: seen.append((done, made, report.total.killed)),
    )
    assert seen == [(1, 2, 1), (2, 2, 2)]


def test_bad_arguments_are_refused(gate):
    with pytest.raises(UnknownNameError, match="unknown operator"):
        mutate([pair_of()], ["drop"], device="cpu")
    with pytest.raises(VerificationError, match="per_pair"):
        mutate([pair_of()], per_pair=0, device="cpu")


def test_the_command_prints_shares_and_writes_a_report(gate, tmp_path):
    file = tmp_path / "report.json"
    arguments = ["--family", "softmax", "--limit", "2", "--per-pair", "3", "--device", "cpu"]
    result = CliRunner().invoke(main, ["mutate", *arguments, "--json", str(file)])
    assert result.exit_code == 0, result.output
    assert "6 mutants of 2 pairs" in result.output
    assert "100.00% killed" in result.output
    assert json.loads(file.read_text())["total"]["killed"] == 6


def test_the_command_fails_where_mutants_survive(gate):
    gate(lambda pair: replace(PASSED))
    arguments = ["--family", "softmax", "--limit", "1", "--per-pair", "2", "--device", "cpu"]
    result = CliRunner().invoke(main, ["mutate", *arguments])
    assert result.exit_code == 1
    assert "survived: softmax/" in result.output
    assert "failed: 0.00% of the mutants" in result.output


def test_the_command_names_unknown_operators_and_lists_the_known_ones():
    result = CliRunner().invoke(main, ["mutate", "--operators", "nonsense", "--limit", "1"])
    assert result.exit_code == 2
    result = CliRunner().invoke(main, ["mutate", "--list"])
    assert result.exit_code == 0
    assert "drop-mask" in result.output
