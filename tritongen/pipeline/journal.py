"""Verdicts by pair id, appended as they come, so that nothing that was found out is lost.

Every line begins with a checksum of the rest: what a killed process, or a machine that lost power,
left of the last lines is noticed and dropped.
"""

from __future__ import annotations

import json
import zlib
from dataclasses import fields
from pathlib import Path
from typing import Any

from tritongen.export.records import VerdictLike, Verification, encode_line, finite

_FIELDS = tuple(field.name for field in fields(Verification))


class Journal:
    """The verdicts of one shard so far: `known`, and a file that `add` appends to.

    A verdict may carry a note, which `notes` has.
    """

    def __init__(self, path: Path) -> None:
        self.known, self.notes, whole = _read(path)
        path.parent.mkdir(parents=True, exist_ok=True)
        self._file = path.open("ab")
        self._file.truncate(whole)

    def add(self, pair_id: str, verdict: VerdictLike, **note: str) -> None:
        """Keep a verdict; it is in the hands of the operating system when this returns."""
        values = {name: getattr(verdict, name) for name in _FIELDS}
        values |= {name: finite(values[name]) for name in ("max_abs_error", "max_rel_error")}
        text = encode_line({"id": pair_id, **values, **({"note": note} if note else {})})
        self._file.write(f"{zlib.crc32(text):08x} ".encode() + text)
        self._file.flush()
        self.known[pair_id] = Verification(**values)
        self.notes[pair_id] = note

    def close(self) -> None:
        """Close the file; it stays until the shard is complete."""
        self._file.close()


def read_journal(path: Path) -> dict[str, tuple[Verification, dict[str, str]]]:
    """The verdicts in a journal with their notes, without opening it for more."""
    known, notes, _ = _read(path)
    return {pair_id: (verdict, notes[pair_id]) for pair_id, verdict in known.items()}


def _read(path: Path) -> tuple[dict[str, Verification], dict[str, dict[str, str]], int]:
    """Verdicts and notes by pair id, and how many bytes of the file are whole lines."""
    known: dict[str, Verification] = {}
    notes: dict[str, dict[str, str]] = {}
    whole = 0
    for line in _lines(path):
        try:
            values = _opened(line)
            pair_id, note = values.pop("id"), values.pop("note", {})
            known[pair_id] = Verification(**values)
            notes[pair_id] = note
        except (ValueError, TypeError, KeyError, AttributeError):
            break
        whole += len(line)
    return known, notes, whole


def _lines(path: Path) -> list[bytes]:
    try:
        return path.read_bytes().splitlines(keepends=True)
    except OSError:
        return []


def _opened(line: bytes) -> dict[str, Any]:
    """The content of a line; ValueError for one that is not whole."""
    checksum, _, text = line.partition(b" ")
    if int(checksum, 16) != zlib.crc32(text):
        raise ValueError("the line is not whole")
    return json.loads(text)
