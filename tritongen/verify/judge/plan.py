"""Which calls a foreign candidate must get right: given, fresh, hard and of other sizes.

The plan listens: a caller that iterates with `send` tells it whether the reference accepted a
trial, and what follows depends on that. A caller that only iterates gets everything.
"""

from __future__ import annotations

import itertools
import math
from collections.abc import Generator
from dataclasses import dataclass
from typing import Any

import torch

from tritongen.verify.judge import draws
from tritongen.verify.judge.draws import Style
from tritongen.verify.judge.records import Trial
from tritongen.verify.judge.symbols import Pattern, Symbol, infer, small_integers

LARGEST = 131
HALF = (torch.float16, torch.bfloat16)


@dataclass(frozen=True, slots=True)
class Budget:
    """How much to try: trials in all, elements of the tensors of one call, fresh draws."""

    trials: int = 48
    elements: int = 1 << 21
    fresh: int = 3


def foreign_trials(
    arguments: tuple[Any, ...], seed: int, budget: Budget | None = None
) -> Generator[Trial, bool | None, None]:
    """The trials of a foreign candidate, the given call first.

    Args:
        arguments: what `get_test_inputs()` gave.
        seed: secret; decides all values.
        budget: how much to try.

    Yields:
        trials. Send False after one that the reference refused.
    """
    budget = budget or Budget()
    for ear, trial in itertools.islice(_all_trials(arguments, seed, budget), budget.trials):
        accepted = yield trial
        ear.heard = accepted is not False


class _Ear:
    """Whether the last trial was accepted."""

    heard = True


