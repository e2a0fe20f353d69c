"""Discovery of templates by path. Adding a file is all it takes to add a family, a strategy or a table."""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from functools import cached_property, lru_cache
from hashlib import blake2b
from pathlib import Path
from typing import Any

from tritongen.axes import Axis, make_axis
from tritongen.errors import ArgumentError, TemplateError, UnknownNameError
from tritongen.expr import Expression
from tritongen.header import Header, parse_header
from tritongen.operation import Operations
from tritongen.optable import Domain, Op, load_domains, load_table
from tritongen.presentation import Style, load_styles
from tritongen.space import Rule, Space

SUFFIX = ".py.jinja"
DOCSTRINGS = ("full", "numpy", "brief", "none")


def builtin_root() -> Path:
    """The folder of the templates that come with the package."""
    inside = Path(__file__).parent / "templates"
    return inside if inside.is_dir() else Path(__file__).parent.parent / "templates"


@dataclass(frozen=True)
class Template:
    """One template file: `name` is its path below a root, as the loader knows it."""

    name: str
    path: Path
    header: Header
    digest: str


@dataclass(frozen=True)
class Family:
    """One contract, its strategies by name, and its judge."""

    name: str
    contract: Template
    strategies: Mapping[str, Template]
    judge: Template
    builtin: bool = True


