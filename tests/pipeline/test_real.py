"""Builds from the package's own templates, end to end."""

from __future__ import annotations

import shutil
import subprocess
import sys
from pathlib import Path

import pytest

import tritongen
from tritongen.catalog import builtin_root
from tritongen.export.reader import iter_records
from tritongen.export.records import ENTRY_FIELDS, METADATA_FIELDS
from tritongen.pair import Pair

NONE = {"device": "none"}


@pytest.fixture(scope="module")
def dataset(tmp_path_factory):
    out = tmp_path_factory.mktemp("real") / "dataset"
    tritongen.build({"out": out, "count": 300, "shard_size": 100, "verify": NONE})
    return out


def test_every_family_is_built_and_every_pair_comes_back_as_it_was(dataset):
    pairs = {pair.id: pair for pair in tritongen.expand(limit=300)}
    records = list(iter_records(dataset))
    assert {record["metadata"]["family"] for record in records} == set(tritongen.families())
    assert len(records) == len(pairs) == 300
    assert all(Pair.from_record(record) == pairs[record["id"]] for record in records)


def test_the_record_has_room_for_all_metadata():
    for pair in tritongen.expand(limit=200):
        assert set(pair.metadata) <= set(METADATA_FIELDS)
        assert set(pair.metadata["entry"]) <= set(ENTRY_FIELDS)


def test_the_demo_plans_every_family_and_enough_pairs():
    from tritongen.pipeline.config import load_config
    from tritongen.pipeline.source import open_source, operations
    from tritongen.splits import split_operations

    config = load_config(Path(__file__).parents[2] / "examples" / "demo.toml")
    source = open_source(config)
    table = split_operations(operations(source.plan), ratios=config.split.ratios())
    assert len(source.plan) >= 300
    assert set(table.operations) == {"elementwise", "reduction", "softmax", "layernorm", "matmul"}
    assert not table.moved


def test_adding_a_family_moves_no_pair_to_another_split(dataset, tmp_path):
    """A copy of a family under another name, in a folder of the user's own."""
    root, mine = builtin_root(), tmp_path / "templates"
    for kind in ("python", "pytest"):
        (mine / kind).mkdir(parents=True)
        source = root / kind / "reduction.py.jinja"
        if source.exists():
            shutil.copy(source, mine / kind / "my_reduction.py.jinja")
    shutil.copytree(root / "triton" / "reduction", mine / "triton" / "my_reduction")
    tritongen.build(
        {
            "out": tmp_path / "dataset",
            "count": 300,
            "shard_size": 100,
            "verify": NONE,
            "templates": [mine],
        }
    )
    before, after = (
        {
            record["operation_id"]: split
            for split in ("train", "validation", "test")
            for record in iter_records(out, split=split)
        }
        for out in (dataset, tmp_path / "dataset")
    )
    both = before.keys() & after.keys()
    assert len(both) > 30
    assert all(before[operation] == after[operation] for operation in both)
    families = {record["metadata"]["family"] for record in iter_records(tmp_path / "dataset")}
    assert "my_reduction" in families


def test_building_loads_neither_torch_nor_triton(tmp_path):
    code = (
        "import sys, tritongen\n"
        f"config = {{'out': {str(tmp_path / 'd')!r}, 'count': 40, 'verify': {{'device': 'none'}},\n"
        "          'families': ['softmax'], 'presentations': 1}\n"
        "tritongen.build(config)\n"
        "print(sorted({'torch', 'triton'} & set(sys.modules)))\n"
    )
    run = subprocess.run(
        [sys.executable, "-c", code],
        env={"PYTHONPATH": ":".join([str(Path(__file__).parents[2]), *sys.path])},
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
