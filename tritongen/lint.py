"""Checks of every template in milliseconds, with no GPU: what a render would trip over, and what it would not."""

from __future__ import annotations

import re
from collections.abc import Iterator
from typing import Any

from jinja2 import TemplateSyntaxError, meta, nodes

from tritongen.catalog import Catalog, Family, Template
from tritongen.errors import TritongenError
from tritongen.expr import Expression
from tritongen.header import Header
from tritongen.render import environment
from tritongen.sample import renderer_of

_BOUND = frozenset({"name", "inputs", "tensors", "scalars", "dtypes", "dims", "shapes"})


def lint(catalog: Catalog) -> list[str]:
    """All findings, each `file:line: problem`. An empty list means that the templates are sound."""
    found: list[str] = [str(error) for error in catalog.broken.values()]
    for family in catalog.families.values():
        for check in (_names, _spaces):
            try:
                found += check(catalog, family)
            except TritongenError as error:
                found.append(str(error))
    return list(dict.fromkeys(found))


def _names(catalog: Catalog, family: Family) -> Iterator[str]:
    """Names that a template uses and nothing declares; axes and lets that nothing uses."""
    contract = family.contract.header
    shared = {*contract.axes, *contract.form, *contract.let}
    used: set[str] = set()
    for template in (family.contract, *family.strategies.values(), family.judge):
        header = template.header
        known = shared | {*header.form, *header.tuning, *header.let} | _BOUND
        if template is family.judge:
            known = known | {n for s in family.strategies.values() for n in _declared(s.header)}
        own, lines = _undeclared(catalog, template)
        for name in sorted(own - known):
            line = _line_of(lines, name)
            yield f"{template.path}:{line}: undeclared name {name!r}; known: {', '.join(sorted(known))}"
        used |= own
    for template in (family.contract, *family.strategies.values()):
        header = template.header
        mentioned = used | _in_expressions(header) | _in_expressions(contract)
        mentioned |= {
            word for s in family.strategies.values() for word in _in_expressions(s.header)
        }
        for name in _declared(header):
            if name not in mentioned and name != "dtype":
                line = _line_of(template.path.read_text(encoding="utf-8").split("\n"), name)
                yield f"{template.path}:{line}: {name!r} is declared and never used"


def _declared(header: Header) -> set[str]:
    return {*header.axes, *header.form, *header.tuning, *header.let}


def _undeclared(catalog: Catalog, template: Template) -> tuple[set[str], list[str]]:
    text = template.path.read_text(encoding="utf-8")
    env = environment((*catalog.roots, catalog.digest))
    try:
        tree = env.parse(text)
    except TemplateSyntaxError as error:
        raise TritongenError(f"{template.path}:{error.lineno}", str(error.message)) from None
    assigned = {node.name for node in tree.find_all(nodes.Name) if node.ctx in ("store", "param")}
    return meta.find_undeclared_variables(tree) - assigned, text.split("\n")


def _in_expressions(header: Header) -> set[str]:
    found: set[str] = set()
    single = [header.name, header.operation, header.difficulty]
    many: list[Any] = [*header.description, *header.how, *header.where.values()]
    many += [*header.when.values(), *header.let.values(), *[d.tile for d in header.dims.values()]]
    for spec in header.inputs.values():
        many += [spec.domain, spec.when, spec.shape, spec.dtype]
        if spec.name.startswith("*"):
            found.add(spec.name[1:])
    for expression in (*single, *many):
        if isinstance(expression, Expression):
            found |= expression.names
    return found


def _line_of(lines: list[str], name: str) -> int:
    pattern = re.compile(rf"(?<![\w.]){re.escape(name)}\b")
    return next((at for at, line in enumerate(lines, start=1) if pattern.search(line)), 1)


def _spaces(catalog: Catalog, family: Family) -> Iterator[str]:
    """Spaces that are empty or cannot be counted, rules that never drop anything, and programs that two
    names share; one variant of every stratum is rendered."""
    for name, template in family.strategies.items():
        space = catalog.space(family.name, name)
        renderer = renderer_of(catalog, family.name, name)
        seen: dict[tuple[str, str], str] = {}
        for stratum in space.strata():
            point = stratum[0]
            program = renderer.program(point)
            key = (program.name, program.triton.text)
            if key in seen and seen[key] != point.program:
                yield (
                    f"{template.path}:1: two points of the space give one program: "
                    f"{seen[key]} and {point.program}"
                )
            seen[key] = point.program
