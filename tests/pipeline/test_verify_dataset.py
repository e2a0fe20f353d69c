"""Verification of a finished dataset of made-up pairs: what changes, what stays, what is refused."""

from __future__ import annotations

import json
import shutil
import subprocess
import sys
from collections import Counter
from pathlib import Path

import fake_plan
import pyarrow as pa
import pyarrow.parquet as pq
import pytest

import tritongen
from tritongen.errors import BuildError, InputFileError, VerificationError
from tritongen.export.reader import iter_records
from tritongen.pipeline import build, verify_dataset
from tritongen.verify.verdict import Verdict

ROOT = Path(__file__).parents[2]
PROOF = {"targets": {"sm_90": "ok"}, "torch": "2.13.0", "triton": "3.7.1", "seconds": 0.25}


def refused(pair):
    return int(pair.id, 16) % 10 == 0


class Gate:
    """A verifier with the same verdict for the same pair, whenever it is asked."""

    def __init__(self, device="cpu", say=None):
        self.device, self.say, self.asked = device, say, []

    def stream(self, pairs):
        for pair in pairs:
            self.asked.append(pair.id)
            yield (self.say and self.say(pair)) or self.verdict(pair)

    def verdict(self, pair):
        evidence = "gpu" if self.device == "cuda" else "interpreted"
        if refused(pair):
            reason = f"17.{int(pair.id[:2], 16)} % of the elements are off"
            return Verdict("failed", reason, "numerics", evidence, witness={"index": [1, 2]})
        return Verdict("passed", evidence=evidence, device=self.device, **PROOF)


def passing(pair):
    return Verdict("passed", evidence="gpu", device="H200", **PROOF)


@pytest.fixture
def dataset(fake_source, tmp_path):
    """Makes an unverified dataset."""

    def make(name="dataset", **fields):
        config = {"out": tmp_path / name, "count": 240, "shard_size": 100}
        build({**config, "verify": {"device": "none"}, **fields})
        return tmp_path / name

    return make


def tree(out):
    return {
        path.relative_to(out).as_posix(): path.read_bytes()
        for path in sorted(out.rglob("*"))
        if path.is_file() and path.name != "lock"
    }


def shards(out):
    return {name: data for name, data in tree(out).items() if name.split("/")[0] in SPLITS}


def contents(out):
    """The rows of every shard file in their order; those of the rejected ones in any order."""
    found = {}
    for path in sorted(out.glob("*/shard-*")):
        name = path.relative_to(out).as_posix()
        if path.suffix == ".parquet":
            found[name] = pq.read_table(path).to_pylist()
        else:
            lines = path.read_text().splitlines()
            found[name] = sorted(lines) if path.parent.name == "rejected" else lines
    return found


SPLITS = ("train", "validation", "test", "rejected")


def proofs(out):
    return {record["id"]: record["verification"] for record in iter_records(out)}


def rejected(out):
    lines = [line for path in sorted((out / "rejected").glob("*")) for line in path.open()]
    return {json.loads(line)["id"]: json.loads(line) for line in lines}


@pytest.mark.parametrize("file_format", ["parquet", "jsonl"])
def test_a_raised_dataset_is_the_one_that_a_verified_build_makes(
    dataset, tmp_path, monkeypatch, file_format
):
    raised = dataset("raised", format=file_format)
    verify_dataset(raised, gate=Gate())
    monkeypatch.setattr("tritongen.verify.Gate", lambda *_, **__: OpenGate())
    whole = dataset("whole", format=file_format, verify={"device": "cpu"})
    assert contents(raised) == contents(whole)
    manifests = [json.loads((out / "manifest.json").read_text()) for out in (raised, whole)]
    for name in ("counts", "files", "attempted", "operations"):
        assert manifests[0][name] == manifests[1][name]


class OpenGate(Gate):
    def __enter__(self):
        return self

    def __exit__(self, *_):
        pass


