"""Shard files with other verifications: what they prove, and the same file with some records changed.

Only the field `verification` changes and records leave; every other field, also one that this
package does not know, stays as it is, and so does the order.
"""

from __future__ import annotations

import hashlib
import json
from collections.abc import Collection, Iterator, Mapping
from pathlib import Path
from typing import Any

from tritongen.errors import InputFileError
from tritongen.export.files import write_atomically, write_lines
from tritongen.export.manifest import ShardFile
from tritongen.export.records import (
    VERIFICATION_FIELDS,
    Verification,
    decode_record,
    encode_line,
    encode_verification,
)

_REPAIR = "fetch the dataset again, or build it again"


def read_verifications(path: Path) -> Iterator[tuple[str, Verification]]:
    """(id, what is proved of it) for every record of a shard file, in order.

    Raises InputFileError for a file that is missing, cut off or foreign.
    """
    if path.suffix == ".parquet":
        table = _read_parquet(path, ["id", "verification"])
        ids, values = table.column("id").to_pylist(), table.column("verification").to_pylist()
        yield from zip(ids, map(verification_of, values), strict=True)
    else:
        for values in _read_jsonl(path):
            yield values["id"], verification_of(values["verification"])


def read_records(path: Path) -> Iterator[dict[str, Any]]:
    """The records of a shard file, `metadata.params` and `verification.targets` as mappings."""
    if path.suffix == ".parquet":
        for batch in _read_parquet(path).to_batches():
            yield from map(decode_record, batch.to_pylist())
    else:
        yield from map(decode_record, _read_jsonl(path))


def read_lines(path: Path) -> list[bytes]:
    """The whole lines of a file of JSON lines; none where there is no file."""
    try:
        return [line for line in path.read_bytes().splitlines(keepends=True) if line.strip()]
    except FileNotFoundError:
        return []


def verification_of(values: Mapping[str, Any]) -> Verification:
    """The verification in a stored record, raw or decoded."""
    known = {name: values[name] for name in VERIFICATION_FIELDS if values.get(name) is not None}
    targets = known.get("targets") or {}
    if not isinstance(targets, Mapping):
        targets = {item["target"]: item["result"] for item in targets}
    return Verification(**{**known, "targets": targets})


def rewrite(
    path: Path, split: str, changed: Mapping[str, Verification], dropped: Collection[str]
) -> ShardFile | None:
    """Replace the verifications of `changed` and leave out the records `dropped`, by id.

    The file is replaced as a whole; it is not touched where nothing is to be done and removed
    where no record is left. Returns what a manifest says of it; None where it is gone.
    """
    ids = [pair_id for pair_id, _ in read_verifications(path)]
    if not changed.keys().isdisjoint(ids) or not set(dropped).isdisjoint(ids):
        ids = [pair_id for pair_id in ids if pair_id not in dropped]
        if not ids:
            path.unlink()
            return None
        change = _rewrite_parquet if path.suffix == ".parquet" else _rewrite_jsonl
        change(path, changed, dropped)
    digest = hashlib.blake2b("".join([f"{i}\n" for i in ids]).encode(), digest_size=16).hexdigest()
    return ShardFile(f"{split}/{path.name}", split, len(ids), digest)


def _rewrite_parquet(
    path: Path, changed: Mapping[str, Verification], dropped: Collection[str]
) -> None:
    from tritongen.export import parquet

    table = _read_parquet(path)
    ids = table.column("id").to_pylist()
    stored = table.column("verification").to_pylist()
    values = [
        changed.get(pair_id) or verification_of(old)
        for pair_id, old in zip(ids, stored, strict=True)
    ]
    table = parquet.with_verification(table, values, [pair_id not in dropped for pair_id in ids])
    write_atomically(path, lambda partial: parquet.write_table(partial, table))


def _rewrite_jsonl(
    path: Path, changed: Mapping[str, Verification], dropped: Collection[str]
) -> None:
    lines = []
    for line in read_lines(path):
        values = json.loads(line)
        if values["id"] in dropped:
            continue
        new = changed.get(values["id"])
        if new is not None:
            values["verification"] = {**values["verification"], **encode_verification(new)}
            line = encode_line(values)
        lines.append(line)
    write_lines(path, lines)


def _read_parquet(path: Path, columns: list[str] | None = None) -> Any:
    import pyarrow as pa
    import pyarrow.parquet as pq

    try:
        with pq.ParquetFile(path) as parquet:
            return parquet.read(columns)
    except FileNotFoundError:
        raise _missing(path) from None
    except (pa.ArrowException, OSError) as error:
        problem = f"is not a whole Parquet file ({str(error).splitlines()[0]})"
        raise InputFileError(str(path), problem, hint=_REPAIR) from None


def _read_jsonl(path: Path) -> Iterator[dict[str, Any]]:
    number = 0
    try:
        with path.open("rb") as lines:
            for line in lines:
                number += 1
                values = json.loads(line)
                if not isinstance(values.get("verification"), dict) or "id" not in values:
                    raise ValueError("it has no id or verification")
                yield values
    except FileNotFoundError:
        raise _missing(path) from None
    except (ValueError, AttributeError) as error:
        problem = f"is not a record ({error})"
        raise InputFileError(f"{path}:{number}", problem, hint=_REPAIR) from None


def _missing(path: Path) -> InputFileError:
    return InputFileError(str(path), "a file of the dataset is missing", hint=_REPAIR)
