"""Reading a dataset back, record by record."""

from __future__ import annotations

import json
from collections.abc import Iterator
from pathlib import Path
from typing import Any

from tritongen.errors import InputFileError, UnknownNameError
from tritongen.export.manifest import Manifest, ShardFile, read_manifest
from tritongen.export.records import FIELDS, decode_record
from tritongen.splits import SPLITS

_BATCH = 256
_REPAIR = (
    "run the build again (or `tritongen verify`, if it was stopped), or fetch the dataset again"
)


def iter_records(dataset_dir: str | Path, *, split: str | None = None) -> Iterator[dict[str, Any]]:
    """The records of a finished build in their order: train, validation, test, or one split.

    `metadata.params` and `verification.targets` come as mappings. Memory does not grow with the
    dataset. Raises InputFileError for a folder without a manifest and for a file that is missing,
    cut off, of another shape, or with other rows than the manifest says.
    """
    if split is not None and split not in SPLITS:
        raise UnknownNameError("split", "unknown split", value=split, known=SPLITS)
    dataset = Path(dataset_dir)
    manifest = read_manifest(dataset)
    return _records(dataset, manifest, [split] if split is not None else list(SPLITS))


def _records(dataset: Path, manifest: Manifest, splits: list[str]) -> Iterator[dict[str, Any]]:
    read = _parquet if manifest.file_format == "parquet" else _jsonl
    for name in splits:
        for file in manifest.files:
            if file.split == name:
                path = dataset / file.path
                if not path.is_file():
                    raise InputFileError(
                        str(path), "a file of the dataset is missing", hint=_REPAIR
                    )
                yield from read(path, file)


def _parquet(path: Path, file: ShardFile) -> Iterator[dict[str, Any]]:
    import pyarrow as pa
    import pyarrow.parquet as pq

    try:
        with pq.ParquetFile(path) as parquet:
            _check_columns(path, set(parquet.schema_arrow.names))
            _check_rows(path, parquet.metadata.num_rows, file)
            for batch in parquet.iter_batches(_BATCH):
                yield from map(decode_record, batch.to_pylist())
    except (pa.ArrowException, OSError) as error:
        problem = f"is not a whole Parquet file ({str(error).splitlines()[0]})"
        raise InputFileError(str(path), problem, hint=_REPAIR) from None


def _jsonl(path: Path, file: ShardFile) -> Iterator[dict[str, Any]]:
    number = 0
    try:
        with path.open("rb") as lines:
            for number, line in enumerate(lines, 1):
                values = json.loads(line)
                _check_columns(Path(f"{path}:{number}"), set(values))
                yield decode_record(values)
    except (OSError, ValueError, TypeError, AttributeError) as error:
        problem = f"is not a record ({error})"
        raise InputFileError(f"{path}:{number}", problem, hint=_REPAIR) from None
    _check_rows(path, number, file)


def _check_columns(path: Path, names: set[str]) -> None:
    missing = [name for name in FIELDS if name not in names]
    if missing:
        raise InputFileError(
            str(path), "has not the fields of a dataset of tritongen", value=missing, known=FIELDS
        )


def _check_rows(path: Path, rows: int, file: ShardFile) -> None:
    if rows != file.rows:
        raise InputFileError(
            str(path), f"has {rows} rows where the manifest says {file.rows}", hint=_REPAIR
        )
