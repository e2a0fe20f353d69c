"""A dataset folder: where things lie in it, who may write, what is known of each shard.

Builds and verifications of a dataset share the lock and the entries, so that neither takes the
other's work for damage.
"""

from __future__ import annotations

import fcntl
import json
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import asdict, dataclass
from pathlib import Path

from tritongen.errors import BuildError
from tritongen.export.counts import Counts
from tritongen.export.files import sha256, write_bytes
from tritongen.export.manifest import ShardFile

STATE = ".tritongen"
REJECTED = "rejected"
VERIFYING = "verify"
"""The folder below `STATE` of a verification that is under way or was stopped."""


@dataclass(frozen=True, slots=True)
class ShardEntry:
    """A complete shard: what was counted, and its files."""

    attempted: int
    counts: Counts
    files: list[ShardFile]


@contextmanager
def locked(out: Path) -> Iterator[None]:
    """Hold the lock of a folder; BuildError where another process has it.

    The lock goes with the process that holds it, however that ends.
    """
    (out / STATE).mkdir(parents=True, exist_ok=True)
    with (out / STATE / "lock").open("a") as lock:
        try:
            fcntl.flock(lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError:
            raise BuildError(
                str(out),
                "another build is writing here, or a verification",
                hint="wait for it, or give another folder",
            ) from None
        yield


class Entries:
    """The entries of the complete shards, one small file each, written after the shard's own."""

    def __init__(self, out: Path) -> None:
        self.out = out
        self.folder = out / STATE / "shards"

    def path(self, shard: int) -> Path:
        """Where the entry of a shard stands."""
        return self.folder / f"{shard:05d}.json"

    def checked(self, shard: int) -> ShardEntry | None:
        """The entry of a shard if it is there and its files are as they were written."""
        try:
            values = json.loads(self.path(shard).read_bytes())
            for file in values["stored"]:
                path = self.out / file["path"]
                if path.stat().st_size != file["bytes"] or sha256(path) != file["sha256"]:
                    return None
            return self.read(shard)
        except (OSError, ValueError, KeyError, TypeError):
            return None

    def read(self, shard: int) -> ShardEntry:
        """The entry of a shard that has just been written or checked."""
        values = json.loads(self.path(shard).read_bytes())
        files = [ShardFile(**file) for file in values["files"]]
        return ShardEntry(values["attempted"], Counts.from_json(values["counts"]), files)

    def write(self, shard: int, entry: ShardEntry, paths: list[Path]) -> None:
        """Write the entry of a shard whose files, `paths`, are all in place."""
        stored = [
            {
                "path": path.relative_to(self.out).as_posix(),
                "bytes": path.stat().st_size,
                "sha256": sha256(path),
            }
            for path in paths
        ]
        values = {
            "attempted": entry.attempted,
            "counts": entry.counts.to_json(),
            "files": [asdict(file) for file in entry.files],
            "stored": stored,
        }
        text = json.dumps(values, indent=1, ensure_ascii=False)
        write_bytes(self.path(shard), text.encode() + b"\n")
