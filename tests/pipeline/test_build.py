"""Builds of made-up pairs: what is written, what is refused, what is the same."""

from __future__ import annotations

import io
import json
import os
import subprocess
import sys
from collections import Counter
from pathlib import Path

import fake_plan
import pytest

from tritongen.errors import BuildError, ConfigError, DeviceError
from tritongen.export.reader import iter_records
from tritongen.pipeline import build
from tritongen.pipeline.progress import BarMeter, LineMeter, Meter, meter

ROOT = Path(__file__).parents[2]
NONE = {"device": "none"}


def tree(out):
    """The bytes of every file of a dataset."""
    return {
        path.relative_to(out).as_posix(): path.read_bytes()
        for path in sorted(out.rglob("*"))
        if path.is_file() and path.name != "lock"
    }


def without_verification(out):
    return [{**record, "verification": None} for record in iter_records(out)]


@pytest.mark.parametrize("file_format", ["parquet", "jsonl"])
def test_unverified_builds_are_equal_byte_for_byte(fake_source, tmp_path, file_format):
    for name in "ab":
        config = {"out": tmp_path / name, "count": 240, "shard_size": 100, "format": file_format}
        build({**config, "verify": {**NONE, "workers": 1 if name == "a" else 4}})
    assert tree(tmp_path / "a") == tree(tmp_path / "b")


def test_the_hash_seed_of_the_interpreter_does_not_show(tmp_path):
    for seed in ("0", "1"):
        run_fake(tmp_path / seed, "240", "100", "none", PYTHONHASHSEED=seed).wait()
    assert tree(tmp_path / "0") == tree(tmp_path / "1")
    assert (tmp_path / "0" / "manifest.json").exists()


def test_verified_builds_are_equal_but_for_the_verification(fake_source, fake_gate, tmp_path):
    for name in "ab":
        build({"out": tmp_path / name, "count": 240, "shard_size": 100})
    assert without_verification(tmp_path / "a") == without_verification(tmp_path / "b")
    for name in ("manifest.json", "README.md", "rejected/shard-00000.jsonl"):
        assert (tmp_path / "a" / name).read_bytes() == (tmp_path / "b" / name).read_bytes()


def test_only_pairs_that_passed_enter_and_the_others_are_kept_with_reasons(
    fake_source, fake_gate, tmp_path
):
    report = build({"out": tmp_path, "count": 240, "shard_size": 100})
    refused = {pair.id for pair in fake_plan.FakePlan(240).pairs() if fake_gate.refuse(pair)}
    records = list(iter_records(tmp_path))
    lines = [json.loads(line) for path in (tmp_path / "rejected").iterdir() for line in path.open()]
    assert refused
    assert {line["id"] for line in lines} == refused
    assert refused.isdisjoint(record["id"] for record in records)
    assert len(records) + len(refused) == 240 == report.attempted
    assert {record["verification"]["status"] for record in records} == {"passed"}
    assert all("are off" in line["verification"]["reason"] for line in lines)
    assert report.reasons == {"numerics: # % of the elements of float32 are off": len(refused)}


def test_report_and_manifest_count_what_is_there(fake_source, fake_gate, tmp_path):
    report = build({"out": tmp_path, "count": 240, "shard_size": 100})
    records = {s: list(iter_records(tmp_path, split=s)) for s in ("train", "validation", "test")}
    everything = [record for part in records.values() for record in part]
    assert report.splits == {name: len(part) for name, part in records.items()}
    assert report.passed == len(everything)
    manifest = json.loads((tmp_path / "manifest.json").read_text())
    kept = manifest["counts"]["kept"]
    assert kept["family"] == Counter(r["metadata"]["family"] for r in everything)
    assert kept["op"] == Counter(r["metadata"]["op"] for r in everything)
    assert kept["dtype"] == Counter(d for r in everything for d in r["metadata"]["dtypes"])
    assert kept["evidence"] == {"interpreted": len(everything)}
    assert manifest["counts"]["refused"] == report.refused > 0
    assert set(manifest) >= {"config_hash", "template_hash", "versions"}
    summary = report.summary()
    assert all(word in summary for word in ("alpha", "gamma", "validation", "interpreted", "# %"))


def test_an_operation_is_in_one_split_and_no_split_is_empty(fake_source, tmp_path):
    build({"out": tmp_path, "count": 240, "shard_size": 50, "verify": NONE})
    where = {}
    for split in ("train", "validation", "test"):
        for record in iter_records(tmp_path, split=split):
            where.setdefault(record["operation_id"], set()).add(split)
    assert all(len(splits) == 1 for splits in where.values())
    assert set().union(*where.values()) == {"train", "validation", "test"}


