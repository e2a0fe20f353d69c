"""Shards of an unverified build, written by several processes.

A shard is a pure function of the configuration and its number, so it does not matter who writes it. Each
process takes every n-th missing shard and answers with a line for each one that is done.
"""

from __future__ import annotations

import gc
import os
import pickle
import subprocess
import sys
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from queue import SimpleQueue
from threading import Thread
from typing import TYPE_CHECKING

from tritongen.errors import BuildError

if TYPE_CHECKING:
    from tritongen.pipeline.config import BuildConfig
    from tritongen.pipeline.ledger import Identity
    from tritongen.splits import SplitTable

WORTH_IT = 20_000
"""Pairs from which several processes are worth their start."""


@dataclass(frozen=True)
class Share:
    """What one process writes."""

    config: BuildConfig
    identity: Identity
    table: SplitTable
    shards: tuple[int, ...]
    parent: int


def write_shards(
    shards: Sequence[int],
    config: BuildConfig,
    identity: Identity,
    table: SplitTable,
    workers: int,
) -> Iterator[tuple[int, int]]:
    """Write `shards`; yields the numbers of pairs kept and refused of each one that is done.

    Raises BuildError where a process ends before its share is written.
    """
    heard: SimpleQueue[tuple[int, int] | int] = SimpleQueue()
    processes = [
        _start(Share(config, identity, table, tuple(shards[k::workers]), os.getpid()), heard)
        for k in range(min(workers, len(shards)))
    ]
    try:
        running = len(processes)
        while running:
            said = heard.get()
            if isinstance(said, tuple):
                yield said
                continue
            running -= 1
            if said:
                raise BuildError(
                    str(config.out),
                    f"a process that writes shards ended with code {said}",
                    hint="what is written stays; run the same build again to go on",
                )
    finally:
        for process in processes:
            process.kill()
            process.wait()


def _start(share: Share, heard: SimpleQueue[tuple[int, int] | int]) -> subprocess.Popen[bytes]:
    process = subprocess.Popen(
        [sys.executable, "-c", "from tritongen.pipeline.parallel import main; main()"],
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
    )

    def listen() -> None:
        if process.stdin is not None and process.stdout is not None:
            try:
                with process.stdin as pipe:
                    pickle.dump(share, pipe)
                for line in process.stdout:
                    kept, refused = line.split()
                    heard.put((int(kept), int(refused)))
            except OSError:
                process.kill()
        heard.put(process.wait())

    Thread(target=listen, daemon=True).start()
    return process


def main() -> None:
    """Write the share given on standard input."""
    from tritongen.pipeline.ledger import Ledger
    from tritongen.pipeline.shards import write_shard
    from tritongen.pipeline.source import bounds, open_source

    share: Share = pickle.load(sys.stdin.buffer)
    config = share.config
    plan = open_source(config).plan
    # The tables of spaces live as long as the process: no collection need look at them again
    gc.freeze()
    ledger = Ledger(config.out, share.identity, None)
    for shard in share.shards:
        if os.getppid() != share.parent:
            return
        counts = [0, 0]

        def tick(kept: int, refused: int, counts: list[int] = counts) -> None:
            counts[0] += kept
            counts[1] += refused

        write_shard(
            ledger,
            plan,
            shard,
            bounds(plan, shard, config.shard_size),
            table=share.table,
            file_format=config.format,
            judge=None,
            tick=tick,
        )
        print(*counts, flush=True)
