"""The pair's own test functions: found, `parametrize` expanded, run in this process."""

from __future__ import annotations

import inspect
import itertools
import linecache
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from types import ModuleType
from typing import Any

MAX_CASES = 4096


class CaseError(Exception):
    """A test is written in a way that is not supported."""


class Skipped(Exception):
    """A test was skipped, by a mark or by itself."""


@dataclass(slots=True)
class Case:
    """One call of a test function."""

    function: Callable[..., Any]
    arguments: dict[str, Any]
    name: str
    skip: str | None = None
    raises: bool = field(default=False)

    def run(self) -> None:
        """Call the test; its exception is the caller's to read."""
        self.function(**self.arguments)


def collect(module: ModuleType) -> list[Case]:
    """All cases of the module's test functions in order of definition."""
    own: list[Any] = [
        value
        for name, value in vars(module).items()
        if name.startswith("test") and inspect.isfunction(value)
    ]
    for name, value in list(vars(module).items()):
        if name.startswith("Test") and inspect.isclass(value):
            instance = value()
            own += [getattr(instance, method) for method in vars(value) if method[:4] == "test"]
    cases = [case for function in own for case in expand(function, module)]
    if len(cases) > MAX_CASES:
        raise CaseError(f"{len(cases)} test cases; at most {MAX_CASES} are run")
    return cases


def expand(function: Callable[..., Any], module: ModuleType | None = None) -> Iterator[Case]:
    """The cases of one test function: the product over its stacked `parametrize` marks."""
    name = getattr(function, "__name__", "test")
    marks = [*getattr(function, "pytestmark", ())]
    above = getattr(module, "pytestmark", ())
    marks += above if isinstance(above, (list, tuple)) else [above]
    axes = [_axis(mark, name) for mark in marks if mark.name == "parametrize"]
    free = _free_arguments(function, {key for axis in axes for key in axis[0]})
    if free:
        raise CaseError(f"{name}: fixtures are not supported: {', '.join(free)}")
    for choice in itertools.product(*(axis[1] for axis in reversed(axes))):
        points = list(reversed(choice))
        arguments: dict[str, Any] = {}
        extra: list[Any] = []
        for (names, _), (values, _, point_marks) in zip(axes, points, strict=True):
            arguments.update(zip(names, values, strict=True))
            extra += point_marks
        labels = "-".join(label for _, label, _ in points)
        title = f"{name}[{labels}]" if axes else name
        yield Case(function, arguments, title, *_skip_and_raises([*marks, *extra]))


def _free_arguments(function: Callable[..., Any], given: set[str]) -> list[str]:
    return [
        parameter.name
        for parameter in inspect.signature(function).parameters.values()
        if parameter.name not in given
        and parameter.default is inspect.Parameter.empty
        and parameter.kind not in (parameter.VAR_POSITIONAL, parameter.VAR_KEYWORD)
    ]


def _axis(mark: Any, test: str) -> tuple[list[str], list[tuple[tuple[Any, ...], str, list[Any]]]]:
    """One `parametrize` mark as (argument names, points of (values, label, marks))."""
    values = dict(zip(("argnames", "argvalues", "indirect", "ids"), mark.args, strict=False))
    values.update(mark.kwargs)
    if values.get("indirect"):
        raise CaseError(f"{test}: parametrize with indirect is not supported")
    names = values["argnames"]
    names = [part.strip() for part in names.split(",")] if isinstance(names, str) else list(names)
    names = [name for name in names if name]
    ids = values.get("ids")
    labels = list(ids) if ids is not None and not callable(ids) else None
    points = []
    for index, entry in enumerate(values["argvalues"]):
        marks: list[Any] = []
        label = None
        if type(entry).__name__ == "ParameterSet":
            label, marks, entry = entry.id, list(entry.marks), entry.values
        else:
            entry = (entry,) if len(names) == 1 else tuple(entry)
        if len(entry) != len(names):
            raise CaseError(f"{test}: parametrize names {names} but gives {len(entry)} values")
        if label is None and labels is not None and index < len(labels):
            label = labels[index]
        if label is None:
            made = [ids(value) if callable(ids) else None for value in entry]
            pairs = zip(names, entry, made, strict=True)
            label = "-".join(
                str(m) if m is not None else _label(key, value, index) for key, value, m in pairs
            )
        points.append((tuple(entry), str(label), marks))
    return names, points


def _label(name: str, value: Any, index: int) -> str:
    if value is None or isinstance(value, (str, int, float, bool)):
        return str(value)
    if type(value).__name__ == "dtype":
        return str(value).removeprefix("torch.")
    if isinstance(value, (tuple, list)) and all(isinstance(item, int) for item in value):
        return "x".join(str(item) for item in value)
    return getattr(value, "__name__", f"{name}{index}")


def _skip_and_raises(marks: list[Any]) -> tuple[str | None, bool]:
    skip, raises = None, False
    for mark in (getattr(mark, "mark", mark) for mark in marks):
        reason = str(mark.kwargs.get("reason", ""))
        if mark.name == "skip":
            skip = reason or " ".join(str(arg) for arg in mark.args) or "skip"
        elif mark.name == "skipif" and any(bool(condition) for condition in mark.args):
            skip = reason or "skipif"
        elif mark.name == "xfail" and all(bool(condition) for condition in mark.args):
            raises = True
    return skip, raises


def outcome_of(error: BaseException) -> str:
    """`skipped`, `xfailed`, `failed` or `exception`: how pytest would read an exception."""
    names = {cls.__name__ for cls in type(error).__mro__}
    if "Skipped" in names and type(error).__module__ == "_pytest.outcomes":
        return "skipped"
    if "XFailed" in names:
        return "xfailed"
    if isinstance(error, AssertionError) or "Failed" in names:
        return "failed"
    return "exception"


def one_line(text: str, limit: int = 400) -> str:
    """Text on one line, bounded."""
    line = " ".join(text.split())
    return line if len(line) <= limit else line[: limit - 3] + "..."


def root_cause(error: BaseException) -> BaseException:
    """The first exception of a chain of deliberate causes (Triton wraps what a kernel raises)."""
    seen: set[int] = set()
    while error.__cause__ is not None and id(error) not in seen:
        seen.add(id(error))
        error = error.__cause__
    return error


def describe(error: BaseException, filename: str = "") -> str:
    """An exception in one line; a bare assert shows its source line."""
    root = root_cause(error)
    message = one_line(str(root))
    if isinstance(root, AssertionError):
        if message:
            return message
        return f"assertion failed: {_source_line(root, filename)}"
    place = _source_line(root, filename)
    at = f" (at `{place}`)" if place else ""
    return f"{type(root).__name__}: {message}{at}" if message else f"{type(root).__name__}{at}"


def _source_line(error: BaseException, filename: str) -> str:
    """The source line of the innermost frame within the pair's own file."""
    line = ""
    trace = error.__traceback__
    while trace is not None:
        if trace.tb_frame.f_code.co_filename == filename:
            line = linecache.getline(filename, trace.tb_lineno).strip()
        trace = trace.tb_next
    return one_line(line, 120)
