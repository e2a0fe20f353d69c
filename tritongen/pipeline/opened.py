"""A finished dataset opened for verification: its shards, and how one takes up its verdicts.

Taking up is safe to stop anywhere and to do again: refused pairs are written to `rejected/` before
they leave their split, each file is replaced as a whole, the entry follows the files, the manifest
follows the entries, and the verdicts are dropped last.
"""

from __future__ import annotations

import json
import re
from collections import Counter
from collections.abc import Container, Iterable, Iterator, Mapping
from dataclasses import replace
from pathlib import Path
from typing import Any

from tritongen.errors import InputFileError
from tritongen.export.card import write_card
from tritongen.export.counts import REFUSED, Counts
from tritongen.export.files import remove_partials, write_lines
from tritongen.export.manifest import ShardFile, read_manifest
from tritongen.export.records import Verification, decode_record, encode_line, rejected_record
from tritongen.export.rewriting import (
    read_lines,
    read_records,
    read_verifications,
    rewrite,
    verification_of,
)
from tritongen.pair import Pair
from tritongen.pipeline.folder import REJECTED, STATE, VERIFYING, Entries, ShardEntry
from tritongen.pipeline.journal import read_journal
from tritongen.splits import SPLITS

_PATH = re.compile(rf"(?:{'|'.join(SPLITS)})/shard-(\d{{5,}})\.(?:parquet|jsonl)")
_UNKNOWN = Verification()
_REPAIR = "fetch the dataset again, or build it again"


