"""Verification of a dataset that is stopped anywhere: it goes on, and comes to the same bytes."""

from __future__ import annotations

import json
import os
import shutil
from pathlib import Path

import pytest
from test_verify_dataset import Gate, contents, passing, proofs, rejected, tree

from tritongen.errors import BuildError, InputFileError
from tritongen.export.reader import iter_records
from tritongen.pipeline import build, verify_dataset
from tritongen.pipeline.journal import Journal
from tritongen.verify.verdict import Verdict

CONFIG = {"count": 120, "shard_size": 60, "format": "jsonl", "verify": {"device": "none"}}
KILLED = 9


@pytest.fixture
def dataset(fake_source, tmp_path):
    """Makes a small dataset of two shards; in a format that no thread of a library writes."""

    def make(name="dataset", **fields):
        build({"out": tmp_path / name, **CONFIG, **fields})
        return tmp_path / name

    return make


def until(out: Path, stop: int, **options) -> bool:
    """Verify in a forked process that ends at once before its `stop`th change of a file."""
    child = os.fork()
    if child == 0:
        left = stop

        def counting(change):
            def changed(*args, **kwargs):
                nonlocal left
                left -= 1
                if left == 0:
                    os._exit(KILLED)
                return change(*args, **kwargs)

            return changed

        try:
            for name in ("replace", "unlink", "rmdir", "write_bytes"):
                setattr(Path, name, counting(getattr(Path, name)))
            Journal.add = counting(Journal.add)
            verify_dataset(out, **({"gate": Gate()} | options))
        except BaseException:
            os._exit(1)
        os._exit(0)
    _, status = os.waitpid(child, 0)
    code = os.waitstatus_to_exitcode(status)
    assert code in (0, KILLED)
    return code == KILLED


def state_of(out):
    return {name: data for name, data in tree(out).items() if ".partial" not in name}


def test_wherever_it_is_killed_it_goes_on_to_the_same_dataset(dataset, tmp_path):
    start, whole = dataset(), tmp_path / "whole"
    shutil.copytree(start, whole)
    report = verify_dataset(whole, gate=Gate())
    stop, steps, ends = 1, 0, 0
    while True:
        out = tmp_path / f"stopped-{stop}"
        shutil.copytree(start, out)
        if not until(out, stop):
            break
        again = Gate()
        resumed = verify_dataset(out, gate=again)
        assert state_of(out) == state_of(whole), stop
        stop += 1
        if not resumed.tried:
            # All was done but to forget the run
            assert stop > 120
            ends += 1
            continue
        assert (resumed.effects, resumed.reasons) == (report.effects, report.reasons), stop
        assert (resumed.before, resumed.after) == (report.before, report.after), stop
        assert resumed.resumed + len(again.asked) == 120, stop
        shutil.rmtree(out)
        steps += 1
        # Between two verdicts there is nothing to break; look closely at what comes after them
        stop += 0 if not 3 < len(again.asked) < 57 and not 63 < len(again.asked) < 117 else 10
    assert steps > 30
    assert 0 < ends < 10


def test_killed_again_and_again_it_comes_to_an_end(dataset, tmp_path):
    start, whole = dataset(), tmp_path / "whole"
    shutil.copytree(start, whole)
    verify_dataset(whole, gate=Gate())
    kills = 0
    while until(start, 17):
        kills += 1
    assert kills > 5
    assert state_of(start) == state_of(whole)


def test_all_of_it_is_done_again_only_once(dataset, tmp_path):
    out = dataset()
    verify_dataset(out, gate=Gate(device="cuda", say=passing))
    assert until(out, 100, redo=True, gate=Gate(device="cuda", say=passing))
    gate = Gate(device="cuda", say=passing)
    report = verify_dataset(out, redo=True, gate=gate)
    assert report.effects == {"renewed": 120}
    assert report.resumed + len(gate.asked) == 120
    assert report.resumed > 60


