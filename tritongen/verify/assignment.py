"""Which captured launch is compiled for which target.

A program's launches differ by dtype and by autotune configuration. All of them times all targets
would be most of the time that verification takes, and says little more than this: of each kernel
the heaviest launch (most shared memory: widest elements, largest blocks, most stages) is compiled
for every target, and each other launch for one target, dealt out by its key, so that over many
programs every dtype meets every target.
"""

from __future__ import annotations

import math
from collections.abc import Sequence
from hashlib import blake2b
from typing import Any

WIDTHS = {"8": 1, "16": 2, "32": 4, "64": 8}


def assignments(launches: Sequence[Any], targets: Sequence[str]) -> list[tuple[Any, str]]:
    """(launch, target) in the order of the targets; of each kernel the heaviest launch has all."""
    heaviest: dict[str, Any] = {}
    for launch in launches:
        best = heaviest.get(launch.name)
        if best is None or weight(launch) > weight(best):
            heaviest[launch.name] = launch
    chosen = {id(launch) for launch in heaviest.values()}
    dealt = {id(launch): targets[_number(launch.key) % len(targets)] for launch in launches}
    return [
        (launch, target)
        for target in targets
        for launch in launches
        if id(launch) in chosen or dealt[id(launch)] == target
    ]


def weight(launch: Any) -> int:
    """How much shared memory a launch is likely to take: bytes of its elements, blocks, stages."""
    width = sum(_width(kind) for kind in launch.signature.values())
    sizes = [value for value in launch.constants.values() if type(value) is int and value >= 16]
    return width * math.prod(sizes) * int(launch.options.get("num_stages", 3) or 1)


def _width(kind: Any) -> int:
    if not isinstance(kind, str) or not kind.startswith("*"):
        return 0
    digits = "".join(character for character in kind if character.isdigit())
    return WIDTHS.get(digits[:2], 1)


def _number(key: str) -> int:
    return int.from_bytes(blake2b(key.encode(), digest_size=8).digest(), "big")
