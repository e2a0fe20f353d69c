"""The state of a dataset folder: whose it is, which shards are complete, who is writing.

`.tritongen/build.json` names the build that the folder belongs to, `.tritongen/shards/00000.json`
says that a shard is complete (written last, with the hashes of its files), and
`.tritongen/verdicts/00000.jsonl` keeps the verdicts of a shard that is under way. Nothing else is
state: resuming is writing the shards that are missing.
"""

from __future__ import annotations

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
from tritongen.export.files import remove_partials, write_bytes
from tritongen.pipeline.folder import REJECTED, STATE, VERIFYING, Entries, ShardEntry, locked
from tritongen.pipeline.journal import Journal
from tritongen.splits import SPLITS

FORMAT = 1
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


class Ledger:
    """A locked dataset folder. Get one from `open_ledger`."""

    def __init__(self, out: Path, identity: Identity, stale: list[str] | None) -> None:
        self.out = out
        self.identity = identity
        self._stale = stale
        self._state = out / STATE
        self._entries = Entries(out)

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
        return self._entries.checked(shard)

    def read_entry(self, shard: int) -> ShardEntry:
        """The entry of a shard that has just been written or checked."""
        return self._entries.read(shard)

    def begin(self, shard: int) -> None:
        """Remove what an interrupted run has left of a shard."""
        self._entries.path(shard).unlink(missing_ok=True)
        for folder in _FOLDERS:
            for path in (self.out / folder).glob(f"shard-{shard:05d}.*"):
                path.unlink()

    def complete(self, shard: int, entry: ShardEntry, paths: list[Path]) -> None:
        """Write the entry of a shard whose files are all in place."""
        self._entries.write(shard, entry, paths)
        self._journal(shard).unlink(missing_ok=True)

    def journal(self, shard: int) -> Journal:
        """The verdicts of a shard so far."""
        return Journal(self._journal(shard))

    def _journal(self, shard: int) -> Path:
        return self._state / "verdicts" / f"{shard:05d}.jsonl"

    def _clear(self) -> None:
        (self.out / manifest.NAME).unlink(missing_ok=True)
        if (self._state / "build.json").exists():
            (self.out / card.NAME).unlink(missing_ok=True)
        (self._state / "build.json").unlink(missing_ok=True)
        for folder in ("shards", "verdicts", VERIFYING):
            shutil.rmtree(self._state / folder, ignore_errors=True)
        for folder in _FOLDERS:
            for path in (self.out / folder).glob("*"):
                if _OURS.fullmatch(path.name):
                    path.unlink()


@contextmanager
def open_ledger(out: Path, identity: Identity, *, overwrite: bool) -> Iterator[Ledger]:
    """Lock a dataset folder for one build; nothing of a dataset in it is touched before `prepare`.

    Raises BuildError where the folder holds another build or files that no build wrote, unless
    `overwrite`, where another process is writing there, and where a verification was stopped.
    """
    if out.exists() and not out.is_dir():
        raise BuildError(str(out), "is a file, not a folder", hint="give another `out`")
    _refuse_strangers(out)
    with locked(out):
        stale = _stale(out, identity)
        if stale and not overwrite:
            raise BuildError(
                str(out),
                "holds another build; what differs: " + ", ".join(stale),
                hint="give another `out`, or overwrite it (--overwrite)",
            )
        if (out / STATE / VERIFYING / "run.json").exists() and not stale:
            raise BuildError(
                str(out),
                "a verification of this dataset was stopped",
                hint=f"end it first: tritongen verify {out}",
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
        plain = [out / folder] if (out / folder).is_file() else []
        for path in (*plain, *sorted((out / folder).glob("*"))):
            if path in plain or not _OURS.fullmatch(path.name):
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