def test_a_program_is_in_one_shard(fake_source, tmp_path):
    build({"out": tmp_path, "count": 240, "shard_size": 50, "verify": NONE, "format": "jsonl"})
    where = {}
    for path in tmp_path.glob("*/shard-*.jsonl"):
        for line in path.open():
            where.setdefault(json.loads(line)["program_id"], set()).add(path.name)
    assert len(where) >= 60
    assert all(len(shards) == 1 for shards in where.values())


def test_verifier_settings_are_passed_on(fake_source, fake_gate, tmp_path):
    verify = {"device": "cpu", "workers": 2, "timeout": 5, "targets": ["sm_90"]}
    build({"out": tmp_path, "count": 100, "verify": verify})
    assert fake_gate.settings == {
        "device": "cpu",
        "workers": 2,
        "timeout": 5.0,
        "targets": ["sm_90"],
    }


def test_a_missing_gpu_or_an_unknown_target_leaves_a_dataset_as_it_is(
    fake_source, tmp_path, monkeypatch
):
    monkeypatch.setattr("tritongen.verify.device.has_gpu", lambda: False)
    build({"out": tmp_path, "count": 240, "verify": NONE})
    before = tree(tmp_path)
    for verify, error, message in (
        ({"device": "cuda"}, DeviceError, "no GPU"),
        ({"device": "cpu", "targets": ["sm_91"]}, ConfigError, r"verify.targets: .*'sm_90'"),
    ):
        with pytest.raises(error, match=message):
            build({"out": tmp_path, "count": 240, "verify": verify}, overwrite=True)
        assert tree(tmp_path) == before


def test_refusals_that_leave_a_split_empty_are_an_error_with_the_reasons(
    fake_source, fake_gate, tmp_path
):
    fake_gate.refuse = lambda pair: True
    with pytest.raises(BuildError, match=r"split train, validation, test; 0 passed, 240 were ref"):
        build({"out": tmp_path, "count": 240})
    assert not (tmp_path / "manifest.json").exists()
    assert (tmp_path / "rejected" / "shard-00000.jsonl").exists()


def test_too_few_operations_for_the_splits_leave_the_folder_alone(fake_source, tmp_path):
    with pytest.raises(BuildError, match="too few distinct operations"):
        build({"out": tmp_path / "d", "count": 8, "verify": NONE})
    assert not (tmp_path / "d" / "train").exists()


def test_a_wrong_configuration_leaves_a_dataset_as_it_is(fake_source, tmp_path):
    build({"out": tmp_path, "count": 240, "verify": NONE})
    before = tree(tmp_path)
    with pytest.raises(ConfigError):
        build({"out": tmp_path, "count": 240, "verify": {"device": "gpu"}}, overwrite=True)
    assert tree(tmp_path) == before


def test_a_folder_that_cannot_be_written_is_one_clear_error(fake_source, tmp_path):
    (tmp_path / "file").write_text("x")
    for out in (tmp_path / "file", tmp_path / "file" / "below"):
        with pytest.raises(BuildError, match="file"):
            build({"out": out, "count": 240, "verify": NONE})


def test_lines_of_progress_tell_how_far_how_fast_and_what_was_refused():
    stream = io.StringIO()
    with meter(200, True, stream) as shown:
        assert type(shown) is LineMeter
        shown.skip(100, 0)
        shown.tick(90, 10)
    line = stream.getvalue().splitlines()[-1]
    assert line.startswith("200 of 200 pairs (100.0%)")
    assert line.endswith("190 passed, 10 refused")


def test_a_terminal_gets_a_bar_and_silence_is_the_default(monkeypatch):
    stream = io.StringIO()
    monkeypatch.setattr(stream, "isatty", lambda: True, raising=False)
    assert type(meter(3, False, stream)) is Meter
    with meter(3, True, stream) as shown:
        assert isinstance(shown, BarMeter)
        shown.tick(2, 1)
    assert "3/3" in stream.getvalue()


def run_fake(out, *arguments, delay="0", **environment):
    """`fake_plan` as a program of its own."""
    return subprocess.Popen(
        [sys.executable, fake_plan.__file__, str(out), *arguments, delay],
        env={**os.environ, "PYTHONPATH": os.pathsep.join([str(ROOT), *sys.path]), **environment},
        stdout=subprocess.PIPE,
        text=True,
    )
