"""Which split an operation belongs to: by the keyed hash of its id, and by nothing else.

An operation's hash is a place in [0, 2**64). The ratios cut that interval once: test lies lowest, then
validation, then train. So an operation is in the same split whatever family, name, dtype or strategy
it comes with, and whatever else is in the dataset: adding a family, or asking for more pairs, moves
nothing, and two datasets with equal ratios never disagree.

The one exception are plans so small that a split would get no operation at all. There the operations
nearest to that split by rank move into it, two of them at most. (Filling every split of every family
in this way was tried: then a family added to a plan of 300 pairs moves operations of the others in
five builds of six, because each of them is drawn a little smaller.)
"""

from __future__ import annotations

import hashlib
from array import array
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Literal

from tritongen.errors import BuildError

if TYPE_CHECKING:
    import numpy as np
    from numpy.typing import NDArray

    Hashes = NDArray[np.uint64]

Split = Literal["train", "validation", "test"]

SPLITS: tuple[Split, ...] = ("train", "validation", "test")

_BY_HASH: tuple[Split, ...] = ("test", "validation", "train")
_SPACE = 1 << 64
_COMPACT_AT = 1 << 20


def operation_hash(operation_id: str) -> int:
    """The place of an operation in [0, 2**64); the same in every build."""
    digest = hashlib.blake2b(operation_id.encode(), digest_size=8, person=b"tritongen-split")
    return int.from_bytes(digest.digest(), "big")


@dataclass(frozen=True, slots=True)
class SplitTable:
    """Answers for every operation which split it is in.

    `boundaries` are the two cuts of the hash space, `moved` the operations (by hash) that stand
    elsewhere because their split would be empty, `operations` the number of planned operations per
    family and split (one that several families plan counts in each).
    """

    boundaries: tuple[int, int]
    moved: Mapping[int, Split]
    operations: Mapping[str, Mapping[Split, int]]

    def split(self, operation_id: str) -> Split:
        """The split of an operation; constant time."""
        place = operation_hash(operation_id)
        moved = self.moved.get(place)
        return moved if moved is not None else _by_hash(place, self.boundaries)


def split_operations(
    operations: Iterable[tuple[str, str]], *, ratios: Mapping[Split, float]
) -> SplitTable:
    """The split table of the planned (family, operation_id) pairs; repetitions are welcome.

    A split with ratio 0 is not made. Memory is 8 bytes per distinct operation. Raises BuildError
    where there are fewer operations than splits.
    """
    import numpy as np

    wanted: list[Split] = [name for name in _BY_HASH if ratios.get(name, 0.0) > 0.0]
    boundaries = _boundaries(ratios)
    planned = _distinct(operations)
    everything = np.unique(np.concatenate([_sorted_unique(array("Q")), *planned.values()]))
    if len(everything) < len(wanted):
        raise BuildError(
            "split",
            f"too few distinct operations are planned for the {len(wanted)} splits "
            + ", ".join(name for name in SPLITS if name in wanted),
            value=len(everything),
            hint="ask for more pairs or more families, or give a split the ratio 0",
        )
    moved = _fill(everything, boundaries, wanted)
    counts = {family: _count(own, boundaries, moved) for family, own in sorted(planned.items())}
    return SplitTable(boundaries, moved, counts)


def _boundaries(ratios: Mapping[Split, float]) -> tuple[int, int]:
    test = round(ratios.get("test", 0.0) * _SPACE)
    return test, min(_SPACE, test + round(ratios.get("validation", 0.0) * _SPACE))


def _by_hash(place: int, boundaries: tuple[int, int]) -> Split:
    if place >= boundaries[1]:
        return "train"
    return "validation" if place >= boundaries[0] else "test"


def _distinct(operations: Iterable[tuple[str, str]]) -> dict[str, Hashes]:
    """The sorted distinct hashes per family, compacted on the way: repetitions cost nothing."""
    raw: dict[str, array[int]] = {}
    limits: dict[str, int] = {}
    last = ("", "")
    for item in operations:
        if item == last:
            continue
        last = item
        family, operation_id = item
        hashes = raw.get(family)
        if hashes is None:
            hashes = raw[family] = array("Q")
            limits[family] = _COMPACT_AT
        hashes.append(operation_hash(operation_id))
        if len(hashes) >= limits[family]:
            raw[family] = array("Q", _sorted_unique(hashes).tobytes())
            limits[family] = max(_COMPACT_AT, 2 * len(raw[family]))
    return {family: _sorted_unique(raw.pop(family)) for family in list(raw)}


def _sorted_unique(hashes: array[int]) -> Hashes:
    import numpy as np

    return np.unique(np.array(hashes, dtype=np.uint64))


def _cuts(hashes: Hashes, boundaries: tuple[int, int]) -> dict[Split, int]:
    """How many of the sorted hashes each split gets by the boundaries alone."""
    import numpy as np

    low, high = (
        len(hashes)
        if boundary >= _SPACE
        else int(np.searchsorted(hashes, np.uint64(boundary), side="left"))
        for boundary in boundaries
    )
    return {"test": low, "validation": high - low, "train": len(hashes) - high}


def _fill(hashes: Hashes, boundaries: tuple[int, int], wanted: Sequence[Split]) -> dict[int, Split]:
    """The moves that give every wanted split at least one of the sorted operations."""
    counts = _cuts(hashes, boundaries)
    old = (counts["test"], counts["test"] + counts["validation"])
    for name in wanted:
        if counts[name] == 0:
            donor = max(wanted, key=lambda split: counts[split])
            counts[donor] -= 1
            counts[name] += 1
    new = (counts["test"], counts["test"] + counts["validation"])
    changed = (rank for cut in zip(old, new, strict=True) for rank in range(min(cut), max(cut)))
    return {
        int(hashes[rank]): "test" if rank < new[0] else "validation" if rank < new[1] else "train"
        for rank in changed
    }


def _count(
    own: Hashes, boundaries: tuple[int, int], moved: Mapping[int, Split]
) -> dict[Split, int]:
    import numpy as np

    counts = _cuts(own, boundaries)
    places = np.fromiter(moved, dtype=np.uint64, count=len(moved))
    for place in (int(item) for item in np.intersect1d(own, places)):
        counts[_by_hash(place, boundaries)] -= 1
        counts[moved[place]] += 1
    return {name: counts[name] for name in SPLITS}