def test_pairs_that_fail_move_to_the_rejected_ones_with_their_reason(dataset):
    out = dataset()
    before = {record["id"]: record for record in iter_records(out)}
    report = verify_dataset(out, gate=Gate())
    gone = {pair.id for pair in fake_plan.FakePlan(240).pairs() if refused(pair)}
    moved = rejected(out)
    assert gone
    assert moved.keys() == gone == before.keys() - proofs(out).keys()
    for pair_id, line in moved.items():
        assert line["triton_code"] == before[pair_id]["triton_code"]
        assert line["verification"]["check"] == "numerics"
        assert line["verification"]["reason"].endswith("are off")
        assert line["verification"]["witness"] == {"index": [1, 2]}
    assert report.failed
    assert report.effects == {"raised": 240 - len(gone), "rejected": len(gone)}
    assert report.reasons == {"numerics: # % of the elements are off": len(gone)}


def test_card_manifest_and_counts_say_what_is_there(dataset):
    out = dataset()
    report = verify_dataset(out, gate=Gate())
    records = list(iter_records(out))
    manifest = json.loads((out / "manifest.json").read_text())
    counts = manifest["counts"]
    assert counts["passed"] == len(records) == sum(report.after.values())
    assert counts["refused"] == report.rejected
    assert counts["kept"]["evidence"] == {"interpreted": len(records)} == report.after
    assert counts["kept"]["op"] == Counter(record["metadata"]["op"] for record in records)
    assert sum(file["rows"] for file in manifest["files"]) == len(records)
    card = (out / "README.md").read_text()
    assert "Not verified" not in card
    assert f"{len(records):,} passed" in card
    assert "numerics: # % of the elements" in card
    summary = report.summary()
    assert all(word in summary for word in ("alpha", "raised", "rejected", "interpreted", "none"))


def test_what_is_proved_as_far_already_is_not_tried_and_no_byte_changes(dataset):
    out = dataset()
    verify_dataset(out, gate=Gate(device="cuda", say=passing))
    before = tree(out)
    gate = Gate()
    report = verify_dataset(out, gate=gate)
    assert gate.asked == []
    assert report.tried == 0
    assert not report.failed
    assert "Nothing was due" in report.summary()
    assert tree(out) == before


def test_evidence_never_lowers_even_where_all_is_done_again(dataset):
    out = dataset()
    verify_dataset(out, gate=Gate(device="cuda", say=passing))
    before = proofs(out)
    report = verify_dataset(out, gate=Gate(), redo=True)
    assert report.effects.keys() == {"kept", "rejected"}
    assert all(proof == before[pair_id] for pair_id, proof in proofs(out).items())
    assert {proof["evidence"] for proof in proofs(out).values()} == {"gpu"}


def test_done_again_on_the_same_device_the_records_tell_of_the_new_run(dataset):
    out = dataset()
    verify_dataset(out, gate=Gate(device="cuda", say=passing))

    def new(pair):
        return Verdict("passed", evidence="gpu", device="B200", **PROOF)

    report = verify_dataset(out, gate=Gate(device="cuda", say=new), redo=True)
    assert report.effects == {"renewed": 240}
    assert {proof["device"] for proof in proofs(out).values()} == {"B200"}


def test_what_cannot_be_judged_on_a_lesser_device_is_no_failure_of_a_proved_pair(dataset):
    out = dataset()
    verify_dataset(out, gate=Gate(device="cuda", say=passing))
    before = shards(out)

    def hang(pair):
        return Verdict("error", "timeout after 1 s", "timeout")

    report = verify_dataset(out, gate=Gate(say=hang), redo=True)
    assert report.effects == {"unable": 240}
    assert not report.failed
    assert shards(out) == before


def test_a_pair_that_needs_another_device_stays_as_it_is(dataset):
    out = dataset()

    def needs(pair):
        return Verdict("error", "needs what is not here: sm_100", "requires")

    report = verify_dataset(out, gate=Gate(say=needs))
    assert report.effects == {"unable": 240}
    assert not report.failed
    assert {proof["status"] for proof in proofs(out).values()} == {"unverified"}
    assert rejected(out) == {}


