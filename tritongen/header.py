"""The TOML header in the leading Jinja comment of a template, `{#---` ... `---#}`."""

from __future__ import annotations

import re
import tomllib
from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from tritongen.errors import TemplateError
from tritongen.expr import Expression, expression

_HEADER = re.compile(r"\A\{#---\n(.*?)\n---#\}", re.DOTALL)

_TEXT = str
_LISTS = list
_KEYS: dict[str, dict[str, type | tuple[type, ...]]] = {
    "contract": {
        "title": str,
        "operation_type": str,
        "tags": list,
        "difficulty": (str, int),
        "name": str,
        "description": list,
        "operation": str,
        "axes": dict,
        "form": dict,
        "where": dict,
        "when": dict,
        "let": dict,
        "presentation": dict,
        "inputs": dict,
        "outputs": dict,
        "dims": dict,
        "judge": str,
    },
    "strategy": {
        "title": str,
        "how": list,
        "tags": list,
        "difficulty": (str, int),
        "teaches": str,
        "atomics": bool,
        "copies": bool,
        "requires": list,
        "targets": list,
        "axes": dict,
        "form": dict,
        "tuning": dict,
        "where": dict,
        "when": dict,
        "let": dict,
        "dims": dict,
        "inputs": dict,
    },
    "judge": {"title": str, "let": dict},
}
_INPUT_KEYS = ("shape", "dtype", "domain", "range", "layout", "when", "scalar", "values", "ties")
_DIM_KEYS = ("tile", "max", "min", "sizes", "multiple_of")


@dataclass(frozen=True, slots=True)
class InputSpec:
    """One argument of reference and wrapper, as declared; expressions are over the pair's values."""

    name: str
    shape: tuple[str, ...] | Expression
    dtype: str | Expression
    domain: Expression | None = None
    range: tuple[Any, ...] = ()
    layout: str = "contiguous"
    when: Expression | None = None
    scalar: bool = False
    values: tuple[float, ...] = ()
    ties: Expression | None = None


@dataclass(frozen=True, slots=True)
class DimSpec:
    """A dimension symbol: `tile` is the block constant that walks it, `sizes` fixed test sizes."""

    name: str
    tile: Expression | None = None
    sizes: tuple[int, ...] = ()
    min: int = 1
    max: int = 1 << 16
    multiple_of: int = 1


@dataclass(frozen=True)
class Header:
    """A parsed header. Dictionaries keep declared order."""

    path: Path
    role: str
    title: str = ""
    operation_type: str = ""
    tags: tuple[str, ...] = ()
    difficulty: Expression | None = None
    name: Expression | None = None
    description: tuple[Expression, ...] = ()
    operation: Expression | None = None
    how: tuple[Expression, ...] = ()
    teaches: str = ""
    atomics: bool = False
    copies: bool = False
    requires: tuple[str, ...] = ()
    targets: tuple[str, ...] = ()
    judge: str = ""
    axes: Mapping[str, Any] = field(default_factory=dict)
    form: Mapping[str, Any] = field(default_factory=dict)
    tuning: Mapping[str, Any] = field(default_factory=dict)
    presentation: Mapping[str, Any] = field(default_factory=dict)
    where: Mapping[str, Expression] = field(default_factory=dict)
    when: Mapping[str, Expression] = field(default_factory=dict)
    let: Mapping[str, Expression] = field(default_factory=dict)
    inputs: Mapping[str, InputSpec] = field(default_factory=dict)
    outputs: Mapping[str, Mapping[str, Any]] = field(default_factory=dict)
    dims: Mapping[str, DimSpec] = field(default_factory=dict)