def _all_trials(
    arguments: tuple[Any, ...], seed: int, budget: Budget
) -> Generator[tuple[_Ear, Trial], None, None]:
    ear = _Ear()
    yield ear, Trial("given", "given", arguments)
    pattern = infer(arguments)
    if not pattern.samples:
        return
    seeds = _Seeds(seed)
    base = _fitting(pattern, budget.elements)
    sizes = _named(base)
    for number in range(budget.fresh):
        built = pattern.build(seeds.next(), base, vary_scalars=number == 1)
        yield ear, Trial(f"fresh {number + 1}", "fresh", built, sizes)
        if not ear.heard and number == 0 and pattern.unpoint():
            built = pattern.build(seeds.next(), base)
            yield ear, Trial("fresh 1 within range", "fresh", built, sizes)
    half = any(sample.dtype in HALF for sample in pattern.samples.values())
    # A few sizes before the hard kinds, so that a small budget has both.
    resized = _resized(pattern, seeds, budget, ear)
    yield from _take(resized, max(4, budget.trials // 4))
    for kind in draws.KINDS:
        built = pattern.build(seeds.next(), base, change=_kind(kind))
        yield ear, Trial(kind, kind, built, sizes)
    yield from _integers(pattern, seeds, base, ear)
    if half:
        for kind in ("fresh", "signed", "scale 30", "large mean"):
            built = pattern.build(seeds.next(), base, change=_kind(kind), dtype=torch.float32)
            yield ear, Trial(f"float32 {kind}", f"float32 {kind}", built, sizes)
    yield from resized


def _take(source: Any, count: int) -> Generator[Any, None, None]:
    for _ in range(count):
        try:
            yield next(source)
        except StopIteration:
            return


def _integers(
    pattern: Pattern, seeds: _Seeds, base: dict[Symbol, int], ear: _Ear
) -> Generator[tuple[_Ear, Trial], None, None]:
    """Each small integer that is no size by itself: one more, one less, else twice as much."""
    for number in small_integers(pattern):
        value = pattern.leaves[number]
        taken = False
        for other in (value + 1, value - 1, 2 * value):
            if other == value or (other < 0 <= value) or (taken and other == 2 * value):
                continue
            built = pattern.build(seeds.next(), base, integers={number: other})
            yield ear, Trial(f"integer {value} as {other}", "integers", built, _named(base))
            taken |= ear.heard


class _Seeds:
    """Generators, one for each trial, all from one seed."""

    def __init__(self, seed: int) -> None:
        self.seed = seed % (1 << 48)
        self.count = 0

    def next(self) -> torch.Generator:
        """A generator of the CPU that no other trial has."""
        self.count += 1
        return torch.Generator().manual_seed(self.seed * 4096 + self.count)


def _kind(kind: str) -> Any:
    """The change of a kind: real tensors only, and positive ones stay positive."""

    def change(style: Style, values: torch.Tensor, generator: torch.Generator) -> torch.Tensor:
        if not style.is_real or style.structure:
            return values
        is_vector = values.dim() < 2
        if is_vector and kind in ("constant rows", "zero rows", "large mean", "negative mean"):
            return values
        low, high = -math.inf, math.inf
        if kind != "signed":
            low = 0.0 if style.low >= 0 else low
            high = 0.0 if style.high <= 0 and style.low < 0 else high
        changed = draws.transform(kind, values, generator, low=low, high=high)
        return draws.stretched(changed) if kind == "scale 30" else changed

    return change


def _fitting(pattern: Pattern, elements: int) -> dict[Symbol, int]:
    """Sizes, halved where the example has more elements than one trial should have."""
    sizes: dict[Symbol, int] = {}
    whole = [symbol for symbol in pattern.symbols if not symbol.is_part]
    while whole:
        shapes = pattern.shapes_of(sizes)
        if sum(math.prod(shape) for shape in shapes.values()) <= elements:
            return sizes
        largest = max(whole, key=lambda s: sizes.get(s, s.size))
        size = sizes.get(largest, largest.size)
        if size < 4:
            return sizes
        sizes[largest] = size // 2
    return sizes


def _named(sizes: dict[Symbol, int]) -> dict[str, int]:
    return {symbol.name: size for symbol, size in sizes.items()}


def _resized(
    pattern: Pattern, seeds: _Seeds, budget: Budget, ear: _Ear
) -> Generator[tuple[_Ear, Trial], None, None]:
    """Trials of other sizes: every symbol by itself, all together, then parts of symbols."""
    whole = [symbol for symbol in pattern.symbols if not symbol.is_part]
    parts = [symbol for symbol in pattern.symbols if symbol.is_part]
    rounds = max((len(_sizes_of(symbol)) for symbol in whole), default=0)
    refused: dict[Symbol, int] = {}
    accepted: set[Symbol] = set()
    for turn in range(rounds):
        for symbol in whole:
            proposals = _sizes_of(symbol)
            if turn >= len(proposals) or (refused.get(symbol, 0) > 2 and symbol not in accepted):
                continue
            if proposals[turn] == 1 and symbol not in accepted:
                continue  # where no other size will do, 1 is taken for a broadcast
            trial = _sized(pattern, seeds, budget, {symbol: proposals[turn]})
            if trial is not None:
                yield ear, trial
                _note(ear, symbol, refused, accepted)
        if turn == 1 and len(whole) > 1:
            primes = (7, 19, 37, 5, 11, 23)
            together: dict[Symbol, int] = dict(zip(whole, primes, strict=False))
            trial = _sized(pattern, seeds, budget, together)
            if trial is not None:
                yield ear, trial
    for symbol in parts:
        root = symbol.name.rstrip("*0123456789")
        is_linked = symbol.name.endswith("*")
        if is_linked and any(other.name == root and other in accepted for other in whole):
            continue
        for size in (19, 2 * symbol.size + 3):
            trial = _sized(pattern, seeds, budget, {symbol: size})
            if trial is None:
                continue
            yield ear, trial
            if not ear.heard:
                break
    for symbol in whole:
        if symbol in accepted or not refused.get(symbol):
            continue
        for step in _divisors(pattern, symbol):
            trial = _sized(pattern, seeds, budget, {symbol: 3 * step})
            if trial is None:
                continue
            yield ear, trial
            if ear.heard:
                other = _sized(pattern, seeds, budget, {symbol: symbol.size + step})
                if other is not None:
                    yield ear, other
                break


def _note(ear: _Ear, symbol: Symbol, refused: dict[Symbol, int], accepted: set[Symbol]) -> None:
    if ear.heard:
        accepted.add(symbol)
    else:
        refused[symbol] = refused.get(symbol, 0) + 1


def _sizes_of(symbol: Symbol) -> list[int]:
    """Other sizes of a symbol: awkward ones, small ones first, large ones where work allows."""
    size = symbol.size
    near = [17 if size != 17 else 19, size + 1, 1, size - 1, 2 * size + 3]
    largest = LARGEST
    if len(symbol.positions) > len({number for number, _ in symbol.positions}):
        largest = min(LARGEST, max(31, 4 * size + 3))  # work grows with a power of the size
    if size < largest:
        near.append(largest)
    return [s for s in dict.fromkeys(near) if s > 0 and s != size]


def _divisors(pattern: Pattern, symbol: Symbol) -> list[int]:
    """What a size may have to be a multiple of: integer arguments, then powers of two."""
    found = [leaf for leaf in pattern.leaves if type(leaf) is int and 1 < leaf < symbol.size]
    found += [2, 4, 8, 16, 32]
    return [step for step in dict.fromkeys(found) if symbol.size % step == 0 and step < symbol.size]


def _sized(
    pattern: Pattern, seeds: _Seeds, budget: Budget, sizes: dict[Symbol, int]
) -> Trial | None:
    """A fresh trial of other sizes; other dimensions shrink where it would be too large."""
    chosen = dict(sizes)
    taken = {position for symbol in sizes for position in symbol.positions}
    rest = [
        symbol
        for symbol in pattern.symbols
        if not symbol.is_part and not taken & set(symbol.positions)
    ]

    def total() -> int:
        return sum(math.prod(shape) for shape in pattern.shapes_of(chosen).values())

    while total() > budget.elements:
        largest = max(rest, key=lambda s: chosen.get(s, s.size), default=None)
        if largest is None or chosen.get(largest, largest.size) < 4:
            return None
        chosen[largest] = chosen.get(largest, largest.size) // 2
    names = ", ".join(f"{symbol.name}={size}" for symbol, size in sizes.items())
    built = pattern.build(seeds.next(), chosen)
    return Trial(f"sizes {names}", "sizes", built, _named(chosen))
