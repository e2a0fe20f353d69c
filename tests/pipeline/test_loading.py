"""The folder as it stands loads with the real `datasets` library."""

from __future__ import annotations

import os

import pytest

from tritongen.export.parquet import SCHEMA
from tritongen.export.reader import iter_records
from tritongen.export.records import decode_record
from tritongen.pair import Pair
from tritongen.pipeline import build

os.environ.setdefault("HF_HUB_OFFLINE", "1")
datasets = pytest.importorskip("datasets")


@pytest.mark.parametrize("file_format", ["parquet", "jsonl"])
@pytest.mark.parametrize("device", ["none", "cpu"])
def test_load_dataset_gives_the_splits(fake_source, fake_gate, tmp_path, file_format, device):
    out = tmp_path / "dataset"
    report = build(
        {
            "out": out,
            "count": 240,
            "shard_size": 60,
            "format": file_format,
            "verify": {"device": device},
        }
    )
    loaded = datasets.load_dataset(str(out), cache_dir=str(tmp_path / "cache"))
    assert {name: part.num_rows for name, part in loaded.items()} == report.splits
    for name, part in loaded.items():
        assert part.features == datasets.Features.from_arrow_schema(SCHEMA)
        assert [decode_record(row) for row in part] == list(iter_records(out, split=name))
    Pair.from_record(decode_record(loaded["train"][0]))