class Opened:
    """A dataset whose folder is locked. `elsewhere` are refusals that no file of it holds."""

    def __init__(self, path: Path) -> None:
        self.path = path
        self.manifest = read_manifest(path)
        self.state = path / STATE / VERIFYING
        self._entries = Entries(path)
        self._of_shard: dict[int, ShardEntry] = {}
        self.elsewhere = Counts()
        self._under_way: set[int] = set()
        for folder in (*SPLITS, REJECTED, STATE, f"{STATE}/shards", f"{STATE}/{VERIFYING}", "."):
            remove_partials(path / folder)
        self.files: dict[int, list[ShardFile]] = {}
        for file in self.manifest.files:
            match = _PATH.fullmatch(file.path)
            if match is None:
                raise InputFileError(str(path), "has a file that no build names", value=file.path)
            self.files.setdefault(int(match[1]), []).append(file)

    def journal_path(self, shard: int) -> Path:
        """Where the verdicts of a shard stand that it has not taken up yet."""
        return self.state / f"{shard:05d}.jsonl"

    def open_journals(self) -> list[int]:
        """The shards with verdicts that they have perhaps not taken up."""
        return sorted(int(path.stem) for path in self.state.glob("*.jsonl") if path.stem.isdigit())

    def count(self, elsewhere: Mapping[str, Any] | None = None) -> None:
        """Check every shard against the manifest and count what is in it.

        `elsewhere` is what that was (`Counts.to_json`) when the run began that goes on now. Raises
        InputFileError for a file with other records than the manifest says.
        """
        self._under_way = set(self.open_journals())
        for shard in self._shards():
            listed = self.files.get(shard, [])
            entry = self._entries.checked(shard)
            if entry is None or entry.files != listed:
                found = self._found(shard)
                if shard not in self._under_way and found != listed:
                    raise InputFileError(
                        str(self.path),
                        "a file has other records than the manifest says",
                        value=next(file.path for file in listed if file not in found),
                        hint=_REPAIR,
                    )
                entry = self._enter(shard, found, self._attempted(shard, found))
            self._of_shard[shard] = entry
        if elsewhere is not None:
            self.elsewhere = Counts.from_json(elsewhere)
            return
        said, here = self.manifest.counts, self._total()
        self.elsewhere = Counts(refused=max(0, said.refused - here.refused))
        if self.elsewhere.refused:
            for name in REFUSED:
                self.elsewhere.refusals[name] = said.refusals[name] - here.refusals[name]

    def evidence(self) -> Counter[str]:
        """How many records have which evidence."""
        return self._total().kept["evidence"]

    def verifications(self, shard: int) -> Iterator[tuple[str, Verification]]:
        """(id, what is proved) for the records of a shard."""
        for file in self._present(shard):
            yield from read_verifications(self.path / file.path)

    def pairs(self, shard: int, wanted: Container[str]) -> list[Pair]:
        """Those pairs of a shard whose ids are `wanted`, in their order."""
        return [
            Pair.from_record(record)
            for file in self._present(shard)
            for record in read_records(self.path / file.path)
            if record["id"] in wanted
        ]

    def take_up(self, shard: int) -> None:
        """Write the verdicts of a shard's journal into its records."""
        journal = read_journal(self.journal_path(shard))
        changed, refused = {}, {}
        for pair_id, (verdict, note) in journal.items():
            if note.get("effect") in ("raised", "renewed"):
                changed[pair_id] = verdict
            elif note.get("effect") == "rejected":
                refused[pair_id] = verdict
        if not changed and not refused:
            return
        self._under_way.add(shard)
        attempted = self._of_shard[shard].attempted
        self._reject(shard, refused)
        before, files = self.files.get(shard, []), []
        for file in self._present(shard):
            new = rewrite(self.path / file.path, file.split, changed, refused)
            files += [new] if new is not None else []
        self._of_shard[shard] = self._enter(shard, files, attempted)
        self.files[shard] = files
        if files != before:
            self.write_manifest()

    def drop_journal(self, shard: int) -> None:
        """Forget the verdicts of a shard that it has taken up."""
        self.journal_path(shard).unlink(missing_ok=True)

    def write_manifest(self) -> None:
        """Bring the manifest in line with the entries."""
        counts = self._total()
        counts.add(self.elsewhere)
        files = [file for shard in sorted(self.files) for file in self.files[shard]]
        made = replace(self.manifest, counts=counts, files=files)
        if made.to_json() != self.manifest.to_json():
            made.write(self.path)
            self.manifest = made

    def write_card(self) -> None:
        """Write the card that belongs to the manifest."""
        config = self.manifest.config
        write_card(
            self.path,
            self.manifest,
            license=str(config.get("license", "other")),
            name=str(config.get("name", self.path.name)),
        )

    def _shards(self) -> list[int]:
        """All shards, also those of which every pair was refused."""
        entered = self._entries.folder.glob("*.json")
        rejected = (self.path / REJECTED).glob("shard-*.jsonl")
        numbers = [path.stem for path in entered]
        numbers += [path.stem.removeprefix("shard-") for path in rejected]
        return sorted({*self.files, *(int(text) for text in numbers if text.isdigit())})

    def _present(self, shard: int) -> list[ShardFile]:
        """The files of a shard; one that is taking up verdicts may have lost its last record."""
        files = self.files.get(shard, [])
        if shard in self._under_way:
            return [file for file in files if (self.path / file.path).exists()]
        return files

    def _found(self, shard: int) -> list[ShardFile]:
        """What stands in the files of a shard now."""
        found = [
            rewrite(self.path / file.path, file.split, {}, ()) for file in self._present(shard)
        ]
        return [file for file in found if file is not None]

    def _attempted(self, shard: int, files: Iterable[ShardFile]) -> int:
        """As its entry says, even where that is older than the files; else counted."""
        try:
            return self._entries.read(shard).attempted
        except (OSError, ValueError, KeyError, TypeError):
            return sum(file.rows for file in files) + len(read_lines(self._rejected(shard)))

    def _rejected(self, shard: int) -> Path:
        return self.path / REJECTED / f"shard-{shard:05d}.jsonl"

    def _reject(self, shard: int, refused: Mapping[str, Verification]) -> None:
        """Add records to the rejected ones, each once."""
        if not refused:
            return
        lines = read_lines(self._rejected(shard))
        present = {json.loads(line)["id"] for line in lines}
        new = [
            encode_line(rejected_record(pair, refused[pair.id]))
            for pair in self.pairs(shard, refused)
            if pair.id not in present
        ]
        if new:
            write_lines(self._rejected(shard), [*lines, *new])

    def _enter(self, shard: int, files: list[ShardFile], attempted: int) -> ShardEntry:
        """Count a shard by its files and write its entry."""
        counts = Counts()
        paths: list[Path] = []
        for file in files:
            paths.append(self.path / file.path)
            records = list(read_records(paths[-1]))
            counts.keep(
                [Pair.from_record(record) for record in records],
                [verification_of(record["verification"]) for record in records],
                file.split,
            )
        lines = read_lines(self._rejected(shard))
        for line in lines:
            record = decode_record(json.loads(line))
            why = {
                name: str(record["verification"].get(name) or "")
                for name in ("status", "reason", "check")
            }
            counts.refuse(Pair.from_record(record), replace(_UNKNOWN, **why))
        if lines:
            paths.append(self._rejected(shard))
        entry = ShardEntry(attempted, counts, files)
        self._entries.write(shard, entry, paths)
        return entry

    def _total(self) -> Counts:
        total = Counts()
        for shard in sorted(self._of_shard):
            total.add(self._of_shard[shard].counts)
        return total
