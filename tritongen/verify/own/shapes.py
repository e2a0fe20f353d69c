"""Sizes to try beyond those of the pair's own test, from the kernel's own block constants."""

from __future__ import annotations

import math
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

SMALL_PRIMES = (3, 5, 7, 11, 13)
MAX_BLOCKS = 3
MAX_ROWS = 2
LARGE = 3001
LARGEST_UNIT = 8


@dataclass(frozen=True, slots=True)
class Size:
    """One point: the sizes in the order of `make_inputs`, what is special about them, its turn."""

    name: str
    dims: tuple[int, ...]
    turn: int


@dataclass(frozen=True, slots=True)
class Blocks:
    """The block sizes of one dimension.

    Those that its sizes fit, those that it may have, and those that hold a whole row of it.
    """

    own: tuple[int, ...] = ()
    guessed: tuple[int, ...] = ()
    rows: tuple[int, ...] = ()


def is_prime(number: int) -> bool:
    """Whether a number is prime; by trial division, since sizes are small."""
    return number > 1 and all(number % low for low in range(2, math.isqrt(number) + 1))


def prime_above(number: int) -> int:
    """The least prime above `number`."""
    candidate = number + 1
    while not is_prime(candidate):
        candidate += 1
    return candidate


def is_block(value: object) -> bool:
    """Whether a constant may be a block size: a power of two from 2 on."""
    return type(value) is int and value >= 2 and value & (value - 1) == 0


def block_sizes(constants: Iterable[object]) -> list[int]:
    """The block sizes among the constants of launches, ascending."""
    return sorted({value for value in constants if isinstance(value, int) and is_block(value)})


def blocks_by_dimension(
    calls: Sequence[tuple[tuple[int, ...], Mapping[str, Any]]],
    every: Mapping[str, Iterable[Any]],
) -> list[Blocks]:
    """For each dimension the block sizes that it is cut into.

    `calls` are (sizes, constants of the launches) of the test's own calls, `every` all values of a
    constant. A constant that is always the power of two from a size on holds whole rows. One that does not depend on the sizes belongs
    to the dimensions for which the test has a size next to it; where there is none it may belong
    to any.
    """
    seen = [dims for dims, _ in calls]
    rank = len(seen[0])
    found: list[set[int]] = [set() for _ in range(rank)]
    rows: list[set[int]] = [set() for _ in range(rank)]
    guessed: set[int] = set()
    for name, values in every.items():
        pairs = [(dims, constants[name]) for dims, constants in calls if name in constants]
        varied = len({value for _, value in pairs}) > 1
        if varied:
            for dim in range(rank):
                if all(value == _power_from(dims[dim]) for dims, value in pairs):
                    rows[dim] |= {value for _, value in pairs if is_block(value) and value >= 8}
        else:
            for block in block_sizes(values):
                near = _dims_of(block, seen)
                for dim in near:
                    found[dim].add(block)
                if not near and block >= 16:
                    guessed.add(block)
    return [
        Blocks(
            tuple(sorted(own)[-MAX_BLOCKS:]),
            tuple(sorted(guessed - own)[-1:]),
            tuple(sorted(whole)[-MAX_ROWS:]),
        )
        for own, whole in zip(found, rows, strict=True)
    ]


def _power_from(size: int) -> int:
    return 1 << max(0, size - 1).bit_length()


def _dims_of(block: int, seen: Sequence[tuple[int, ...]]) -> list[int]:
    return [
        dim
        for dim in range(len(seen[0]))
        if any(abs(s[dim] - block) <= 1 or s[dim] - 2 * block in (1, 3) for s in seen)
    ]


def units(seen: Sequence[tuple[int, ...]]) -> list[int]:
    """For each dimension the small number that all sizes of the test are multiples of; else 1.

    Groups of channels and the alignment of tensor descriptors need one. A larger common divisor
    says nothing: a test whose sizes are all whole tiles is just what hides a missing tail.
    """
    found = []
    for dim in range(len(seen[0])):
        sizes = {shape[dim] for shape in seen}
        unit = math.gcd(*sizes) if len(sizes) > 1 else 1
        found.append(unit if unit <= LARGEST_UNIT else 1)
    return found


def sizes_to_try(
    seen: Sequence[tuple[int, ...]],
    blocks: Sequence[Blocks],
    limit: int,
    indices: bool = False,
) -> list[Size]:
    """New sizes, those that find the most faults first; products stay within `limit` elements.

    Every dimension in turn takes 1, b - 1, b, b + 1, a prime and several tiles of each of its
    blocks b, while the others are small primes; all dimensions at once take several tiles. No size
    is below the least that the test has there, and where all of the test's are multiples of a
    number (`units`), so are these. `indices` asks for sizes whose positions no half-precision
    number holds.
    """
    if not seen:
        return []
    rank = len(seen[0])
    floors = [min(shape[dim] for shape in seen) for dim in range(rank)]
    steps = units(seen)
    small = [SMALL_PRIMES[dim % len(SMALL_PRIMES)] for dim in range(rank)]
    found: dict[tuple[int, ...], Size] = {}

    def add(name: str, dims: list[int], turn: int) -> None:
        point = tuple(
            max(-(-size // step) * step, floor)
            for size, step, floor in zip(dims, steps, floors, strict=True)
        )
        if point not in seen and point not in found and math.prod(point) <= limit:
            found[point] = Size(name, point, turn)

    everywhere = [
        _several(b.own[-1]) if b.own else b.rows[-1] - 1 if b.rows else small[dim]
        for dim, b in enumerate(blocks)
    ]
    add("several tiles in every dimension", everywhere, 0)
    for dim in range(rank):
        own, guessed = blocks[dim].own, blocks[dim].guessed
        for block in (*reversed(own), *guessed):
            later = 3 * (block not in own)
            points = {
                "one more than a block": (block + 1, 1),
                "a prime": (prime_above(block + block // 2), 2),
                "several tiles": (_several(block), 3),
                "many tiles": (4 * block + 3, 4),
                "one less than a block": (block - 1, 5),
                "one block": (block, 6),
            }
            for words, (size, turn) in points.items():
                dims = list(small)
                dims[dim] = size
                add(f"{words} ({block}) in dimension {dim}", dims, turn + later)
        for block in reversed(blocks[dim].rows):
            for words, size, turn in (
                ("a prime in a row", prime_above(block // 2 + block // 4), 1),
                ("one less than a row", block - 1, 2),
                ("just over half a row", block // 2 + 1, 3),
                ("a whole row", block, 6),
            ):
                dims = list(small)
                dims[dim] = size
                add(f"{words} ({block}) in dimension {dim}", dims, turn)
        for size, turn in ((1, 7), (17, 5), *(((LARGE, 1),) if indices else ())):
            dims = list(small)
            dims[dim] = size
            add(f"{size} in dimension {dim}", dims, turn)
    add("small primes", list(small), 5)
    return sorted(found.values(), key=lambda size: size.turn)


def _several(block: int) -> int:
    return 2 * block + block // 2 + 1 if block > 2 else 2 * block + 1
