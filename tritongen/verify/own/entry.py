"""What a pair's module is asked for: its reference, its wrapper, and how its inputs are made."""

from __future__ import annotations

import inspect
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass
from types import ModuleType
from typing import Any


@dataclass(frozen=True, slots=True)
class Entry:
    """Names and functions of one pair; `make` is None where the test draws its inputs itself."""

    reference_name: str
    wrapper_name: str
    reference: Callable[..., Any]
    wrapper: Callable[..., Any]
    make: Callable[..., Any] | None

    @property
    def make_dims(self) -> tuple[str, ...]:
        """The sizes that `make_inputs` takes: its positional parameters before `dtype`."""
        names = list(inspect.signature(self.make).parameters) if self.make else []
        return tuple(names[: names.index("dtype")]) if "dtype" in names else ()


def find_entry(module: ModuleType, named: Mapping[str, Any], triton_code: str) -> Entry | None:
    """The entry points that the metadata name, else the only ones that there can be.

    Without metadata, a wrapper is a plain function of the Triton block that no other function
    calls, a reference one of the Python block; both must be the only one of their kind and take
    the same number of arguments. None where that does not settle it.
    """
    space = vars(module)
    names = named.get("reference"), named.get("wrapper")
    if not all(inspect.isfunction(space.get(str(name))) for name in names):
        names = _guess(module, triton_code)
    reference, wrapper = (space.get(str(name)) for name in names)
    if reference is wrapper or not inspect.isfunction(reference) or not inspect.isfunction(wrapper):
        return None
    make = space.get("make_inputs")
    return Entry(
        str(names[0]), str(names[1]), reference, wrapper, make if inspect.isfunction(make) else None
    )


def _guess(module: ModuleType, triton_code: str) -> tuple[str, str] | tuple[None, None]:
    own = [
        (name, value)
        for name, value in vars(module).items()
        if inspect.isfunction(value) and value.__module__ == module.__name__
    ]
    wrappers = [name for name, _ in own if f"def {name}(" in triton_code]
    first_wrapper = next((value for name, value in own if name in wrappers), None)
    if first_wrapper is None:
        return None, None
    start = first_wrapper.__code__.co_firstlineno
    references = [name for name, value in own if value.__code__.co_firstlineno < start]
    space = dict(own)
    found = []
    for group in ([n for n in references if n not in wrappers], wrappers):
        called = {name for other in group for name in _names(space[other].__code__)}
        top = [name for name in group if name not in called]
        if len(top) != 1:
            return None, None
        found.append(top[0])
    counts = {len(inspect.signature(space[name]).parameters) for name in found}
    return (found[0], found[1]) if len(counts) == 1 else (None, None)


def _names(code: Any) -> Iterator[str]:
    yield from code.co_names
    for constant in code.co_consts:
        if hasattr(constant, "co_names"):
            yield from _names(constant)