def test_a_fault_of_the_verifier_refuses_nothing_and_is_tried_again_the_next_time(dataset):
    out = dataset()

    def broken(pair):
        return refused(pair) and Verdict("error", "KeyError: 'x'", "internal")

    report = verify_dataset(out, gate=Gate(say=broken))
    assert report.failed
    assert report.effects.keys() == {"raised", "unjudged"}
    assert rejected(out) == {}
    gate = Gate(say=lambda pair: Verdict("passed", evidence="interpreted"))
    assert verify_dataset(out, gate=gate).effects == {"raised": report.effects["unjudged"]}
    assert len(gate.asked) == report.effects["unjudged"]


def test_a_verifier_that_is_broken_ends_the_run_before_anything_changes(dataset):
    out = dataset()
    before = shards(out)

    def broken(pair):
        return Verdict("error", "no cuda worker could be started", "internal")

    for _ in range(2):
        with pytest.raises(VerificationError, match="no cuda worker could be started"):
            verify_dataset(out, gate=Gate(say=broken))
        assert shards(out) == before
    assert verify_dataset(out, gate=Gate()).tried == 240


@pytest.mark.parametrize(("check", "times"), [("worker", 3), ("timeout", 2), ("numerics", 1)])
def test_a_death_or_a_timeout_counts_only_when_it_comes_again(dataset, check, times):
    out = dataset()

    def dies(pair):
        return refused(pair) and Verdict("error", "worker died: signal 9", check)

    gate = Gate(say=dies)
    report = verify_dataset(out, gate=gate)
    asked = Counter(gate.asked)
    bad = {pair.id for pair in fake_plan.FakePlan(240).pairs() if refused(pair)}
    assert {pair_id for pair_id, n in asked.items() if n > 1} == (bad if times > 1 else set())
    assert {asked[pair_id] for pair_id in bad} == {times}
    assert report.rejected == len(bad)


def test_a_pair_whose_worker_was_killed_once_passes_on_the_next_try(dataset):
    out, deaths = dataset(), set()

    def dies_once(pair):
        if refused(pair) and pair.id not in deaths:
            deaths.add(pair.id)
            return Verdict("error", "worker died: signal 9 (SIGKILL)", "worker")
        return Verdict("passed", evidence="interpreted")

    assert verify_dataset(out, gate=Gate(say=dies_once)).effects == {"raised": 240}
    assert deaths


def test_a_limit_takes_a_spread_sample_and_touches_no_other_shard(dataset):
    out = dataset(shard_size=20)
    before = shards(out)
    gate = Gate(say=passing)
    report = verify_dataset(out, gate=gate, limit=3)
    assert report.effects == {"raised": 3}
    assert len(gate.asked) == 3
    changed = {name for name, data in shards(out).items() if data != before[name]}
    assert 1 < len(changed) <= 3
    card = (out / "README.md").read_text()
    assert "**237 of the 240 pairs have not been verified**" in card
    again = Gate(say=passing)
    verify_dataset(out, gate=again, limit=3)
    assert set(again.asked).isdisjoint(gate.asked)
    assert verify_dataset(out, gate=Gate(), limit=0).tried == 0


def test_a_split_that_loses_its_last_pair_loses_its_file(dataset):
    out = dataset()
    lost = {record["id"] for record in iter_records(out, split="test")}

    def wrong(pair):
        return Verdict("failed", "wrong", "numerics") if pair.id in lost else passing(pair)

    verify_dataset(out, gate=Gate(say=wrong))
    assert list((out / "test").iterdir()) == []
    assert list(iter_records(out, split="test")) == []
    assert "split: test" not in (out / "README.md").read_text()
    assert rejected(out).keys() == lost
    gate = Gate(say=passing)
    report = verify_dataset(out, gate=gate, redo=True)
    assert report.tried == 240 - len(lost)
    assert json.loads((out / "manifest.json").read_text())["counts"]["refused"] == len(lost)