@dataclass(frozen=True)
class Catalog:
    """All templates of some roots. Made by `catalog`; never changes."""

    roots: tuple[Path, ...]
    families: Mapping[str, Family]
    tables: Mapping[str, Mapping[str, Op]]
    domains: Mapping[str, Domain]
    styles: Mapping[str, Style]
    digest: str
    broken: Mapping[str, TemplateError]
    made: dict[Any, Any] = field(default_factory=dict, repr=False)

    @cached_property
    def operations(self) -> Operations:
        """Expansion and ids of operations."""
        return Operations(self.tables)

    def family(self, name: str) -> Family:
        """The family called `name`; raises UnknownNameError with the known ones, or what is broken in it."""
        if name in self.broken:
            raise self.broken[name]
        if name not in self.families:
            raise UnknownNameError("family", "unknown family", value=name, known=self.families)
        return self.families[name]

    def strategy(self, family: str, name: str) -> Template:
        """The strategy called `name`; raises UnknownNameError with the known ones."""
        strategies = self.family(family).strategies
        if name not in strategies:
            raise UnknownNameError(
                f"strategy of {family}", "unknown strategy", value=name, known=strategies
            )
        return strategies[name]

    def lets(self, family: str, strategy: str) -> dict[str, Expression]:
        """Derived names of contract and strategy, in declared order."""
        contract = self.family(family).contract.header
        return {**contract.let, **self.strategy(family, strategy).header.let}

    def space(
        self,
        family: str,
        strategy: str,
        where: Mapping[str, Any] | None = None,
        *,
        tuning: int = 4,
        presentations: int = 8,
    ) -> Space:
        """The space of one strategy. `where` filters axes to values.

        Raises UnknownNameError for an unknown family, strategy, axis or value and EmptySpaceError where
        nothing is left.
        """
        key = (
            "space",
            family,
            strategy,
            repr(sorted((where or {}).items())),
            tuning,
            presentations,
        )
        if key not in self.made:
            self.made[key] = self._space(family, strategy, where or {}, tuning, presentations)
        return self.made[key]

    def axes(self, family: str, strategy: str) -> Mapping[str, Axis]:
        """The axes of a strategy by name, unfiltered, in declared order."""
        key = ("axes", family, strategy)
        if key not in self.made:
            self.made[key] = self._axes(family, strategy)
        return self.made[key]

    def _axes(self, family: str, strategy: str) -> dict[str, Axis]:
        contract = self.family(family).contract
        way = self.strategy(family, strategy)
        declared: dict[str, tuple[str, Any, Template]] = {}
        for role, axes, template in (
            ("semantic", contract.header.axes, contract),
            ("form", contract.header.form, contract),
            ("form", way.header.form, way),
            ("tuning", way.header.tuning, way),
            ("presentation", self._presentation(contract), contract),
        ):
            for name, spec in axes.items():
                if name in declared:
                    raise TemplateError(
                        declared_at(template, name),
                        "axis declared twice",
                        value=name,
                        hint=f"it is an axis of {declared[name][2].path} as well; rename one",
                    )
                declared[name] = (role, spec, template)
        return {
            name: make_axis(
                name,
                role,
                spec,
                self.tables,
                self.domains,
                f"{declared_at(template, name)}: {name}",
            )
            for name, (role, spec, template) in declared.items()
        }

    def _space(
        self,
        family: str,
        strategy: str,
        where: Mapping[str, Any],
        tuning: int,
        presentations: int,
    ) -> Space:
        contract = self.family(family).contract
        way = self.strategy(family, strategy)
        declared = self.axes(family, strategy)
        for name in where:
            if name not in declared:
                raise UnknownNameError(
                    f"where, {family}/{strategy}", "unknown axis", value=name, known=declared
                )
        axes = [
            axis.only(where[name], f"where, {family}/{strategy}, {name}") if name in where else axis
            for name, axis in declared.items()
        ]
        rules = [
            Rule(reason, condition)
            for header in (contract.header, way.header)
            for reason, condition in header.where.items()
        ]
        for header in (contract.header, way.header):
            for name, condition in header.when.items():
                if name not in declared:
                    raise TemplateError(condition.place, "unknown axis", value=name, known=declared)
                reason = f"{name} means nothing unless {condition.text}"
                rules.append(Rule(reason, condition, name))
        return Space(
            family,
            strategy,
            axes,
            rules,
            self.lets(family, strategy),
            tuning=tuning,
            presentations=presentations,
        )

    def _presentation(self, contract: Template) -> dict[str, Any]:
        axes: dict[str, Any] = {
            "style": list(self.styles),
            "comments": [True, False],
            "docstring": list(DOCSTRINGS),
        }
        for name, values in contract.header.presentation.items():
            place = declared_at(contract, name)
            if name not in axes:
                raise TemplateError(
                    f"{place}: presentation", "unknown axis", value=name, known=axes
                )
            if not isinstance(values, list):
                raise TemplateError(
                    f"{place}: {name}", "a list of values is expected", value=values
                )
            for value in values:
                if value not in axes[name]:
                    raise TemplateError(
                        f"{place}: {name}", "no such value", value=value, known=axes[name]
                    )
            axes[name] = values
        return axes


def declared_at(template: Template, name: str) -> str:
    """`file:line` of the line of the header that declares `name`, or of the file's first line."""
    pattern = re.compile(rf'"?{re.escape(name)}"?\s*=')
    lines = template.path.read_text(encoding="utf-8").split("---#}", 1)[0].split("\n")
    at = next((n for n, line in enumerate(lines, start=1) if pattern.match(line.strip())), 1)
    return f"{template.path}:{at}"


def catalog(templates: Sequence[str | Path] | str | Path = ()) -> Catalog:
    """The catalog of the user's roots `templates` (they come first) and of the package's own.

    Raises TemplateError for a root that is not there, and for a broken template.
    """
    given = [templates] if isinstance(templates, str | Path) else templates
    if not isinstance(given, Sequence) or not all(isinstance(root, str | Path) for root in given):
        raise ArgumentError(
            "templates", "a folder or a list of folders is expected", value=templates
        )
    roots = tuple([Path(root) for root in given])
    for root in roots:
        if not root.is_dir():
            raise TemplateError(
                "templates",
                "the template folder does not exist",
                value=str(root),
                hint="give the folder that holds python/ and triton/",
            )
    roots = (*roots, builtin_root())
    files = tuple([(f.as_posix(), f.stat().st_mtime_ns) for root in roots for f in _files(root)])
    return _catalog(roots, files)


