"""Op tables: one record per op, read from `templates/ops/<table>.toml`."""

from __future__ import annotations

import ast
import re
import tomllib
from collections.abc import Mapping
from dataclasses import dataclass, field
from functools import lru_cache
from pathlib import Path
from typing import Any

from tritongen.errors import TemplateError

_SLOT = re.compile(r"\{(\w+)\}")
_TABLE = re.compile(r"^\[(\w+)\]", re.MULTILINE)
KINDS = ("float", "int", "bool")


@dataclass(frozen=True, slots=True)
class Domain:
    """The interval that a value lies in, with a least absolute value."""

    name: str
    lo: float
    hi: float
    min_abs: float = 0.0

    def within(self, other: Domain) -> bool:
        """Whether every value of this domain is one of `other`."""
        return self.lo >= other.lo and self.hi <= other.hi and self.min_abs >= other.min_abs

    def __str__(self) -> str:
        return self.name


@dataclass(frozen=True, slots=True, eq=False)
class Op:
    """One op. `torch`, `method`, `triton` and `triton_int` are expressions over slots `{0}`, `{1}`, ..."""

    name: str
    table: str
    arity: int = 1
    title: str = ""
    phrase: str = ""
    torch: str = ""
    method: str = ""
    triton: str = ""
    triton_int: str = ""
    dtypes: tuple[str, ...] = ("float",)
    yields: str = "same"
    accepts: tuple[Domain, ...] = ()
    draws: tuple[Domain, ...] = ()
    image: tuple[tuple[Domain | None, Domain], ...] = ()
    identity_on: Domain | None = None
    scalars: bool = True
    expands: str = ""
    commutative: bool = False
    undoes: tuple[str, ...] = ()
    exact: bool = False
    discontinuous: bool = False
    ulps: float = 0.0
    tags: tuple[str, ...] = ()
    imports_torch: tuple[str, ...] = ()
    imports_triton: tuple[str, ...] = ()
    params: Mapping[str, tuple[float, ...]] = field(default_factory=dict)
    extra: Mapping[str, Any] = field(default_factory=dict)

    def __str__(self) -> str:
        return self.name

    def in_triton(self, kind: str) -> str:
        """The Triton spelling for values of `kind`."""
        return self.triton_int if kind != "float" and self.triton_int else self.triton

    def image_of(self, domain: Domain) -> Domain:
        """The domain of the result for a first argument in `domain`: the first image that fits."""
        return next(to for known, to in self.image if known is None or domain.within(known))


@lru_cache(maxsize=65536)
def is_compound(code: str) -> bool:
    """Whether `code` needs parentheses as an operand of a binary operator."""
    try:
        body = ast.parse(code, mode="eval").body
    except SyntaxError:
        return True
    return not isinstance(
        body, (ast.Name, ast.Call, ast.Attribute, ast.Constant, ast.Subscript, ast.Tuple)
    )


def fill(template: str, args: tuple[str, ...], params: Mapping[str, Any] | None = None) -> str:
    """Put `args` and `params` into the slots of an op's expression, with parentheses where needed."""

    def slot(match: re.Match[str]) -> str:
        key = match.group(1)
        if not key.isdigit():
            return literal((params or {})[key])
        arg = args[int(key)]
        if not is_compound(arg):
            return arg
        before, after = template[: match.start()].rstrip(), template[match.end() :].lstrip()
        enclosed = before.endswith(("(", ",")) and after.startswith((")", ","))
        called = not template[match.end() :].startswith((".", "[")) and (before, after) == ("", "")
        return arg if enclosed or called else f"({arg})"

    return _SLOT.sub(slot, template)


def fill_words(phrase: str, args: tuple[str, ...], params: Mapping[str, Any] | None = None) -> str:
    """Put words into the slots of a phrase."""
    return _SLOT.sub(
        lambda m: args[int(m[1])] if m[1].isdigit() else literal((params or {})[m[1]]), phrase
    )


def literal(value: Any) -> str:
    """`value` as a Python literal."""
    return repr(value)


_OP_KEYS = {
    "title": str,
    "phrase": str,
    "arity": int,
    "torch": str,
    "method": str,
    "triton": str,
    "triton_int": str,
    "dtypes": list,
    "yields": str,
    "accepts": (str, list),
    "draws": (str, list),
    "image": (str, dict),
    "identity_on": str,
    "scalars": bool,
    "expands": str,
    "commutative": bool,
    "undoes": list,
    "exact": bool,
    "discontinuous": bool,
    "ulps": (int, float),
    "tags": list,
    "imports_torch": list,
    "imports_triton": list,
    "params": dict,
}


