"""Axes of a space. An axis is a sequence of cells; a cell is what rules see, and holds `weight` values."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass
from functools import lru_cache
from typing import Any

from tritongen.alphabet import Alphabet
from tritongen.chain import SOURCES, Chain
from tritongen.dtypes import DTYPES, dtype_set
from tritongen.errors import TemplateError, UnknownNameError
from tritongen.optable import Domain, Op

ROLES = ("semantic", "form", "tuning", "presentation")
_TABLE_KEYS = {"table": str, "tags": list, "without": list, "ops": list}
_CHAIN_KEYS = {
    "chain": str,
    "length": list,
    "tags": list,
    "without": list,
    "ops": list,
    "sources": list,
    "tensors": int,
    "scalars": int,
    "kinds": list,
    "start": str,
    "names": dict,
    "methods": bool,
}
_KINDS = ("float", "int")


@dataclass(frozen=True, slots=True)
class Cell:
    """One cell: `seen` is the value that rules see, `stratum` groups cells for stratified samples."""

    seen: Any
    weight: int
    stratum: str
    unrank: Callable[[int], Any] | None = None

    def value(self, index: int) -> Any:
        """Value number `index` of the cell."""
        return self.seen if self.unrank is None else self.unrank(index)


@dataclass(frozen=True)
class Axis:
    """A named axis with its role. `alphabet` is set for chains and reads words in filters; `first` is the
    first declared value, to which a rule may collapse the axis."""

    name: str
    role: str
    cells: tuple[Cell, ...]
    alphabet: Alphabet | None = None
    first: Any = None

    def __post_init__(self) -> None:
        if self.first is None and self.cells:
            object.__setattr__(self, "first", self.cells[0].seen)

    def is_first(self, cell: int) -> bool:
        """Whether a cell is the first declared value (a filter may have taken it out)."""
        seen = self.cells[cell].seen
        return (seen.cls if isinstance(seen, Chain) else seen) == self.first

    @property
    def size(self) -> int:
        """Number of values."""
        return sum([cell.weight for cell in self.cells])

    def only(self, wanted: Iterable[Any], place: str) -> Axis:
        """The axis filtered to `wanted` values; raises UnknownNameError for a value it does not have."""
        wanted = [wanted] if isinstance(wanted, str | int | float | bool) else list(wanted)
        if self.name == "dtype":
            return self._only_dtypes(wanted, place)
        if self.alphabet is not None:
            chains = [c for text in wanted for c in self.alphabet.parse(str(text), place)]
            cells = [_chain_cell(chain) for chain in dict.fromkeys(chains)]
            return Axis(self.name, self.role, tuple(cells), self.alphabet, self.first)
        known = {_text(cell.seen): cell for cell in self.cells}
        for value in wanted:
            if _text(value) not in known:
                raise UnknownNameError(
                    place, f"axis {self.name!r} has no such value", value=value, known=known
                )
        chosen = {_text(value) for value in wanted}
        cells = tuple([cell for text, cell in known.items() if text in chosen])
        return Axis(self.name, self.role, cells, first=self.first)

    def _only_dtypes(self, wanted: Sequence[str], place: str) -> Axis:
        known = [name for cell in self.cells for name in cell.seen.names]
        for name in wanted:
            if name not in DTYPES:
                raise UnknownNameError(place, "unknown dtype", value=name, known=DTYPES)
            if name not in known:
                raise UnknownNameError(
                    place, "no program of this space has the dtype", value=name, known=known
                )
        cells = []
        for cell in self.cells:
            names = tuple([name for name in cell.seen.names if name in wanted])
            if names:
                cells.append(_plain(dtype_set(names)))
        return Axis(self.name, self.role, tuple(cells))


def _text(value: Any) -> str:
    return str(value).lower() if isinstance(value, bool) else str(value)


def _plain(value: Any, stratum: str = "") -> Cell:
    return Cell(value, 1, stratum)


def _chain_cell(chain: Chain) -> Cell:
    return Cell(chain, 1, chain.text)


def make_axis(
    name: str,
    role: str,
    spec: Any,
    tables: Mapping[str, Mapping[str, Op]],
    domains: Mapping[str, Domain],
    place: str,
) -> Axis:
    """Build an axis from its declaration in a header; raises TemplateError naming the place."""
    if isinstance(spec, dict):
        if "chain" in spec:
            return _chain_axis(name, role, spec, tables, domains, place)
        return _table_axis(name, role, spec, tables, place)
    if not isinstance(spec, list) or not spec:
        raise TemplateError(place, f"axis {name!r} needs a list of values or a table", value=spec)
    if name == "dtype":
        sets = [dtype_set((v,) if isinstance(v, str) else tuple(v), place) for v in spec]
        return Axis(name, role, tuple([_plain(s) for s in sets]))
    texts = [_text(value) for value in spec]
    if len(set(texts)) != len(texts):
        raise TemplateError(place, f"axis {name!r} has a value twice", value=spec)
    return Axis(name, role, tuple([_plain(v, str(v) if name == "op" else "") for v in spec]))


def _check_keys(spec: Mapping[str, Any], known: Mapping[str, type], place: str) -> None:
    for key, value in spec.items():
        if key not in known:
            raise TemplateError(place, "unknown key of an axis", value=key, known=known)
        if not isinstance(value, known[key]):
            hint = f"{key} is a {known[key].__name__}"
            raise TemplateError(place, f"{key} has the wrong type", value=value, hint=hint)


def _select(
    spec: Mapping[str, Any], table: str, tables: Mapping[str, Mapping[str, Op]], place: str
) -> list[Op]:
    if table not in tables:
        raise TemplateError(place, "unknown op table", value=table, known=tables)
    ops = tables[table]
    for key in ("ops", "without"):
        for name in spec.get(key, ()):
            if name not in ops:
                raise TemplateError(place, f"no such op in table {table!r}", value=name, known=ops)
    known_tags = {tag for op in ops.values() for tag in op.tags}
    for tag in spec.get("tags", ()):
        if tag not in known_tags:
            raise TemplateError(place, "no op has this tag", value=tag, known=sorted(known_tags))
    chosen = [ops[name] for name in spec["ops"]] if "ops" in spec else list(ops.values())
    tags = set(spec.get("tags", ()))
    without = set(spec.get("without", ()))
    return [op for op in chosen if (not tags or tags & set(op.tags)) and op.name not in without]


def _table_axis(
    name: str,
    role: str,
    spec: Mapping[str, Any],
    tables: Mapping[str, Mapping[str, Op]],
    place: str,
) -> Axis:
    _check_keys(spec, _TABLE_KEYS, place)
    if "table" not in spec:
        raise TemplateError(place, "an axis over ops needs `table` or `chain`", value=dict(spec))
    ops = _select(spec, spec["table"], tables, place)
    if not ops:
        raise TemplateError(place, "the axis has no op left", value=dict(spec))
    return Axis(name, role, tuple([_plain(op, op.name) for op in ops]))


@lru_cache(maxsize=64)
def _alphabet(
    ops: tuple[Op, ...],
    domains: tuple[Domain, ...],
    options: tuple[tuple[str, Any], ...],
    names: tuple[tuple[str, str], ...],
) -> Alphabet:
    return Alphabet(ops, {d.name: d for d in domains}, names=dict(names), **dict(options))


def _chain_axis(
    name: str,
    role: str,
    spec: Mapping[str, Any],
    tables: Mapping[str, Mapping[str, Op]],
    domains: Mapping[str, Domain],
    place: str,
) -> Axis:
    _check_keys(spec, _CHAIN_KEYS, place)
    ops = _select(spec, spec["chain"], tables, place)
    length = spec.get("length", [1, 1])
    whole = all(type(n) is int for n in length)
    if not (whole and len(length) == 2 and 0 <= length[0] <= length[1] <= 8):
        raise TemplateError(place, "length is [least, most] with at most 8 steps", value=length)
    options: dict[str, Any] = {"length": tuple(length)}
    for key in ("sources", "kinds"):
        if key in spec:
            options[key] = tuple(spec[key])
    for source in options.get("sources", ()):
        if source not in SOURCES:
            raise TemplateError(place, "unknown source of operands", value=source, known=SOURCES)
    for kind in options.get("kinds", ()):
        if kind not in _KINDS:
            raise TemplateError(place, "unknown kind of values", value=kind, known=_KINDS)
    options |= {key: spec[key] for key in ("tensors", "scalars") if key in spec}
    if "start" in spec:
        if spec["start"] not in domains:
            raise TemplateError(place, "unknown domain", value=spec["start"], known=domains)
        options["start"] = spec["start"]
    options["methods"] = spec.get("methods", False)
    names = tuple(spec.get("names", {}).items())
    alphabet = _alphabet(tuple(ops), tuple(domains.values()), tuple(options.items()), names)
    cells = [
        Cell(cls, count, str(cls), lambda i, cls=cls: alphabet.unrank(cls, i))
        for cls, count in alphabet.classes
    ]
    if not cells:
        raise TemplateError(place, "no chain is possible", value=dict(spec))
    return Axis(name, role, tuple(cells), alphabet)
