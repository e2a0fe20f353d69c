"""Distinct indices spread evenly over a range of any size, each to be had by itself."""

from __future__ import annotations

from collections.abc import Iterator
from zlib import crc32


def spread(count: int, n: int, seed: str) -> Iterator[int]:
    """`n` distinct indices below `count`, ascending: one at random in each of `n` equal intervals."""
    mixed = crc32(seed.encode())
    for i in range(min(n, count)):
        yield pick(count, n, mixed, i)


def pick(count: int, n: int, seed: int, i: int) -> int:
    """Index number `i` of `spread`, by itself: O(1) at any count."""
    if n >= count:
        return i
    low, high = count * i // n, count * (i + 1) // n
    width = high - low
    drawn = _mix((seed << 32) ^ (2 * i))
    if width > 1 << 60:
        drawn = (drawn << 64) | _mix((seed << 32) ^ (2 * i + 1))
    return low + drawn % width


def _mix(value: int) -> int:
    """The finaliser of splitmix64."""
    value = (value + 0x9E3779B97F4A7C15) & 0xFFFFFFFFFFFFFFFF
    value = ((value ^ (value >> 30)) * 0xBF58476D1CE4E5B9) & 0xFFFFFFFFFFFFFFFF
    value = ((value ^ (value >> 27)) * 0x94D049BB133111EB) & 0xFFFFFFFFFFFFFFFF
    return value ^ (value >> 31)
