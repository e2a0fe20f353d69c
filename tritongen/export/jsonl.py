"""JSONL shards: one record a line, the same content as the Parquet shards."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

from tritongen.export.records import PairLike, VerdictLike, encode_line, record


def to_lines(pairs: Sequence[PairLike], verdicts: Sequence[VerdictLike]) -> bytes:
    """The lines of some records; pairs and verdicts go together by position."""
    return b"".join(
        encode_line(record(pair, verdict)) for pair, verdict in zip(pairs, verdicts, strict=True)
    )


def write(path: Path, chunks: Sequence[bytes]) -> None:
    """Write the chunks of lines as one file."""
    with path.open("wb") as file:
        file.writelines(chunks)