def parse_header(path: Path, text: str, role: str) -> Header:
    """Parse the header of `text`, the template at `path`; `role` is contract, strategy or judge.

    Raises TemplateError with file and line, the key, the known keys and what to do.
    """
    match = _HEADER.match(text)
    if match is None:
        if role == "judge":
            return Header(path, role)
        raise TemplateError(
            f"{path}:1",
            "the template has no header",
            hint="begin the file with {#--- , TOML, and ---#} on lines of their own",
        )
    body = match.group(1)
    try:
        raw = tomllib.loads(body)
    except tomllib.TOMLDecodeError as error:
        line = re.search(r"line (\d+)", str(error))
        at = int(line.group(1)) + 1 if line else 1
        raise TemplateError(f"{path}:{at}", f"the header is not valid TOML ({error})") from None
    return _Reader(path, body, role).header(raw)


class _Reader:
    """Turns raw TOML into a Header; knows the line of each key for messages."""

    def __init__(self, path: Path, body: str, role: str) -> None:
        self.path = path
        self.lines = body.split("\n")
        self.role = role

    def place(self, key: str, section: str = "") -> str:
        """`file:line` of the first line (of a section) that begins with `key`."""
        pattern = re.compile(rf'\[?"?{re.escape(key)}"?\s*[\]=]')
        inside = not section
        for number, line in enumerate(self.lines, start=2):
            inside = inside or line.strip() == f"[{section}]"
            if inside and pattern.match(line.strip()):
                return f"{self.path}:{number}"
        return f"{self.path}:1"

    def expr(self, text: Any, key: str, section: str = "") -> Expression:
        return expression(str(text), self.place(key, section))

    def header(self, raw: dict[str, Any]) -> Header:
        known = _KEYS[self.role]
        for key, value in raw.items():
            if key not in known:
                raise TemplateError(
                    self.place(key), f"unknown key of a {self.role}", value=key, known=known
                )
            if not isinstance(value, known[key]):
                raise TemplateError(self.place(key), f"{key} has the wrong type", value=value)
        values: dict[str, Any] = {}
        for key, value in raw.items():
            values[key] = self.convert(key, value)
        return Header(self.path, self.role, **values)

    def convert(self, key: str, value: Any) -> Any:
        if key in ("name", "operation", "difficulty"):
            return self.expr(value, key)
        if key in ("description", "how"):
            return tuple([self.expr(f'f"""{text}"""', key) for text in value])
        if key in ("tags", "requires", "targets"):
            return tuple(value)
        if key in ("where", "when", "let"):
            return {name: self.expr(text, name, key) for name, text in value.items()}
        if key == "inputs":
            return {name: self.input(name, spec) for name, spec in value.items()}
        if key == "dims":
            return {name: self.dim(name, spec) for name, spec in value.items()}
        return value

    def input(self, name: str, spec: Any) -> InputSpec:
        place = self.place(name)
        self.table(place, spec, _INPUT_KEYS)
        shape = spec.get("shape", [])
        return InputSpec(
            name=name,
            shape=tuple(map(str, shape)) if isinstance(shape, list) else self.expr(shape, name),
            dtype=self.expr(spec["dtype"], name)
            if "(" in spec.get("dtype", "")
            else spec.get("dtype", "dtype"),
            domain=self.expr(spec["domain"], name) if "domain" in spec else None,
            range=tuple(spec.get("range", ())),
            layout=spec.get("layout", "contiguous"),
            when=self.expr(spec["when"], name) if "when" in spec else None,
            scalar=bool(spec.get("scalar", False)),
            values=tuple(spec.get("values", ())),
            ties=self.expr(spec["ties"], name) if "ties" in spec else None,
        )

    def dim(self, name: str, spec: Any) -> DimSpec:
        place = self.place(name)
        self.table(place, spec, _DIM_KEYS)
        return DimSpec(
            name=name,
            tile=self.expr(spec["tile"], name) if "tile" in spec else None,
            sizes=tuple(spec.get("sizes", ())),
            min=int(spec.get("min", 1)),
            max=int(spec.get("max", 1 << 16)),
            multiple_of=int(spec.get("multiple_of", 1)),
        )

    def table(self, place: str, spec: Any, known: tuple[str, ...]) -> None:
        if not isinstance(spec, dict):
            raise TemplateError(place, "a table is expected here", value=spec, known=known)
        for key in spec:
            if key not in known:
                raise TemplateError(place, "unknown key", value=key, known=known)
