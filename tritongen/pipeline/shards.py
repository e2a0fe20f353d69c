"""Writing one shard: its pairs, judged, into up to three split files, the refusals, its entry."""

from __future__ import annotations

import hashlib
from collections import deque
from collections.abc import Callable, Iterable, Iterator
from pathlib import Path
from typing import Any

from tritongen.export.counts import Counts
from tritongen.export.files import write_atomically, write_lines
from tritongen.export.manifest import ShardFile
from tritongen.export.records import UNVERIFIED, VerdictLike, encode_line, rejected_record
from tritongen.pair import Pair
from tritongen.pipeline.ledger import REJECTED, Journal, Ledger, ShardEntry
from tritongen.pipeline.source import PlanLike
from tritongen.splits import SPLITS, Split, SplitTable

Judge = Callable[[Iterable[Pair]], Iterator[VerdictLike]]
"""Verdicts for pairs, in the order of the pairs."""

Tick = Callable[[int, int], None]
"""Told how many pairs passed and were refused since the last time."""

_BATCH = 512


class _SplitBuffer:
    """The pairs of one split of a shard, turned into columns (or lines) batch by batch."""

    def __init__(self, split: Split, encode: Callable[..., Any], counts: Counts) -> None:
        self.split = split
        self.batches: list[Any] = []
        self.rows = 0
        self._encode = encode
        self._counts = counts
        self._pairs: list[Pair] = []
        self._verdicts: list[VerdictLike] = []
        self._ids = hashlib.blake2b(digest_size=16)

    def add(self, pair: Pair, verdict: VerdictLike) -> None:
        self._pairs.append(pair)
        self._verdicts.append(verdict)
        if len(self._pairs) == _BATCH:
            self.flush()

    def flush(self) -> None:
        if self._pairs:
            self.batches.append(self._encode(self._pairs, self._verdicts))
            self._counts.keep(self._pairs, self._verdicts, self.split)
            self._ids.update("".join([pair.id + "\n" for pair in self._pairs]).encode())
            self.rows += len(self._pairs)
            self._pairs, self._verdicts = [], []

    def file(self, path: str) -> ShardFile:
        return ShardFile(path, self.split, self.rows, self._ids.hexdigest())


def write_shard(
    ledger: Ledger,
    plan: PlanLike,
    shard: int,
    span: tuple[int, int],
    *,
    table: SplitTable,
    file_format: str,
    judge: Judge | None,
    tick: Tick,
) -> None:
    """Write the shard that holds the plan's positions `span`.

    Nothing of it counts until its entry is written, which happens last.
    """
    encode, write = _format(file_format)
    ledger.begin(shard)
    counts = Counts()
    buffers = {name: _SplitBuffer(name, encode, counts) for name in SPLITS}
    refused: list[bytes] = []
    operation, buffer = "", buffers["train"]
    for pair, verdict in _judged(ledger, shard, plan.pairs(*span), judge):
        if judge is not None and verdict.status != "passed":
            counts.refuse(pair, verdict)
            values = rejected_record(pair, verdict)
            refused.append(encode_line(values))
            tick(0, 1)
            continue
        if pair.operation_id != operation:
            operation = pair.operation_id
            buffer = buffers[table.split(operation)]
        buffer.add(pair, verdict)
        tick(1, 0)

    files: list[ShardFile] = []
    paths: list[Path] = []
    for name, filled in buffers.items():
        filled.flush()
        if filled.rows:
            files.append(filled.file(f"{name}/shard-{shard:05d}.{file_format}"))
            paths.append(ledger.out / files[-1].path)
            write_atomically(paths[-1], lambda partial, b=filled.batches: write(partial, b))
            filled.batches = []
    if refused:
        paths.append(ledger.out / REJECTED / f"shard-{shard:05d}.jsonl")
        write_lines(paths[-1], refused)
    ledger.complete(shard, ShardEntry(span[1] - span[0], counts, files), paths)


def _format(name: str) -> tuple[Callable[..., Any], Callable[[Path, list[Any]], None]]:
    if name == "jsonl":
        from tritongen.export import jsonl

        return jsonl.to_lines, jsonl.write
    from tritongen.export import parquet

    return parquet.to_batch, parquet.write


def _judged(
    ledger: Ledger, shard: int, pairs: Iterator[Pair], judge: Judge | None
) -> Iterator[tuple[Pair, VerdictLike]]:
    if judge is None:
        return ((pair, UNVERIFIED) for pair in pairs)
    return _through(judge, pairs, ledger.journal(shard))


def _through(
    judge: Judge, pairs: Iterator[Pair], journal: Journal
) -> Iterator[tuple[Pair, VerdictLike]]:
    """Pairs with their verdicts in order; those that the journal knows are not judged again."""
    waiting: deque[tuple[Pair, VerdictLike | None]] = deque()

    def unknown() -> Iterator[Pair]:
        for pair in pairs:
            known = journal.known.get(pair.id)
            waiting.append((pair, known))
            if known is None:
                yield pair

    try:
        for verdict in judge(unknown()):
            pair, known = waiting.popleft()
            while known is not None:
                yield pair, known
                pair, known = waiting.popleft()
            journal.add(pair.id, verdict)
            yield pair, verdict
        for pair, known in waiting:
            if known is None:
                raise RuntimeError(f"the verifier gave no verdict for pair {pair.id}")
            yield pair, known
    finally:
        journal.close()
