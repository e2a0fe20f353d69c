"""What to compile: on a GPU machine nearly all of a verdict's cost is compiling.

Triton compiles a kernel anew for each *specialisation*: the types of its arguments, its constants,
its options, and of every integer whether it is 1, divisible by 16, or neither; pointers likewise.
Launches of what is compiled are nearly free. So calls are first run dry, which shows their
specialisations, and grouped by them; then groups are chosen, not calls:

- for each dtype the *general* group: the fewest arguments equal to 1, then the fewest divisible by
  16. Tails, primes, several tiles and batches all fall into it, in every dimension;
- for one program in four, for one dtype, the group with the most arguments divisible by 16, which
  vectorises and pipelines the most;
- for one program in eight the group with the most arguments equal to 1;
- where flags among the constants (bool, str, None) take values that are not chosen yet, one group
  with each such value, at the dtype that the hash says.

Where asked to (`rotate`), a program that takes float16 and bfloat16 is run in one of them, by its
hash. The audited share of texts runs everything.

All calls that need nothing beyond the chosen specialisations run, whatever their values. Coverage
counts what ran, and names the classes left to other programs.
"""

from __future__ import annotations

import hashlib
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

ONES_SHARE = 8
SIXTEENS_SHARE = 4
HALVES = ("bfloat16", "float16")


@dataclass(frozen=True, slots=True)
class Seen:
    """What a dry run of one call shows: its specialisations and their classes, over all launches.

    `elements` are those of its largest argument.
    """

    dtype: str
    specialisations: frozenset[str]
    ones: int = 0
    sixteens: int = 0
    flags: frozenset[str] = frozenset()
    elements: int = 1


@dataclass(slots=True)
class Choice:
    """Which calls run, by number; `left` says how many calls of which class do not."""

    run: list[int] = field(default_factory=list)
    specialisations: set[str] = field(default_factory=set)
    groups: dict[str, list[str]] = field(default_factory=dict)
    left: dict[str, int] = field(default_factory=dict)

    def coverage(self) -> dict[str, Any]:
        """The choice as plain data for a verdict."""
        return {
            "specialisations": len(self.specialisations),
            "classes": {name: list(dtypes) for name, dtypes in self.groups.items()},
            "left": dict(self.left),
        }


def program_hash(request: Mapping[str, Any]) -> int:
    """A number that says which share of optional work a program takes.

    `program_id` of the metadata where it is known, else the Triton block.
    """
    metadata = request.get("metadata") or {}
    text = str(metadata.get("program_id") or request.get("triton_code", ""))
    return int.from_bytes(hashlib.sha256(text.encode()).digest()[:8], "big")


def choose(seen: Sequence[Seen], number: int, full: bool = False, rotate: bool = False) -> Choice:
    """The groups to compile, and so the calls to run; `number` is the program's hash.

    With `rotate` a program that takes both half precisions takes one of them, by its hash.
    """
    choice = Choice()
    if full:
        for one in seen:
            choice.specialisations |= one.specialisations
        choice.run = list(range(len(seen)))
        choice.groups["all"] = sorted({one.dtype for one in seen})
        return choice
    dtypes = sorted({one.dtype for one in seen})
    if rotate and set(HALVES) <= set(dtypes):
        dtypes.remove(HALVES[(number >> 40) % 2])
    for dtype in dtypes:
        _take(choice, "general", _of(seen, dtype), lambda one: (one.ones, one.sixteens))
    if dtypes:
        turn = dtypes[number % len(dtypes)]
        here = [one for one in _of(seen, turn) if not one.ones]
        if (number >> 48) % SIXTEENS_SHARE == 0:
            _take(choice, "divisible by 16", here, lambda one: (-one.sixteens, one.ones))
        if (number >> 8) % ONES_SHARE == 0:
            turn = dtypes[(number >> 16) % len(dtypes)]
            _take(choice, "equal to 1", _of(seen, turn), lambda one: (-one.ones, one.sixteens))
        _take_flags(choice, seen, dtypes, number >> 24)
    for index, one in enumerate(seen):
        if one.specialisations <= choice.specialisations:
            choice.run.append(index)
        else:
            words = _class_of(one)
            choice.left[words] = choice.left.get(words, 0) + 1
    return choice


