"""Which pairs are broken: a sample over families and strategies."""

from __future__ import annotations

from collections.abc import Iterable
from pathlib import Path

from tritongen.api import Roots, expand
from tritongen.api import families as known_families
from tritongen.pair import Pair


def sample(
    families: Iterable[str] = (),
    limit: int = 40,
    *,
    seed: int = 0,
    templates: Roots | Iterable[Path] = (),
) -> list[Pair]:
    """About `limit` pairs of the families (of all without), at least one of each, strategies alike.

    Raises UnknownNameError for a family that is not there.
    """
    roots = templates if isinstance(templates, str | Path) else tuple(templates)
    names = list(dict.fromkeys(families)) or list(known_families(roots))
    found: list[Pair] = []
    for number, name in enumerate(names):
        share = limit // len(names) + (number < limit % len(names))
        found += expand(name, limit=max(1, share), seed=seed, templates=roots)
    return found