def test_a_build_run_again_takes_the_raised_dataset_for_its_own(dataset):
    out = dataset()
    verify_dataset(out, gate=Gate())
    before = tree(out)
    dataset()
    assert tree(out) == before


def test_a_dataset_without_its_state_and_rejected_files_can_be_raised_as_well(dataset, monkeypatch):
    monkeypatch.setattr("tritongen.verify.Gate", lambda *_, **__: OpenGate(say=first))

    def first(pair):
        return (
            Verdict("failed", "wrong", "null")
            if pair.id[0] == "0"
            else Verdict("passed", evidence="compiled")
        )

    out = dataset(verify={"device": "cpu"})
    gone = len(rejected(out))
    assert gone > 0
    shutil.rmtree(out / ".tritongen")
    shutil.rmtree(out / "rejected")
    report = verify_dataset(out, gate=Gate())
    counts = json.loads((out / "manifest.json").read_text())["counts"]
    assert counts["refused"] == gone + report.rejected
    assert counts["refusals"]["check"] == {"null": gone, "numerics": report.rejected}
    assert counts["passed"] == len(proofs(out)) == 240 - counts["refused"]
    assert verify_dataset(out, gate=Gate(), redo=True).tried == counts["passed"]
    assert json.loads((out / "manifest.json").read_text())["counts"] == counts


def test_columns_and_fields_of_others_stay(dataset):
    out = dataset("columns")
    path = out / "train" / "shard-00000.parquet"
    table = pq.read_table(path)
    scores = pa.chunked_array([pa.array(range(table.num_rows))])
    pq.write_table(table.append_column("score", scores), path)
    ids = table.column("id").to_pylist()
    verify_dataset(out, gate=Gate())
    new = pq.read_table(path)
    kept = new.column("id").to_pylist()
    assert new.column("score").to_pylist() == [ids.index(pair_id) for pair_id in kept]
    lines = dataset("lines", format="jsonl")
    path = lines / "train" / "shard-00000.jsonl"
    values = [json.loads(line) for line in path.open()]
    path.write_text("".join(json.dumps({**v, "score": i}) + "\n" for i, v in enumerate(values)))
    verify_dataset(lines, gate=Gate(say=passing))
    assert [json.loads(line)["score"] for line in path.open()] == list(range(len(values)))


@pytest.mark.parametrize("damage", ["cut", "missing", "rows", "foreign"])
def test_a_damaged_dataset_is_refused_before_anything_is_verified(dataset, damage):
    out = dataset()
    path = out / "train" / "shard-00001.parquet"
    if damage == "cut":
        path.write_bytes(path.read_bytes()[:-9])
    elif damage == "missing":
        path.unlink()
    elif damage == "rows":
        pq.write_table(pq.read_table(path).slice(1), path)
    else:
        path.write_bytes(b"PAR1 no, not at all PAR1")
    before = shards(out)
    with pytest.raises(InputFileError, match=r"shard-00001\.parquet"):
        verify_dataset(out, gate=Gate())
    assert shards(out) == before


def test_what_is_no_dataset_is_refused_and_left_alone(tmp_path):
    (tmp_path / "file").write_text("x")
    (tmp_path / "empty").mkdir()
    for name, words in (("file", "no folder"), ("none", "no such folder"), ("empty", "manifest")):
        with pytest.raises(InputFileError, match=words):
            verify_dataset(tmp_path / name, gate=Gate())
    assert [path.name for path in sorted(tmp_path.rglob("*"))] == ["empty", "file"]


@pytest.mark.parametrize(
    "arguments",
    [{"timeout": 0}, {"timeout": "1"}, {"limit": -1}, {"limit": "3"}, {"workers": 0},
     {"sanitize": -1}, {"sanitize": True}],
)  # fmt: skip
def test_absurd_arguments_are_named(dataset, arguments):
    with pytest.raises(VerificationError, match=next(iter(arguments))):
        verify_dataset(dataset(), gate=Gate(), **arguments)