def _read(path: Path) -> tuple[dict[str, Any], dict[str, str]]:
    """The records of a file, and for each its place, `file:line: [name]`."""
    try:
        text = path.read_text(encoding="utf-8")
    except (OSError, UnicodeDecodeError) as error:
        raise TemplateError(str(path), f"cannot be read ({error})") from None
    try:
        raw = tomllib.loads(text)
    except tomllib.TOMLDecodeError as error:
        line = re.search(r"line (\d+)", str(error))
        at = line[1] if line else text.count("\n") + 1
        raise TemplateError(f"{path}:{at}", f"not valid TOML ({error})") from None
    lines = {m[1]: text.count("\n", 0, m.start()) + 1 for m in _TABLE.finditer(text)}
    return raw, {name: f"{path}:{lines.get(name, 1)}: [{name}]" for name in raw}


def load_domains(path: Path) -> dict[str, Domain]:
    """Read the lattice of domains; raises TemplateError naming file and key."""
    domains = {}
    raw, places = _read(path)
    for name, record in raw.items():
        if not isinstance(record, dict):
            raise TemplateError(places[name], "a domain is a table", value=record)
        unknown = set(record) - {"lo", "hi", "min_abs", "title"}
        if unknown or not {"lo", "hi"} <= set(record):
            raise TemplateError(
                places[name],
                "a domain has lo, hi and perhaps min_abs",
                value=sorted(unknown) or record,
                known=("lo", "hi", "min_abs", "title"),
            )
        bounds = [record["lo"], record["hi"], record.get("min_abs", 0.0)]
        if not all(type(bound) in (int, float) for bound in bounds):
            raise TemplateError(places[name], "bounds are numbers", value=bounds)
        lo, hi, least = map(float, bounds)
        if not (lo <= hi and 0 <= least <= max(-lo, hi)):
            raise TemplateError(places[name], "no value lies within the bounds", value=bounds)
        domains[name] = Domain(name, lo, hi, least)
    return domains


def load_table(path: Path, domains: Mapping[str, Domain]) -> dict[str, Op]:
    """Read one op table. Keys beside the common ones are kept in `Op.extra` as the table's own fields,
    which must then be the same for every record (declared under `[_fields]` with their default).

    Raises TemplateError naming file, op and key.
    """
    raw, places = _read(path)
    own = raw.pop("_fields", {})
    ops = {}
    for name, record in raw.items():
        place = places[name]
        if not isinstance(record, dict):
            raise TemplateError(place, "an op is a table", value=record)
        for key, value in record.items():
            if key not in _OP_KEYS and key not in own:
                raise TemplateError(
                    place, "unknown key of an op", value=key, known=[*_OP_KEYS, *own]
                )
            kind = _OP_KEYS[key] if key in _OP_KEYS else _type_of(own[key])
            if not isinstance(value, kind):
                raise TemplateError(f"{place} {key}", "value of the wrong type", value=value)
        ops[name] = _op(name, path.stem, record, own, place, domains)
    return ops


def _type_of(default: Any) -> type | tuple[type, ...]:
    return (int, float) if type(default) in (int, float) else type(default)


def _op(
    name: str,
    table: str,
    record: dict[str, Any],
    own: dict[str, Any],
    place: str,
    domains: Mapping[str, Domain],
) -> Op:
    arity = record.get("arity", 1)
    accepts = _per_argument(record.get("accepts", "real"), arity, f"{place} accepts")
    draws = _per_argument(record.get("draws") or list(accepts), arity, f"{place} draws")
    image = record.get("image", "real")
    image = {"default": image} if isinstance(image, str) else dict(image)
    if "default" not in image:
        raise TemplateError(f"{place} image", "a table of images needs `default`", value=image)
    image["default"] = image.pop("default")
    identity = record.get("identity_on") or None
    named = [*accepts, *draws, *image.values(), *list(image)[:-1], *filter(None, [identity])]
    for domain in named:
        if not isinstance(domain, str) or domain not in domains:
            raise TemplateError(place, "unknown domain", value=domain, known=domains)
    for param, values in record.get("params", {}).items():
        if not isinstance(values, list) or not values:
            raise TemplateError(f"{place} params", f"{param} needs a list of values", value=values)
    for kind in record.get("dtypes", ["float"]):
        if kind not in KINDS:
            raise TemplateError(f"{place} dtypes", "unknown kind", value=kind, known=KINDS)
    common = {k: v for k, v in record.items() if k in _OP_KEYS}
    for key in ("dtypes", "undoes", "tags", "imports_torch", "imports_triton"):
        if key in common:
            common[key] = tuple(common[key])
    common |= {
        "accepts": tuple([domains[name] for name in accepts]),
        "draws": tuple([domains[name] for name in draws]),
        "image": tuple([(domains.get(key), domains[name]) for key, name in image.items()]),
        "identity_on": domains[identity] if identity else None,
        "params": {k: tuple(v) for k, v in record.get("params", {}).items()},
        "title": record.get("title", name.replace("_", " ")),
    }
    extra = {k: record.get(k, default) for k, default in own.items() if k not in _OP_KEYS}
    return Op(name=name, table=table, extra=extra, **common)


def _per_argument(value: str | list[str], arity: int, place: str) -> tuple[str, ...]:
    names = tuple([value] * arity if isinstance(value, str) else value)
    if len(names) != arity:
        raise TemplateError(place, f"one domain for each of {arity} arguments", value=list(names))
    return names
