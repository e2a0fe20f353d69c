"""Parquet shards: records become columns in batches, one row group per shard.

zstd, content-defined chunks (a hub that stores chunks once then re-uploads little after a change)
and a page index. Rows keep the order of the plan, so the variants of a program stand side by side
and compress against each other.
"""

from __future__ import annotations

import inspect
from collections.abc import Sequence
from functools import cache
from pathlib import Path
from typing import Any

import pyarrow as pa
import pyarrow.parquet as pq

from tritongen.export.columns import flags, lists, numbers, texts
from tritongen.export.records import ENTRY_FIELDS, PairLike, VerdictLike, encode_params, finite

_TEXT = pa.string()
_TEXTS = pa.list_(_TEXT)
_ENTRY = pa.struct([(name, _TEXT) for name in ENTRY_FIELDS])
_TARGETS = pa.list_(pa.struct([("target", _TEXT), ("result", _TEXT)]))

METADATA = pa.struct(
    [
        ("operation_type", _TEXT),
        ("difficulty", _TEXT),
        ("tags", _TEXTS),
        ("family", _TEXT),
        ("strategy", _TEXT),
        ("op", _TEXT),
        ("dtypes", _TEXTS),
        ("params", _TEXT),
        ("entry", _ENTRY),
        ("atomics", pa.bool_()),
        ("requires", _TEXTS),
        ("targets", _TEXTS),
    ]
)
VERIFICATION = pa.struct(
    [
        ("status", _TEXT),
        ("evidence", _TEXT),
        ("proof", _TEXT),
        ("targets", _TARGETS),
        ("device", _TEXT),
        ("torch", _TEXT),
        ("triton", _TEXT),
        ("max_abs_error", pa.float64()),
        ("max_rel_error", pa.float64()),
        ("seconds", pa.float64()),
    ]
)
SCHEMA = pa.schema(
    [
        ("id", _TEXT),
        ("program_id", _TEXT),
        ("operation_id", _TEXT),
        ("description", _TEXT),
        ("python_code", _TEXT),
        ("triton_code", _TEXT),
        ("test_code", _TEXT),
        ("metadata", METADATA),
        ("verification", VERIFICATION),
    ]
)

_REPETITIVE = [
    *(
        f"metadata.{name}"
        for name in ("operation_type", "difficulty", "family", "strategy", "op", "atomics")
    ),
    *(f"metadata.{name}.list.element" for name in ("tags", "dtypes", "requires", "targets")),
    *(
        f"verification.{name}"
        for name in ("status", "evidence", "proof", "device", "torch", "triton")
    ),
    *(f"verification.targets.list.element.{name}" for name in ("target", "result")),
    "program_id",
    "operation_id",
]


def to_batch(pairs: Sequence[PairLike], verdicts: Sequence[VerdictLike]) -> pa.RecordBatch:
    """The columns of some records; pairs and verdicts go together by position."""
    return pa.record_batch(
        [
            texts([pair.id for pair in pairs]),
            texts([pair.program_id for pair in pairs]),
            texts([pair.operation_id for pair in pairs]),
            texts([pair.description for pair in pairs]),
            texts([pair.python_code for pair in pairs]),
            texts([pair.triton_code for pair in pairs]),
            texts([pair.test_code for pair in pairs]),
            _metadata(pairs),
            _verification(verdicts),
        ],
        schema=SCHEMA,
    )


def write(path: Path, batches: Sequence[pa.RecordBatch]) -> None:
    """Write the batches as one file with one row group."""
    write_table(path, pa.Table.from_batches(batches, SCHEMA))


def write_table(path: Path, table: pa.Table) -> None:
    """Write a table with the columns of `SCHEMA`, and perhaps others, as one row group."""
    with pq.ParquetWriter(path, table.schema, **_options()) as writer:
        writer.write_table(table, row_group_size=max(1, table.num_rows))


def with_verification(
    table: pa.Table, verdicts: Sequence[VerdictLike], kept: Sequence[bool]
) -> pa.Table:
    """The rows of `table` that are `kept`, with other verifications; one for every row before."""
    place = table.schema.get_field_index("verification")
    column = pa.chunked_array([_verification(verdicts)])
    return table.set_column(place, "verification", column).filter(flags(kept))


def _metadata(pairs: Sequence[PairLike]) -> pa.StructArray:
    metas = [pair.metadata for pair in pairs]
    entries = [meta.get("entry") or {} for meta in metas]
    entry = pa.StructArray.from_arrays(
        [texts([item.get(name) for item in entries]) for name in ENTRY_FIELDS],
        fields=list(_ENTRY),
    )
    columns = [
        texts([meta.get("operation_type") for meta in metas]),
        texts([meta.get("difficulty") for meta in metas]),
        lists([meta.get("tags") or () for meta in metas], _TEXTS),
        texts([pair.family for pair in pairs]),
        texts([pair.strategy for pair in pairs]),
        texts([meta.get("op") for meta in metas]),
        lists([meta.get("dtypes") or () for meta in metas], _TEXTS),
        texts([encode_params(meta.get("params") or {}) for meta in metas]),
        entry,
        flags([meta.get("atomics") for meta in metas]),
        lists([meta.get("requires") for meta in metas], _TEXTS),
        lists([meta.get("targets") for meta in metas], _TEXTS),
    ]
    return pa.StructArray.from_arrays(columns, fields=list(METADATA))


def _verification(verdicts: Sequence[VerdictLike]) -> pa.StructArray:
    columns = [
        texts([verdict.status for verdict in verdicts]),
        texts([verdict.evidence for verdict in verdicts]),
        texts([verdict.proof for verdict in verdicts]),
        lists([list(verdict.targets.items()) for verdict in verdicts], _TARGETS, _targets),
        texts([verdict.device for verdict in verdicts]),
        texts([verdict.torch for verdict in verdicts]),
        texts([verdict.triton for verdict in verdicts]),
        numbers([finite(verdict.max_abs_error) for verdict in verdicts]),
        numbers([finite(verdict.max_rel_error) for verdict in verdicts]),
        numbers([finite(verdict.seconds) for verdict in verdicts]),
    ]
    return pa.StructArray.from_arrays(columns, fields=list(VERIFICATION))


def _targets(items: list[tuple[str, str]]) -> pa.StructArray:
    columns = [texts([target for target, _ in items]), texts([result for _, result in items])]
    return pa.StructArray.from_arrays(columns, fields=list(_TARGETS.value_type))


@cache
def _options() -> dict[str, Any]:
    options: dict[str, Any] = {
        "compression": "zstd",
        "compression_level": 3,
        "use_dictionary": _REPETITIVE,
        "write_page_index": True,
        "write_statistics": ["id", "program_id", "operation_id"],
    }
    if "use_content_defined_chunking" in inspect.signature(pq.ParquetWriter.__init__).parameters:
        options["use_content_defined_chunking"] = True
    return options
