"""The state of a dataset folder: whose it is, which shards are complete, who is writing.

`.tritongen/build.json` names the build that the folder belongs to, `.tritongen/shards/00000.json`
says that a shard is complete (written last, with the hashes of its files), and
`.tritongen/verdicts/00000.jsonl` keeps the verdicts of a shard that is under way. Nothing else is
state: resuming is writing the shards that are missing.
"""

from __future__ import annotations

import fcntl
import json
import re
import shutil
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any

from tritongen.errors import BuildError
from tritongen.export import card, manifest
from tritongen.export.counts import Counts
from tritongen.export.files import remove_partials, sha256, write_bytes
from tritongen.export.manifest import ShardFile
from tritongen.export.records import VerdictLike, Verification, encode_line, finite
from tritongen.splits import SPLITS

FORMAT = 1
STATE = ".tritongen"
REJECTED = "rejected"
_FOLDERS = (*SPLITS, REJECTED)
_OURS = re.compile(r"shard-\d{5,}\.(parquet|jsonl)|\..*\.partial")


@dataclass(frozen=True, slots=True)
class Identity:
    """What decides the content of a build."""

    config: Mapping[str, Any]
    config_hash: str
    template_hash: str
    versions: Mapping[str, str]

    def differences(self, other: Mapping[str, Any]) -> list[str]:
        """In words, what another identity (as stored) has otherwise."""
        found = []
        old, new = _flat(other.get("config", {})), _flat(self.config)
        for key in sorted(set(old) | set(new)):
            if old.get(key) != new.get(key):
                found.append(f"{key} (was {old.get(key)!r}, is {new.get(key)!r})")
        if other.get("template_hash") != self.template_hash:
            found.append("templates")
        versions = other.get("versions", {})
        for name, version in self.versions.items():
            if versions.get(name) != version:
                found.append(f"{name} (was {versions.get(name)}, is {version})")
        return found


@dataclass(frozen=True, slots=True)
class ShardEntry:
    """A complete shard: what was counted, and its files."""

    attempted: int
    counts: Counts
    files: list[ShardFile]


class Ledger:
    """A locked dataset folder. Get one from `open_ledger`."""

    def __init__(self, out: Path, identity: Identity, stale: list[str] | None) -> None:
        self.out = out
        self.identity = identity
        self._stale = stale
        self._state = out / STATE

    def prepare(self) -> None:
        """Make the folder this build's: clear an old build that is to be overwritten."""
        if self._stale is not None:
            self._clear()
            self._stale = None
        write_bytes(self._state / "build.json", _dump({"format": FORMAT, **asdict(self.identity)}))
        for folder in (*_FOLDERS, STATE, f"{STATE}/shards", "."):
            remove_partials(self.out / folder)

    def entry(self, shard: int) -> ShardEntry | None:
        """The entry of a shard if it is complete and its files are as they were written."""
        try:
            values = json.loads(self._marker(shard).read_bytes())
            for file in values["stored"]:
                path = self.out / file["path"]
                if path.stat().st_size != file["bytes"] or sha256(path) != file["sha256"]:
                    return None
            return ShardEntry(
                values["attempted"],
                Counts.from_json(values["counts"]),
                [ShardFile(**file) for file in values["files"]],
            )
        except (OSError, ValueError, KeyError, TypeError):
            return None

    def read_entry(self, shard: int) -> ShardEntry:
        """The entry of a shard that has just been written or checked."""
        values = json.loads(self._marker(shard).read_bytes())
        files = [ShardFile(**file) for file in values["files"]]
        return ShardEntry(values["attempted"], Counts.from_json(values["counts"]), files)

    def begin(self, shard: int) -> None:
        """Remove what an interrupted run has left of a shard."""
        self._marker(shard).unlink(missing_ok=True)
        for folder in _FOLDERS:
            for path in (self.out / folder).glob(f"shard-{shard:05d}.*"):
                path.unlink()

    def complete(self, shard: int, entry: ShardEntry, paths: list[Path]) -> None:
        """Write the entry of a shard whose files are all in place."""
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
        write_bytes(self._marker(shard), _dump(values))
        self._journal(shard).unlink(missing_ok=True)

    def journal(self, shard: int) -> Journal:
        """The verdicts of a shard so far."""
        return Journal(self._journal(shard))

    def _marker(self, shard: int) -> Path:
        return self._state / "shards" / f"{shard:05d}.json"

    def _journal(self, shard: int) -> Path:
        return self._state / "verdicts" / f"{shard:05d}.jsonl"

    def _clear(self) -> None:
        (self.out / manifest.NAME).unlink(missing_ok=True)
        if (self._state / "build.json").exists():
            (self.out / card.NAME).unlink(missing_ok=True)
        (self._state / "build.json").unlink(missing_ok=True)
        for folder in ("shards", "verdicts"):
            shutil.rmtree(self._state / folder, ignore_errors=True)
        for folder in _FOLDERS:
            for path in (self.out / folder).glob("*"):
                if _OURS.fullmatch(path.name):
                    path.unlink()


