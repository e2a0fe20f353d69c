"""`tritongen verify` from the command line: exit codes and what is printed."""

from __future__ import annotations

import pytest
from click.testing import CliRunner
from test_verify_dataset import OpenGate, passing

from tritongen.cli import main
from tritongen.pipeline import build


@pytest.fixture
def out(fake_source, tmp_path):
    build({"out": tmp_path / "d", "count": 240, "shard_size": 100, "verify": {"device": "none"}})
    return tmp_path / "d"


def run(*arguments):
    return CliRunner().invoke(main, ["verify", *map(str, arguments)])


def test_all_that_was_due_passed(out, monkeypatch):
    opened = []
    monkeypatch.setattr(
        "tritongen.verify.Gate", lambda *a, **k: opened.append((a, k)) or OpenGate(say=passing)
    )
    done = run(out, "--device", "cpu", "--workers", "3", "--timeout", "5", "--limit", "20")
    assert done.exit_code == 0, done.output
    assert opened == [(("cpu",), {"workers": 3, "timeout": 5.0, "targets": None})]
    assert "20 verdicts" in done.output
    again = run(out, "--device", "cpu", "--redo")
    assert again.exit_code == 0
    assert "240 verdicts" in again.output


def test_a_pair_failed(out, monkeypatch):
    monkeypatch.setattr("tritongen.verify.Gate", lambda *_, **__: OpenGate())
    done = run(out, "--device", "cpu")
    assert done.exit_code == 1
    assert "rejected" in done.output
    assert run(out, "--device", "cpu").exit_code == 0


def test_what_is_asked_for_cannot_be(out, tmp_path, monkeypatch):
    monkeypatch.setattr("tritongen.verify.device.has_gpu", lambda: False)
    for arguments, words in (
        ((tmp_path / "nowhere",), "there is no such folder"),
        ((tmp_path,), "there is no manifest here"),
        ((out, "--device", "cuda"), "no GPU that torch can use"),
        ((out, "--device", "cpu", "--sanitize", "2"), "compute-sanitizer cannot be used"),
        ((out, "--limit", "-1"), "--limit"),
    ):
        done = run(*arguments)
        assert done.exit_code == 2, done.output
        assert words in done.output
