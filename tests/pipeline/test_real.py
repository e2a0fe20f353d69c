"""Builds from the package's own templates, end to end."""

from __future__ import annotations

import subprocess
import sys
import tomllib
from pathlib import Path

import pytest

import tritongen
from tritongen.export.reader import iter_records
from tritongen.export.records import ENTRY_FIELDS, METADATA_FIELDS
from tritongen.pair import Pair
from tritongen.pipeline.config import load_config
from tritongen.pipeline.source import open_source

ROOT = Path(__file__).parents[2]
NONE = {"device": "none"}


@pytest.fixture(scope="module")
def demo(tmp_path_factory):
    """The dataset of `make demo`, not verified."""
    values = tomllib.loads((ROOT / "examples" / "demo.toml").read_text())
    out = tmp_path_factory.mktemp("real") / "dataset"
    tritongen.build({**values, "out": out, "shard_size": 100, "verify": NONE})
    return out


def test_the_demo_has_every_family_in_at_least_300_pairs(demo):
    records = list(iter_records(demo))
    assert len(records) >= 300
    assert {record["metadata"]["family"] for record in records} == set(tritongen.families())


def test_every_pair_comes_back_as_it_was(demo):
    values = tomllib.loads((ROOT / "examples" / "demo.toml").read_text())
    source = open_source(load_config(values))
    pairs = {pair.id: pair for pair in source.plan.pairs(0, len(source.plan))}
    read = [Pair.from_record(record) for record in iter_records(demo)]
    assert len(read) == len(pairs)
    assert all(pair == pairs[pair.id] for pair in read)


def test_the_record_has_room_for_all_metadata(demo):
    for pair in tritongen.expand("matmul", limit=20):
        assert set(pair.metadata) <= set(METADATA_FIELDS)
        assert set(pair.metadata["entry"]) <= set(ENTRY_FIELDS)


def test_adding_a_family_moves_no_operation_to_another_split(tmp_path, make_family):
    config = {"count": 240, "presentations": 2, "verify": NONE}
    root = make_family()
    tritongen.build({**config, "out": tmp_path / "a", "families": ["softmax"]})
    tritongen.build(
        {**config, "out": tmp_path / "b", "families": ["tiny", "softmax"], "templates": [root]}
    )
    before, after = (
        {
            record["operation_id"]: (split, record["metadata"]["family"])
            for split in ("train", "validation", "test")
            for record in iter_records(out, split=split)
        }
        for out in (tmp_path / "a", tmp_path / "b")
    )
    both = before.keys() & after.keys()
    assert {family for _, family in after.values()} == {"tiny", "softmax"}
    assert len(both) > 10
    assert all(before[operation] == after[operation] for operation in both)


def test_building_loads_no_library_that_it_does_not_need(tmp_path):
    code = (
        "import sys, tritongen\n"
        f"config = {{'out': {str(tmp_path / 'd')!r}, 'count': 40, 'verify': {{'device': 'none'}},\n"
        "          'families': ['softmax'], 'presentations': 1}\n"
        "tritongen.build(config)\n"
        "print(sorted({'torch', 'triton', 'pandas', 'datasets'} & set(sys.modules)))\n"
    )
    run = subprocess.run(
        [sys.executable, "-c", code],
        env={"PYTHONPATH": ":".join([str(ROOT), *sys.path])},
        capture_output=True,
        text=True,
        check=True,
    )
    assert run.stdout == "[]\n"


@pytest.mark.slow
def test_a_verified_build_on_the_cpu(tmp_path):
    report = tritongen.build(
        {
            "out": tmp_path,
            "count": 8,
            "presentations": 1,
            "families": {"elementwise": {"strategies": ["flat"]}},
            "where": {"op": ["relu", "exp", "abs", "add", "neg", "sigmoid"]},
            "verify": {"device": "cpu", "workers": 2, "targets": ["sm_90"]},
            "split": {"train": 0.7, "validation": 0.15, "test": 0.15},
        }
    )
    records = list(iter_records(tmp_path))
    assert report.passed == len(records) >= 3
    for record in records:
        proof = record["verification"]
        assert proof["status"] == "passed"
        assert proof["evidence"] == "interpreted"
        assert proof["targets"] == {"sm_90": "ok"}
        assert proof["torch"]
        assert proof["seconds"] > 0


def test_several_processes_write_the_same_bytes(tmp_path, monkeypatch):
    monkeypatch.setattr("tritongen.pipeline.builder.WORTH_IT", 0)
    written = []
    for workers in (1, 2):
        out = tmp_path / str(workers)
        verify = {"device": "none", "workers": workers}
        tritongen.build({"out": str(out), "count": 900, "shard_size": 200, "verify": verify})
        shards = sorted(out.glob("*/shard-*.parquet"))
        written.append({str(path.relative_to(out)): path.read_bytes() for path in shards})
    assert len(written[0]) > 5
    assert written[0] == written[1]