def test_two_processes_do_not_verify_one_dataset(dataset):
    out = dataset()

    def intrude(pair):
        with pytest.raises(BuildError, match="another build is writing here, or a verification"):
            verify_dataset(out, gate=Gate())
        with pytest.raises(BuildError, match="another build is writing here, or a verification"):
            dataset()
        return passing(pair)

    assert verify_dataset(out, gate=Gate(say=intrude), limit=1).effects == {"raised": 1}


def test_progress_is_shown(dataset, capsys):
    verify_dataset(dataset(), gate=Gate(), progress=True)
    assert capsys.readouterr().err.splitlines()[-1].startswith("240 of 240 pairs (100.0%)")


def test_the_libraries_that_a_gpu_machine_may_lack_are_not_needed(dataset):
    out = dataset()
    code = (
        "import sys\n"
        "for name in ('pydantic', 'more_itertools', 'rich_click', 'datasets', 'torch', 'pandas'):\n"
        "    sys.modules[name] = None\n"
        "import tritongen, tritongen.verify\n"
        f"sys.path.insert(0, {str(Path(__file__).parent)!r})\n"
        "import test_verify_dataset as t\n"
        "tritongen.verify.Gate = lambda *_, **__: t.OpenGate()\n"
        "from tritongen.cli import main\n"
        f"main(['verify', {str(out)!r}, '--device', 'cpu'])\n"
    )
    command = [sys.executable, "-c", code]
    run = subprocess.run(command, capture_output=True, text=True, check=False, cwd=ROOT)
    assert run.returncode == 1, run.stderr
    assert "rejected" in run.stdout
    assert "240 of 240 pairs" in run.stderr


def test_it_is_a_function_of_the_package():
    assert tritongen.verify_dataset is verify_dataset
    assert "VerifyReport" in tritongen.__all__


class Sanitizer:
    """In place of compute-sanitizer: refuses what `refused` says."""

    asked: list[str]

    def __init__(self, **settings):
        Sanitizer.asked = []

    def __enter__(self):
        return self

    def __exit__(self, *_):
        pass

    def stream(self, pairs):
        for pair in pairs:
            self.asked.append(pair.id)
            if refused(pair):
                yield Verdict("failed", "memcheck: Invalid __global__ write", "sanitize", "gpu")
            else:
                yield Verdict("passed", evidence="sanitized", seconds=2.0, device="H200")


def test_a_sample_of_what_passed_on_a_gpu_goes_through_the_sanitizer(dataset, monkeypatch):
    monkeypatch.setattr("tritongen.verify.sanitize.Sanitizer", Sanitizer)
    monkeypatch.setattr("tritongen.verify.sanitize.unavailable", lambda: "")
    out = dataset()
    report = verify_dataset(out, gate=Gate(device="cuda", say=passing), sanitize=30)
    bad = sum(int(pair_id, 16) % 10 == 0 for pair_id in Sanitizer.asked)
    assert len(Sanitizer.asked) == 30
    assert bad
    assert report.effects == {"raised": 240}
    assert report.sanitized == {"raised": 30 - bad, "rejected": bad}
    assert report.failed
    assert report.after == {"gpu": 210, "sanitized": 30 - bad}
    done = [proof for proof in proofs(out).values() if proof["evidence"] == "sanitized"]
    assert {proof["seconds"] for proof in done} == {2.25}
    assert all(proof["targets"] == {"sm_90": "ok"} for proof in done)
    assert {line["verification"]["check"] for line in rejected(out).values()} == {"sanitize"}


@pytest.mark.parametrize("device", ["cpu", "cuda"])
def test_a_sanitizer_that_is_not_there_is_an_error_before_anything_is_done(
    dataset, monkeypatch, device
):
    monkeypatch.setattr("tritongen.verify.sanitize.unavailable", lambda: "it is not on PATH")
    out = dataset()
    before = tree(out)
    with pytest.raises(VerificationError, match="compute-sanitizer cannot be used"):
        verify_dataset(out, gate=Gate(device=device), sanitize=3)
    assert tree(out) == before