class Journal:
    """Verdicts by pair id, appended as they come, so that a killed build verifies nothing twice."""

    def __init__(self, path: Path) -> None:
        self._path = path
        self.known: dict[str, Verification] = {}
        whole = 0
        try:
            lines = path.read_bytes().splitlines(keepends=True)
        except OSError:
            lines = []
        for line in lines:
            try:
                values: dict[str, Any] = json.loads(line)
                pair_id = values.pop("id")
                self.known[pair_id] = Verification(**values)
            except (ValueError, TypeError, KeyError, AttributeError):
                break
            if not line.endswith(b"\n"):
                break
            whole += len(line)
        path.parent.mkdir(parents=True, exist_ok=True)
        self._file = path.open("ab")
        self._file.truncate(whole)

    def add(self, pair_id: str, verdict: VerdictLike) -> None:
        """Keep a verdict."""
        values = {name: getattr(verdict, name) for name in Verification.__slots__}
        values |= {name: finite(values[name]) for name in ("max_abs_error", "max_rel_error")}
        self._file.write(encode_line({"id": pair_id, **values}))
        self._file.flush()

    def close(self) -> None:
        """Close the file; it stays until the shard is complete."""
        self._file.close()


@contextmanager
def open_ledger(out: Path, identity: Identity, *, overwrite: bool) -> Iterator[Ledger]:
    """Lock a dataset folder for one build; nothing of a dataset in it is touched before `prepare`.

    Raises BuildError where the folder holds another build or files that no build wrote, unless
    `overwrite`, and where another process is building there.
    """
    if out.exists() and not out.is_dir():
        raise BuildError(str(out), "is a file, not a folder", hint="give another `out`")
    _refuse_strangers(out)
    (out / STATE).mkdir(parents=True, exist_ok=True)
    with (out / STATE / "lock").open("a") as lock:
        try:
            fcntl.flock(lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError:
            raise BuildError(
                str(out), "another build is writing here", hint="wait for it, or give another `out`"
            ) from None
        stale = _stale(out, identity)
        if stale and not overwrite:
            raise BuildError(
                str(out),
                "holds another build; what differs: " + ", ".join(stale),
                hint="give another `out`, or overwrite it (--overwrite)",
            )
        yield Ledger(out, identity, stale)


def _stale(out: Path, identity: Identity) -> list[str] | None:
    """What makes the folder another build's; None where it is this build's or nobody's."""
    path = out / STATE / "build.json"
    try:
        stored = json.loads(path.read_bytes())
        differences = identity.differences(stored)
        if stored.get("format") != FORMAT:
            differences.append("the format of the folder")
        return differences or None
    except FileNotFoundError:
        present = [name for name in (*_FOLDERS, manifest.NAME) if _filled(out / name)]
        return [f"{name} without a record of its build" for name in present] or None
    except (OSError, ValueError, AttributeError) as error:
        return [f"{path.name} cannot be read ({error})"]


def _refuse_strangers(out: Path) -> None:
    for folder in _FOLDERS:
        for path in sorted((out / folder).glob("*")):
            if not _OURS.fullmatch(path.name):
                raise BuildError(
                    str(path),
                    "stands where the build writes, and no build wrote it",
                    hint="move it away, or give another `out`",
                )


def _filled(path: Path) -> bool:
    return path.is_file() or (path.is_dir() and any(path.iterdir()))


def _flat(values: Mapping[str, Any], prefix: str = "") -> dict[str, Any]:
    flat: dict[str, Any] = {}
    for key, value in values.items():
        if isinstance(value, Mapping) and value:
            flat |= _flat(value, f"{prefix}{key}.")
        else:
            flat[f"{prefix}{key}"] = value
    return flat


def _dump(values: Mapping[str, Any]) -> bytes:
    return json.dumps(values, indent=1, ensure_ascii=False).encode() + b"\n"