def _files(root: Path) -> Iterable[Path]:
    kinds = (*root.rglob(f"*{SUFFIX}"), *root.rglob("*.jinja"), *root.rglob("*.toml"))
    return sorted(set(kinds))


@lru_cache(maxsize=8)
def _catalog(roots: tuple[Path, ...], files: tuple[tuple[str, int], ...]) -> Catalog:
    domains: dict[str, Domain] = {}
    tables: dict[str, Mapping[str, Op]] = {}
    for root in reversed(roots):
        lattice = root / "ops" / "_domains.toml"
        if lattice.exists():
            domains |= load_domains(lattice)
    for root in reversed(roots):
        for path in sorted((root / "ops").glob("*.toml")):
            if not path.name.startswith("_"):
                tables[path.stem] = load_table(path, domains)
    styles = load_styles([root / "styles" for root in reversed(roots)])
    families: dict[str, Family] = {}
    broken: dict[str, TemplateError] = {}
    for root in reversed(roots):
        for path in sorted((root / "python").glob(f"*{SUFFIX}")):
            name = path.name.removesuffix(SUFFIX)
            if name.startswith("_"):
                continue
            try:
                families[name] = _family(path, roots, root == roots[-1])
                broken.pop(name, None)
            except TemplateError as error:
                families.pop(name, None)
                broken[name] = error
    _no_orphans(roots, families, broken)
    whole = blake2b(digest_size=16)
    for path, _ in files:
        whole.update(Path(path).name.encode() + b"\0" + Path(path).read_bytes())
    return Catalog(roots, families, tables, domains, styles, whole.hexdigest(), broken)


def _family(path: Path, roots: Sequence[Path], builtin: bool) -> Family:
    name = path.name.removesuffix(SUFFIX)
    strategies: dict[str, Template] = {}
    for root in roots:
        for file in sorted((root / "triton" / name).glob(f"*{SUFFIX}")):
            stem = file.name.removesuffix(SUFFIX)
            if not stem.startswith("_") and stem not in strategies:
                strategies[stem] = _template(f"triton/{name}/{file.name}", file, "strategy")
    if not strategies:
        raise TemplateError(
            f"{path}:1",
            "the family has no strategy",
            hint=f"add triton/{name}/<strategy>{SUFFIX} under one of the template folders",
        )
    contract = _template(f"python/{path.name}", path, "contract")
    judge = contract.header.judge or name
    for candidate in (judge, "_default"):
        for root in roots:
            file = root / "pytest" / f"{candidate}{SUFFIX}"
            if file.exists():
                found = _template(f"pytest/{file.name}", file, "judge")
                ordered = dict(sorted(strategies.items()))
                return Family(name, contract, ordered, found, builtin)
    raise TemplateError(f"{path}:1", "no judge", hint=f"add pytest/_default{SUFFIX}")


def _template(name: str, path: Path, role: str) -> Template:
    try:
        text = path.read_text(encoding="utf-8")
    except (OSError, UnicodeDecodeError) as error:
        raise TemplateError(str(path), f"cannot be read ({error})") from None
    digest = blake2b(text.encode(), digest_size=8).hexdigest()
    return Template(name, path, parse_header(path, text, role), digest)


def _no_orphans(
    roots: Sequence[Path], families: Mapping[str, Family], broken: dict[str, TemplateError]
) -> None:
    for root in roots:
        for folder in sorted((root / "triton").glob("*")):
            name = folder.name
            if name.startswith("_") or name in families or name in broken:
                continue
            files = sorted(folder.glob(f"*{SUFFIX}"))
            if files:
                broken[name] = TemplateError(
                    f"{files[0]}:1",
                    "strategies without a contract",
                    value=folder.name,
                    known=families,
                    hint=f"add python/{folder.name}{SUFFIX}",
                )
