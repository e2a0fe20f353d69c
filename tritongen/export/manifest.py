"""`manifest.json`: what is in a dataset and from what it was made; the same for the same build."""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass, field
from pathlib import Path
from typing import Any

from tritongen.errors import InputFileError
from tritongen.export.counts import Counts
from tritongen.export.files import write_bytes
from tritongen.splits import Split

FORMAT = 1
NAME = "manifest.json"


@dataclass(frozen=True, slots=True)
class ShardFile:
    """One file of a split: its path in the dataset, its rows, a digest of their ids in order."""

    path: str
    split: str
    rows: int
    ids: str


@dataclass(frozen=True, slots=True)
class Manifest:
    """A finished build. `config_hash` and `template_hash` together name its content."""

    config: Mapping[str, Any]
    config_hash: str
    template_hash: str
    versions: Mapping[str, str]
    file_format: str
    attempted: int
    counts: Counts
    files: Sequence[ShardFile]
    operations: Mapping[str, Mapping[Split, int]] = field(default_factory=dict)

    def to_json(self) -> dict[str, Any]:
        """The content of the file."""
        return {
            "format": FORMAT,
            "file_format": self.file_format,
            "config": dict(self.config),
            "config_hash": self.config_hash,
            "template_hash": self.template_hash,
            "versions": dict(sorted(self.versions.items())),
            "attempted": self.attempted,
            "counts": self.counts.to_json(),
            "operations": {name: dict(counts) for name, counts in self.operations.items()},
            "files": [asdict(file) for file in self.files],
        }

    def write(self, dataset: Path) -> None:
        """Write the manifest of a dataset."""
        text = json.dumps(self.to_json(), indent=1, ensure_ascii=False)
        write_bytes(dataset / NAME, text.encode() + b"\n")


def read_manifest(dataset: Path) -> Manifest:
    """The manifest of a dataset.

    Raises InputFileError where it is missing, half-written or foreign.
    """
    path = dataset / NAME
    try:
        values = json.loads(path.read_bytes())
    except FileNotFoundError:
        raise InputFileError(
            str(path),
            "there is no manifest here",
            hint="give the folder of a finished build; one that was stopped goes on when run again",
        ) from None
    except (OSError, ValueError) as error:
        raise InputFileError(
            str(path), f"cannot be read ({error})", hint="run the build again; it rewrites the file"
        ) from None
    try:
        if values["format"] != FORMAT:
            raise InputFileError(
                str(path), "written in another format", value=values["format"], known=[FORMAT]
            )
        return Manifest(
            config=values["config"],
            config_hash=values["config_hash"],
            template_hash=values["template_hash"],
            versions=values["versions"],
            file_format=values["file_format"],
            attempted=values["attempted"],
            counts=Counts.from_json(values["counts"]),
            files=[ShardFile(**file) for file in values["files"]],
            operations=values["operations"],
        )
    except (KeyError, TypeError, AttributeError) as error:
        raise InputFileError(
            str(path), f"is not a manifest of tritongen ({error!r})", hint="run the build again"
        ) from None