def _of(seen: Iterable[Seen], dtype: str) -> list[Seen]:
    return [one for one in seen if one.dtype == dtype]


def _take(choice: Choice, name: str, group: list[Seen], order: Any) -> None:
    """Choose the specialisations of the call that comes first in an order.

    Among equals the set wins that runs the most elements, over all calls that need no more.
    """
    if not group:
        return
    best = min(order(one) for one in group)
    equals = [one for one in group if order(one) == best]
    shared = {one.specialisations: 0 for one in equals}
    for one in group:
        for keys in shared:
            shared[keys] += one.elements * (one.specialisations <= keys)
    keys = max(shared, key=lambda keys: shared[keys])
    choice.specialisations |= keys
    choice.groups.setdefault(name, []).append(group[0].dtype)


def _take_flags(choice: Choice, seen: Sequence[Seen], dtypes: list[str], number: int) -> None:
    while True:
        have: set[str] = set()
        for one in seen:
            if one.specialisations <= choice.specialisations:
                have |= one.flags
        missing = [one for one in seen if one.flags - have and not one.ones]
        missing = missing or [one for one in seen if one.flags - have]
        if not missing:
            return
        turn = dtypes[number % len(dtypes)]
        group = [one for one in missing if one.dtype == turn] or missing
        _take(choice, "flag", group[:1], lambda one: one.ones)


def _class_of(one: Seen) -> str:
    if one.ones:
        return f"{one.dtype}, equal to 1"
    return f"{one.dtype}, divisible by 16" if one.sixteens else f"{one.dtype}, other constants"


@dataclass(frozen=True, slots=True)
class Compilable:
    """A captured launch: its kernel, the bytes of its widest pointer, how large its constants are.

    `labels` are its dtypes and the values of its constants.
    """

    kernel: str
    width: int
    size: int
    labels: frozenset[str]


def compilable(launch: Any) -> Compilable:
    """What the plan needs of a captured launch (`capture.Launch`)."""
    labels, width, size = set(), 0, 1
    for name, kind in launch.signature.items():
        if isinstance(kind, str) and kind.startswith("*"):
            labels.add(f"{name}: {kind}")
            width = max(width, _bytes_of(kind))
    for path, value in launch.constants.items():
        labels.add(f"{path}={value!r}")
        if isinstance(value, int) and value > 1:
            size *= value
    return Compilable(launch.name, width, size, frozenset(labels))


def _bytes_of(kind: str) -> int:
    digits = "".join(character for character in kind if character.isdigit())
    return int(digits[:2] or 8) // 8 if not kind.endswith("i1") else 1


def compile_plan(
    launches: Sequence[Compilable], targets: Sequence[str], number: int, policy: str = "largest"
) -> dict[str, list[int]]:
    """Which captured launches to compile for which target, by number.

    `all` compiles all for all. `largest` compiles for each target the launch of each kernel that
    needs the most shared memory and registers (the widest dtype, then the largest constants), and
    as many others as it takes for every dtype and every value of a constant to be compiled once,
    each for one target, chosen by the program's hash.
    """
    if policy == "all":
        return {target: list(range(len(launches))) for target in targets}
    plan: dict[str, list[int]] = {target: [] for target in targets}
    turn = number
    for kernel in dict.fromkeys(launch.kernel for launch in launches):
        own = [index for index, launch in enumerate(launches) if launch.kernel == kernel]
        own.sort(key=lambda index: (launches[index].width, launches[index].size), reverse=True)
        for target in targets:
            plan[target].append(own[0])
        seen = set(launches[own[0]].labels)
        rest = own[1:]
        while rest:
            best = max(rest, key=lambda index: len(launches[index].labels - seen))
            if not launches[best].labels - seen:
                break
            rest.remove(best)
            seen |= launches[best].labels
            plan[targets[turn % len(targets)]].append(best)
            turn += 1
    return plan
