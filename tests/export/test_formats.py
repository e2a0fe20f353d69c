"""Parquet and JSONL shards: the same content, one schema."""

from __future__ import annotations

import json
import math
from dataclasses import replace

import pyarrow as pa
import pyarrow.parquet as pq
import pytest

from tritongen.export import jsonl, parquet
from tritongen.export.records import (
    FIELDS,
    METADATA_FIELDS,
    UNVERIFIED,
    VERIFICATION_FIELDS,
    decode_record,
    encode_line,
    record,
    rejected_record,
)
from tritongen.pair import Pair


def test_the_schema_has_the_fields_of_a_record():
    assert tuple(parquet.SCHEMA.names) == FIELDS
    assert tuple(field.name for field in parquet.METADATA) == METADATA_FIELDS
    assert tuple(field.name for field in parquet.VERIFICATION) == VERIFICATION_FIELDS


def test_parquet_rows_and_jsonl_lines_are_the_same_records(pairs, verdicts):
    rows = parquet.to_batch(pairs, verdicts).to_pylist()
    lines = [json.loads(line) for line in jsonl.to_lines(pairs, verdicts).splitlines()]
    assert rows == lines == [record(*both) for both in zip(pairs, verdicts, strict=True)]


def test_a_decoded_record_gives_the_pair_back(pairs, verdicts):
    rows = parquet.to_batch(pairs, verdicts).to_pylist()
    assert [Pair.from_record(decode_record(row)) for row in rows] == pairs


def test_a_decoded_record_has_targets_by_name(pairs, verdicts):
    decoded = decode_record(record(pairs[0], verdicts[0]))
    assert decoded["verification"]["targets"] == {"sm_80": "ok", "gfx942": "ok"}


@pytest.mark.parametrize("value", [math.nan, math.inf])
def test_errors_that_are_no_finite_numbers_are_null_in_both_formats(pairs, verdicts, value):
    bad = replace(verdicts[0], max_abs_error=value)
    row = parquet.to_batch(pairs[:1], [bad]).to_pylist()[0]
    line = json.loads(jsonl.to_lines(pairs[:1], [bad]))
    assert row["verification"]["max_abs_error"] is None
    assert line == row


def test_metadata_that_a_pair_lacks_is_null(pairs):
    bare = replace(pairs[0], metadata={})
    row = parquet.to_batch([bare], [UNVERIFIED]).to_pylist()[0]
    assert row == json.loads(jsonl.to_lines([bare], [UNVERIFIED]))
    assert row["metadata"]["params"] == "{}"
    assert row["metadata"]["family"] == bare.family


def test_a_shard_is_one_zstd_row_group_with_a_page_index(tmp_path, pairs, verdicts):
    path = tmp_path / "shard.parquet"
    batch = parquet.to_batch(pairs, verdicts)
    parquet.write(path, [batch, batch])
    file = pq.ParquetFile(path)
    assert file.metadata.num_rows == 2 * len(pairs)
    assert file.metadata.num_row_groups == 1
    column = file.metadata.row_group(0).column(0)
    assert column.compression == "ZSTD"
    assert column.has_offset_index
    assert file.schema_arrow.equals(parquet.SCHEMA)


def test_equal_content_gives_equal_files(tmp_path, pairs, verdicts):
    for name in "ab":
        parquet.write(tmp_path / name, [parquet.to_batch(pairs, verdicts)])
    assert (tmp_path / "a").read_bytes() == (tmp_path / "b").read_bytes()


def test_content_defined_chunks_follow_what_pyarrow_offers(monkeypatch):
    parquet._options.cache_clear()
    assert parquet._options()["use_content_defined_chunking"] is True
    monkeypatch.setattr(pq.ParquetWriter, "__init__", lambda self, where, schema: None)
    parquet._options.cache_clear()
    assert "use_content_defined_chunking" not in parquet._options()
    parquet._options.cache_clear()


def test_rejected_records_are_strict_json_whatever_the_witness_holds(pairs, verdicts):
    odd = {"expected": math.nan, 3: (1, 2), "dtype": pa.int8()}
    values = rejected_record(pairs[0], replace(verdicts[0], reason="why", witness=odd))
    read = json.loads(encode_line(values), parse_constant=pytest.fail)
    assert read["verification"]["reason"] == "why"
    assert read["verification"]["witness"] == {"expected": "nan", "3": [1, 2], "dtype": "int8"}
