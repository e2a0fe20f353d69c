"""Which split an operation belongs to: by a keyed hash of its id, whatever family, name or dtype.

An operation's hash stands at a point of [0, 2**64). The interval is cut once, by the ratios: test
below, validation next, train above. So where an operation stands does not depend on what else is in
the dataset, and two datasets of different configurations agree. The only exceptions are families so
small that a split would get none of their operations: there the two boundaries move within the
family's own ranking, as little as each split needs. Such moved operations are few and are listed.

Families are taken in a fixed order; an operation that several families plan belongs to the first,
so a family added at the end moves nothing that was there before.
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

    `boundaries` are the two cuts of the hash space, `moved` the few operations of small families
    that stand elsewhere than their hash says, `operations` the planned operations per family and
    split (an operation counts for the family that owns it).
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
    operations: Iterable[tuple[str, str]],
    *,
    families: Sequence[str],
    ratios: Mapping[Split, float],
) -> SplitTable:
    """The split table of the planned (family, operation_id) pairs; repetitions are welcome.

    `families` fixes who owns an operation that several plan; families that are planned but not
    named come after, by name. A split with ratio 0 is not made. Memory is 8 bytes per distinct
    operation.
    """
    wanted: list[Split] = [name for name in _BY_HASH if ratios.get(name, 0.0) > 0.0]
    boundaries = _boundaries(ratios)
    planned = _distinct(operations)
    order = [name for name in families if name in planned]
    order += sorted(set(planned) - set(order))

    owned = pool = _sorted_unique(array("Q"))
    own: dict[str, Hashes] = {}
    moved: dict[int, Split] = {}
    filled = False
    for family in order:
        mine = own[family] = _without(planned.pop(family), owned)
        owned = _merged(owned, mine)
        if len(mine) >= len(wanted):
            moved |= _fill(mine, boundaries, wanted)
            filled = True
        elif filled:
            moved |= _all_train(mine, boundaries)
        else:
            # No split is sure of an operation yet, so there is no dataset whose pairs could move:
            # the small families that come first share one ranking.
            pool = _merged(pool, mine)
            if len(pool) >= len(wanted):
                moved |= _fill(pool, boundaries, wanted)
                filled, pool = True, pool[:0]
    if not filled:
        raise BuildError(
            "split",
            f"too few distinct operations are planned for the {len(wanted)} splits "
            + ", ".join(name for name in SPLITS if name in wanted),
            value=len(owned),
            hint="ask for more pairs or more families, or give a split the ratio 0",
        )
    moved |= _all_train(pool, boundaries)
    counts = {family: _count(mine, boundaries, moved) for family, mine in own.items()}
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


def _without(own: Hashes, owned: Hashes) -> Hashes:
    import numpy as np

    return np.setdiff1d(own, owned, assume_unique=True)


def _merged(one: Hashes, other: Hashes) -> Hashes:
    import numpy as np

    return np.union1d(one, other)


def _cuts(own: Hashes, boundaries: tuple[int, int]) -> dict[Split, int]:
    """How many of the sorted hashes each split gets by the boundaries alone."""
    import numpy as np

    low, high = (
        len(own)
        if boundary >= _SPACE
        else int(np.searchsorted(own, np.uint64(boundary), side="left"))
        for boundary in boundaries
    )
    return {"test": low, "validation": high - low, "train": len(own) - high}


def _fill(own: Hashes, boundaries: tuple[int, int], wanted: Sequence[Split]) -> dict[int, Split]:
    """The moves that give every wanted split at least one of these (ranked) operations."""
    counts = _cuts(own, boundaries)
    old = (counts["test"], counts["test"] + counts["validation"])
    for name in wanted:
        if counts[name] == 0:
            donor = max(wanted, key=lambda split: counts[split])
            counts[donor] -= 1
            counts[name] += 1
    new = (counts["test"], counts["test"] + counts["validation"])
    changed = (rank for cut in zip(old, new, strict=True) for rank in range(min(cut), max(cut)))
    return {
        int(own[rank]): "test" if rank < new[0] else "validation" if rank < new[1] else "train"
        for rank in changed
    }


def _all_train(own: Hashes, boundaries: tuple[int, int]) -> dict[int, Split]:
    return {
        place: "train"
        for place in (int(item) for item in own)
        if _by_hash(place, boundaries) != "train"
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