def test_a_stopped_sample_goes_on_with_the_same_pairs(dataset):
    out = dataset()
    assert until(out, 20, limit=40, gate=Gate(say=passing))
    gate = Gate(say=passing)
    report = verify_dataset(out, limit=40, gate=gate)
    assert report.effects == {"raised": 40}
    assert 0 < len(gate.asked) < 40
    assert report.after == {"gpu": 40, "none": 80}


def test_called_otherwise_it_first_takes_up_what_is_known(dataset):
    out = dataset()
    assert until(out, 40)
    gate = Gate(device="cuda", say=passing)
    report = verify_dataset(out, gate=gate)
    assert 0 < report.before["interpreted"] < 40
    assert 0 < len(rejected(out)) < 10
    assert report.effects == {"raised": 120 - len(rejected(out))}
    assert report.after == {"gpu": 120 - len(rejected(out))}


def test_a_torn_or_damaged_line_costs_its_verdict_and_no_other(dataset):
    out = dataset()
    assert until(out, 40)
    (journal,) = (out / ".tritongen" / "verify").glob("*.jsonl")
    whole = journal.read_bytes()
    lines = whole.splitlines(keepends=True)
    journal.write_bytes(b"".join(lines[:-1]) + lines[-1].replace(b"interpreted", b"sanitized"))
    gate = Gate()
    report = verify_dataset(out, gate=gate)
    assert report.resumed == len(lines) - 1
    assert len(gate.asked) == 120 - report.resumed
    again = dataset("again")
    assert until(again, 40)
    (journal,) = (again / ".tritongen" / "verify").glob("*.jsonl")
    journal.write_bytes(whole[:-20])
    assert verify_dataset(again, gate=Gate()).resumed == len(lines) - 1
    assert contents(again) == contents(out)


def complaint(out):
    """What a reader of a dataset is told; nothing where it reads well."""
    try:
        list(iter_records(out))
    except InputFileError as error:
        return str(error)
    return ""


def test_a_stopped_verification_is_named_to_those_who_read_or_build(dataset):
    out = dataset()
    stop = 60
    while not complaint(out):
        shutil.rmtree(out)
        assert until(dataset(), stop)
        stop += 1
    assert "tritongen verify" in complaint(out)
    with pytest.raises(
        BuildError, match=r"verification of this dataset was stopped.*tritongen ver"
    ):
        dataset()
    verify_dataset(out, gate=Gate())
    dataset()
    assert len(proofs(out)) + len(rejected(out)) == 120


def test_a_build_that_overwrites_forgets_the_stopped_verification(dataset, tmp_path):
    out = dataset()
    assert until(out, 40)
    build({"out": out, **CONFIG, "seed": 5}, overwrite=True)
    assert not (out / ".tritongen" / "verify").exists()
    assert {proof["status"] for proof in proofs(out).values()} == {"unverified"}


def test_the_sanitizer_goes_on_where_it_was(dataset, monkeypatch):
    asked = []

    class Sanitizer:
        def __init__(self, **_):
            pass

        def __enter__(self):
            return self

        def __exit__(self, *_):
            pass

        def stream(self, pairs):
            for pair in pairs:
                asked.append(pair.id)
                yield Verdict("passed", evidence="sanitized")

    monkeypatch.setattr("tritongen.verify.sanitize.Sanitizer", Sanitizer)
    monkeypatch.setattr("tritongen.verify.sanitize.unavailable", lambda: "")
    out = dataset()
    options = {"sanitize": 20, "redo": True}
    cuda = Gate(device="cuda", say=passing)
    stop = 150
    assert until(out, stop, gate=cuda, **options)
    state = json.loads((out / ".tritongen" / "verify" / "run.json").read_text())
    assert state["phase"] == "sanitize"
    report = verify_dataset(out, gate=cuda, **options)
    assert cuda.asked == []
    assert report.effects == {"raised": 120}
    assert report.sanitized == {"raised": 20}
    assert 0 < len(asked) < 20
    assert report.after == {"gpu": 100, "sanitized": 20}
