"""Reading a dataset back, whole or broken."""

from __future__ import annotations

import json

import fake_plan
import pyarrow as pa
import pyarrow.parquet as pq
import pytest

from tritongen.errors import InputFileError, UnknownNameError
from tritongen.export.reader import iter_records
from tritongen.pair import Pair

FORMATS = pytest.mark.parametrize("file_format", ["parquet", "jsonl"])


@FORMATS
def test_all_pairs_come_back_from_all_splits(build_fake, file_format):
    out = build_fake(format=file_format)
    read = [Pair.from_record(record) for record in iter_records(out)]
    assert sorted(read, key=lambda p: p.id) == sorted(
        fake_plan.FakePlan(240).pairs(), key=lambda p: p.id
    )
    parts = [list(iter_records(out, split=s)) for s in ("train", "validation", "test")]
    assert [*parts[0], *parts[1], *parts[2]] == list(iter_records(out))


@FORMATS
def test_a_shard_that_is_cut_off_is_named(build_fake, file_format):
    out = build_fake(format=file_format)
    path = out / "train" / f"shard-00001.{file_format}"
    path.write_bytes(path.read_bytes()[:-37])
    with pytest.raises(InputFileError, match=r"train/shard-00001.*fetch the dataset again"):
        list(iter_records(out))


@FORMATS
def test_a_shard_with_other_rows_than_the_manifest_says_is_named(build_fake, file_format):
    out = build_fake(format=file_format)
    path = out / "train" / f"shard-00001.{file_format}"
    if file_format == "jsonl":
        path.write_bytes(b"".join(path.read_bytes().splitlines(keepends=True)[:-1]))
    else:
        pq.write_table(pq.read_table(path).slice(1), path)
    with pytest.raises(InputFileError, match=r"rows where the manifest says"):
        list(iter_records(out))


@FORMATS
def test_a_foreign_file_is_named_with_the_fields_it_lacks(build_fake, file_format):
    out = build_fake(format=file_format)
    path = out / "train" / f"shard-00001.{file_format}"
    if file_format == "jsonl":
        path.write_text('{"id": 3}\n')
    else:
        pq.write_table(pa.table({"id": ["3"]}), path)
    with pytest.raises(InputFileError, match=r"has not the fields.*triton_code"):
        list(iter_records(out))


def test_a_missing_shard_is_named(build_fake):
    out = build_fake()
    (out / "train" / "shard-00001.parquet").unlink()
    with pytest.raises(InputFileError, match=r"train/shard-00001.parquet.*missing"):
        list(iter_records(out))


def test_a_folder_without_a_manifest_is_refused_at_the_call(tmp_path):
    with pytest.raises(InputFileError, match=r"manifest.json: there is no manifest"):
        iter_records(tmp_path)


@pytest.mark.parametrize("text", ["", '{"format": 1, "con', "[]", '{"format": 1}', '"x"'])
def test_a_broken_or_foreign_manifest_is_refused(tmp_path, text):
    (tmp_path / "manifest.json").write_text(text)
    with pytest.raises(InputFileError, match=r"manifest.json"):
        iter_records(tmp_path)


def test_a_manifest_of_another_format_is_refused(build_fake):
    out = build_fake()
    values = json.loads((out / "manifest.json").read_text())
    (out / "manifest.json").write_text(json.dumps(values | {"format": 99}))
    with pytest.raises(InputFileError, match=r"another format: 99"):
        iter_records(out)


def test_an_unknown_split_is_refused(build_fake):
    with pytest.raises(UnknownNameError, match=r"did you mean 'train'"):
        iter_records(build_fake(), split="trian")
