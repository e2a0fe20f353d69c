"""Which spaces a filter leaves: those that know at least one value on each axis that it names."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

from tritongen.axes import Axis
from tritongen.catalog import Catalog
from tritongen.errors import ArgumentError, EmptySpaceError, TritongenError, UnknownNameError
from tritongen.space import Space


def select(
    catalog: Catalog,
    strategies: Sequence[tuple[str, str]],
    where: Mapping[str, Any],
    own: Mapping[str, Mapping[str, Any]] | None = None,
    *,
    tuning: int = 4,
    presentations: int = 8,
) -> list[Space]:
    """The spaces of some (family, strategy) under the filter `where`, and `own` ones of families.

    A value counts where it is known: a space without the axis, or without any of its values, is
    left out. Raises UnknownNameError for an axis or value that none of the spaces knows, and
    EmptySpaceError where nothing is left.
    """
    asked: dict[tuple[str, str], _Asked] = {}
    refused: dict[str, TritongenError] = {}
    filters: dict[tuple[str, str], dict[str, list[Any]]] = {}
    for family, strategy in strategies:
        place = f"where, {family}/{strategy}"
        axes = catalog.axes(family, strategy)
        special = (own or {}).get(family, {})
        parts = filters[family, strategy] = {}
        for axis, value in {**where, **special}.items():
            key = (family if axis in special else "", axis)
            part, error = asked.setdefault(key, _Asked()).ask(axes, axis, listed(value), place)
            parts[axis] = part
            if not part and error is not None:
                refused.setdefault(f"{family}/{strategy}", error)
    for one in asked.values():
        one.check()
    found: list[Space] = []
    for (family, strategy), parts in filters.items():
        name = f"{family}/{strategy}"
        if name in refused:
            continue
        try:
            found.append(
                catalog.space(family, strategy, parts, tuning=tuning, presentations=presentations)
            )
        except (EmptySpaceError, UnknownNameError) as error:
            refused[name] = error
    if found or not refused:
        return found
    first, *others = refused.values()
    if not others:
        raise first
    reasons = [
        f"{name}: {error.problem}" + (f" ({error.value!r})" if error.value is not None else "")
        for name, error in refused.items()
    ]
    raise EmptySpaceError("where", "no space has all that is asked for", known=reasons) from first


def check_where(where: object, place: str = "where") -> dict[str, list[Any]]:
    """A filter in its full form, or ArgumentError: axes by name, each with a list of values."""
    if where is None:
        return {}
    if not isinstance(where, Mapping):
        problem = 'a mapping from axes to values is expected, like {"dtype": ["float16"]}'
        raise ArgumentError(place, problem, value=where)
    checked: dict[str, list[Any]] = {}
    for axis, value in where.items():
        if not isinstance(axis, str):
            raise ArgumentError(place, "the name of an axis is expected", value=axis)
        if not isinstance(value, str | int | float | list | tuple | set | frozenset):
            raise ArgumentError(
                f"{place}, {axis}", "a value or a list of values is expected", value=value
            )
        checked[axis] = listed(value)
        for item in checked[axis]:
            if not isinstance(item, str | int | float):
                problem = "a value of an axis is a string, a number or a boolean"
                raise ArgumentError(f"{place}, {axis}", problem, value=item)
    return checked


def listed(value: Any) -> list[Any]:
    """A single value of a filter stands for the list of it; sets get an order."""
    if isinstance(value, str | int | float):
        return [value]
    return sorted(value, key=repr) if isinstance(value, set | frozenset) else list(value)


class _Asked:
    """One axis of a filter, asked of one space after the other."""

    def __init__(self) -> None:
        self.known: set[str] = set()
        self.unknown: dict[str, UnknownNameError] = {}
        self.no_axis: UnknownNameError | None = None
        self.values: dict[str, None] = {}

    def ask(
        self, axes: Mapping[str, Axis], name: str, values: list[Any], place: str
    ) -> tuple[list[Any], UnknownNameError | None]:
        """Those of `values` that the axis of one space has, and why the first other is refused."""
        if name not in axes:
            error = UnknownNameError(place, "unknown axis", value=name, known=axes)
            self.no_axis = self.no_axis or error
            return [], error
        part, first = [], None
        for value in values:
            try:
                axes[name].only([value], f"{place}, {name}")
                part.append(value)
                self.known.add(repr(value))
            except UnknownNameError as error:
                first = first or error
                self.unknown.setdefault(repr(value), error)
                self.values.update(dict.fromkeys(error.known))
        return part, first

    def check(self) -> None:
        """Raise UnknownNameError for the first value that no space knows."""
        if self.no_axis is not None and not self.known and not self.unknown:
            raise self.no_axis
        for text, error in self.unknown.items():
            if text not in self.known:
                raise UnknownNameError(
                    error.place, error.problem, value=error.value, known=self.values
                )
