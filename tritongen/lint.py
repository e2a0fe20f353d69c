"""Checks of every template without a GPU: what a render would trip over, and what it would not.

Names, fields and files are read from syntax trees. Spaces are counted, one variant of every stratum is
rendered, and around a few of them every form and tuning axis is walked, to see that no two points of a space
give one program. Every finding is `file:line: problem`.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator, Mapping, Sequence
from pathlib import Path
from typing import Any

from jinja2 import TemplateSyntaxError, meta, nodes

from tritongen.catalog import Catalog, Family, Template, declared_at
from tritongen.errors import EmptySpaceError, RenderError, TritongenError
from tritongen.expr import FUNCTIONS, Expression
from tritongen.fields import Kind, Misread, axis_kinds, in_expression, in_template
from tritongen.header import Header
from tritongen.render import PRESENTATION, Lazy, Rendered, environment
from tritongen.sample import renderer_of
from tritongen.space import Point, Space
from tritongen.spread import pick

_BOUND = ("name", "inputs", "tensors", "scalars", "dtypes", "dims", "shapes")
Parsed = tuple[Template, nodes.Template]
_WALKED = 8
"""Programs of a strategy around which every axis is walked."""


def lint(catalog: Catalog) -> list[str]:
    """All findings, each `file:line: problem`. An empty list means that the templates are sound."""
    found = [str(error) for error in catalog.broken.values()]
    found += _libraries(catalog)
    for family in catalog.families.values():
        trees: list[Parsed] = []
        for template in _templates(family):
            try:
                trees.append((template, _parse(catalog, template.path)))
            except TritongenError as error:
                found.append(str(error))
        if len(trees) < len(_templates(family)):
            continue
        found += _names(family, trees)
        found += _unused(family, trees)
        found += _fields(catalog, family, trees)
        found += _spaces(catalog, family)
    return list(dict.fromkeys(found))


def _templates(family: Family) -> list[Template]:
    return [family.contract, *family.strategies.values(), family.judge]


def _parse(catalog: Catalog, path: Path) -> nodes.Template:
    env = environment((*catalog.roots, catalog.digest))
    try:
        return env.parse(path.read_text(encoding="utf-8"))
    except TemplateSyntaxError as error:
        raise RenderError(f"{path}:{error.lineno}", str(error.message)) from None
    except (OSError, UnicodeDecodeError) as error:
        raise RenderError(str(path), f"cannot be read ({error})") from None


def _problem(place: str, problem: str, value: object, known: Iterable[str]) -> str:
    return str(TritongenError(place, problem, value=value, known=known))


# -- macro libraries ---------------------------------------------------------------------------------


def _libraries(catalog: Catalog) -> Iterator[str]:
    """Macro files that do not parse or that use names which nothing gives them."""
    trees: dict[str, tuple[Path, nodes.Template]] = {}
    open_: set[str] = set()
    for root in catalog.roots:
        for path in sorted(root.rglob("*.jinja")):
            name = path.relative_to(root).as_posix()
            if name in trees:
                continue
            try:
                tree = _parse(catalog, path)
            except TritongenError as error:
                if _private(name):
                    yield str(error)
                continue
            trees[name] = (path, tree)
            given = tree.find_all((nodes.Import, nodes.FromImport, nodes.Include))
            open_ |= {
                node.template.value
                for node in given
                if node.with_context and isinstance(node.template, nodes.Const)
            }
    for name, (path, tree) in trees.items():
        if _private(name) and name not in open_:
            for missing in sorted(_undeclared(tree)):
                place = f"{path}:{_line(tree, missing)}"
                yield f"{place}: undeclared name: {missing!r}; a macro file sees its arguments only"


def _private(name: str) -> bool:
    return any(part.startswith("_") for part in name.split("/")[:-1])


# -- names -------------------------------------------------------------------------------------------


def _undeclared(tree: nodes.Template) -> set[str]:
    """Names that the template takes from its context, less those that it binds itself in some branch and
    those in branches that ask with `is defined` first."""
    given = {node.name for node in tree.find_all(nodes.Name) if node.ctx != "load"}
    for branch in tree.find_all((nodes.If, nodes.CondExpr, nodes.And)):
        asks = branch.left if isinstance(branch, nodes.And) else branch.test
        tests = [asks, *asks.find_all(nodes.Test)]
        if any(isinstance(test, nodes.Test) and test.name == "defined" for test in tests):
            given |= {node.name for node in branch.find_all(nodes.Name)}
    return meta.find_undeclared_variables(tree) - given


def _line(tree: nodes.Template, name: str) -> int:
    return min([n.lineno for n in tree.find_all(nodes.Name) if n.name == name], default=1)


def _declared(header: Header) -> dict[str, str]:
    """Names that a header declares, and as what."""
    return {
        **dict.fromkeys((*header.axes, *header.form, *header.tuning), "axis"),
        **dict.fromkeys(header.let, "name"),
    }


def _names(family: Family, trees: Sequence[Parsed]) -> Iterator[str]:
    """Names that a template or an expression of its header uses and nothing declares."""
    contract = _declared(family.contract.header)
    ways = [_declared(template.header) for template in family.strategies.values()]
    everywhere = contract | {name: "" for way in ways for name in way}
    for template, tree in trees:
        known = contract | _declared(template.header)
        if template is not family.contract and template is not family.judge:
            allowed = {*known, *_BOUND}
        else:
            allowed = {*everywhere, *known, *_BOUND}
        for name in sorted(_undeclared(tree) - allowed):
            place = f"{template.path}:{_line(tree, name)}"
            yield _problem(place, "undeclared name", name, sorted(allowed))
        for key, expression in _expressions(template.header):
            given = {*everywhere, *known} | ({*_BOUND} if key in ("description", "how") else set())
            for name in sorted(expression.names - given - FUNCTIONS.keys()):
                place = f"{expression.place}: {key}"
                yield _problem(place, "undeclared name", name, sorted(given))


def _unused(family: Family, trees: Sequence[Parsed]) -> Iterator[str]:
    """Axes and derived names that nothing uses. `dtype` speaks through the judge."""
    uses = [
        meta.find_undeclared_variables(tree) | _in_header(template.header)
        for template, tree in trees
    ]
    everywhere, shared = set().union(*uses), uses[0] | uses[-1]
    for (template, _), own in zip(trees[:-1], uses, strict=False):
        seen = everywhere if template is family.contract else shared | own
        for name, what in _declared(template.header).items():
            if name not in seen and name != "dtype":
                place = declared_at(template, name)
                yield f"{place}: unused {what}: {name!r}; use it in a template, or take it out"


def _expressions(header: Header) -> Iterator[tuple[str, Expression]]:
    """The expressions of a header with their keys, rules apart: those are read where spaces are."""
    named: list[tuple[str, Any]] = [
        ("name", header.name),
        ("operation", header.operation),
        ("difficulty", header.difficulty),
        *[("description", text) for text in header.description],
        *[("how", text) for text in header.how],
        *header.let.items(),
        *[(name, dim.tile) for name, dim in header.dims.items()],
    ]
    for name, spec in header.inputs.items():
        own = (spec.shape, spec.dtype, spec.domain, spec.when, spec.ties)
        named += [(name, part) for part in own]
    yield from [(key, part) for key, part in named if isinstance(part, Expression)]


def _in_header(header: Header) -> set[str]:
    rules = [*header.where.values(), *header.when.values()]
    found = {name for rule in rules for name in rule.names}
    found |= {name for _, expression in _expressions(header) for name in expression.names}
    return found | {name[1:] for name in header.inputs if name.startswith("*")}


# -- fields ------------------------------------------------------------------------------------------


def _fields(catalog: Catalog, family: Family, trees: Sequence[Parsed]) -> Iterator[str]:
    """Fields of ops, chains, steps, operands and arguments that no such record has."""
    contract = family.contract.header
    for template, tree in trees:
        header = template.header
        kinds = axis_kinds({**contract.axes, **contract.form, **header.axes}, catalog.tables)
        kinds |= _let_kinds({**contract.let, **header.let}, kinds)
        for misread in in_template(tree, kinds):
            yield _misread(f"{template.path}:{misread.line}", misread)
        rules = [*header.where.items(), *header.when.items()]
        for key, expression in (*_expressions(header), *rules):
            for misread in in_expression(expression, kinds)[1]:
                yield _misread(f"{expression.place}: {key}", misread)


def _let_kinds(
    lets: Mapping[str, Expression], kinds: Mapping[str, Kind | None]
) -> dict[str, Kind | None]:
    known = dict(kinds)
    for name, expression in lets.items():
        known[name] = in_expression(expression, known)[0]
    return {name: known[name] for name in lets}


def _misread(place: str, misread: Misread) -> str:
    return _problem(place, f"unknown field, {misread.text}", misread.field, misread.known)


# -- spaces ------------------------------------------------------------------------------------------


def _spaces(catalog: Catalog, family: Family) -> Iterator[str]:
    """Spaces that are empty or cannot be counted, points that cannot be rendered, dimensions that nothing
    declares, and programs that two points share."""
    seen: dict[tuple[str, str, str], tuple[Template, Point]] = {}
    told: set[str] = set()
    for name, template in family.strategies.items():
        try:
            space = catalog.space(family.name, name)
            renderer = renderer_of(catalog, family.name, name)
        except TritongenError as error:
            yield _located(error, template)
            continue
        strata = space.strata()
        for stratum in strata:
            try:
                yield from _dims(renderer.program(stratum[0]), family, template)
            except TritongenError as error:
                yield _located(error, template)
        for start in _starts(strata):
            for point in _around(space, start):
                try:
                    program = renderer.program(point)
                except TritongenError as error:
                    yield _located(error, template)
                    continue
                key = (point.computation, program.python.text, program.triton.text)
                twin, other = seen.setdefault(key, (template, point))
                if (twin.path, other.program) == (template.path, point.program):
                    continue
                place, problem = _twins(family, twin, other, template, point)
                if f"{place}{problem}" not in told:
                    told.add(f"{place}{problem}")
                    yield f"{place}: {problem}; for instance {point.computation}"


def _located(error: TritongenError, template: Template) -> str:
    """The message of an error, with a file and a line if it has none."""
    if re.search(r"\.(jinja|toml):\d+", error.place):
        return str(error)
    line = 1
    if isinstance(error, EmptySpaceError):
        lines = template.path.read_text(encoding="utf-8").split("\n")
        line = lines.index("[where]") + 1 if "[where]" in lines else 1
    return f"{template.path}:{line}: {error}"


def _dims(program: Rendered, family: Family, template: Template) -> Iterator[str]:
    """Symbols in the shapes of inputs that are no dimensions."""
    known = {**family.contract.header.dims, **template.header.dims}
    for argument in program.values["inputs"]:
        for symbol in re.findall(r"[A-Za-z_]\w*", " ".join(argument.shape)):
            if symbol not in known:
                declares = template if argument.name in template.header.inputs else family.contract
                place = declared_at(declares, argument.name)
                yield _problem(place, "unknown dimension; add it to [dims]", symbol, known)


def _starts(strata: list[Space]) -> Iterator[Point]:
    """About `_WALKED` points over all strata, the first of each among them; the same in equal spaces."""
    chosen = strata[:: -(-len(strata) // _WALKED)]
    each = max(1, _WALKED // len(chosen))
    for stratum in chosen:
        yield stratum[0]
        yield from [stratum[pick(stratum.count, each, 0, k)] for k in range(1, each)]


def _around(space: Space, start: Point) -> Iterator[Point]:
    """The program of `start` and those that one form or tuning axis sets apart from it."""
    values = {name: v for name, v in start.values.items() if name not in PRESENTATION}
    computation = _text({a.name: values[a.name] for a in space.axes if a.role == "semantic"})
    yield Point(values, computation, _text(values), "")
    for axis in space.axes:
        if axis.role not in ("form", "tuning"):
            continue
        for cell in axis.cells:
            other = values | {axis.name: cell.value(0)}
            if other != values and _admits(space, other):
                yield Point(other, computation, _text(other), "")


def _text(values: Mapping[str, Any]) -> str:
    return ", ".join([f"{name}={values[name]}" for name in sorted(values)])


def _admits(space: Space, values: Mapping[str, Any]) -> bool:
    first = {axis.name: axis.cells[0].seen for axis in space.axes}
    known = Lazy(values, space.lets)
    return all(
        (rule.collapses and values[rule.collapses] == first[rule.collapses])
        or rule.condition(known)
        for rule in space.rules
    )


def _twins(
    family: Family, twin: Template, one: Point, template: Template, other: Point
) -> tuple[str, str]:
    """Where and how to say that two points give one program."""
    if twin is not template:
        return f"{template.path}:1", f"this strategy gives the programs of {twin.path}"
    apart = [name for name in one.values if one.values[name] != other.values[name]]
    contract = family.contract.header
    declares = family.contract if {*contract.axes, *contract.form} & {*apart} else template
    said = sorted([_text({name: point.values[name] for name in apart}) for point in (one, other)])
    problem = f"{said[0]} and {said[1]} give one program; tell them apart in the text or by a rule"
    return declared_at(declares, apart[0]), problem
