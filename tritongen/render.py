"""From a point of a space to a pair: render the program once, then present it under each style."""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass
from functools import lru_cache
from hashlib import blake2b
from typing import Any

from jinja2 import (
    Environment,
    FileSystemLoader,
    StrictUndefined,
    Template,
    TemplateSyntaxError,
    UndefinedError,
    meta,
)
from jinja2 import (
    TemplateError as JinjaError,
)
from jinja2.runtime import LoopContext, Macro
from jinja2.sandbox import ImmutableSandboxedEnvironment

from tritongen.bindings import Argument, Bindings, bind
from tritongen.catalog import SUFFIX, Catalog
from tritongen.catalog import Template as TemplateFile
from tritongen.chain import Chain, Operand, Step
from tritongen.dtypes import DtypeSet
from tritongen.errors import RenderError, TritongenError
from tritongen.optable import Domain, Op
from tritongen.pair import Pair
from tritongen.presentation import Program, entry_names, present
from tritongen.space import Point, scope

PRESENTATION = ("style", "comments", "docstring")
EASY, MEDIUM = 2, 4
KEPT_PROGRAMS, KEPT_TEXTS = 16, 64
_RECORDS = frozenset({Argument, Chain, DtypeSet, Domain, LoopContext, Op, Operand, Step})


def difficulty(points: float) -> str:
    """Points are steps plus dimensions beyond the first (contract) plus the strategy's own: up to 2 is
    easy, up to 4 medium, more is hard."""
    return "easy" if points <= EASY else "medium" if points <= MEDIUM else "hard"


@dataclass(frozen=True, slots=True)
class Rendered:
    """A program: its three texts in canonical identifiers, and what all its variants share."""

    python: Program
    triton: Program
    test: Program
    values: Mapping[str, Any]
    name: str
    program_id: str
    operation_id: str
    metadata: Mapping[str, Any]
    params: Mapping[str, Any]


class _Environment(ImmutableSandboxedEnvironment):
    """The sandbox, with a short way for our own frozen records."""

    def getattr(self, obj: Any, attribute: str) -> Any:
        """`obj.attribute` in a template."""
        if type(obj) in _RECORDS and not attribute.startswith("_"):
            try:
                return getattr(obj, attribute)
            except AttributeError:
                return self.undefined(obj=obj, name=attribute)
        return super().getattr(obj, attribute)

    def call(self, context: Any, obj: Any, /, *args: Any, **kwargs: Any) -> Any:
        """`obj(...)` in a template."""
        if type(obj) is Macro:
            for name in ("_loop_vars", "_block_vars"):
                kwargs.pop(name, None)
            return obj(*args, **kwargs)
        return super().call(context, obj, *args, **kwargs)


@lru_cache(maxsize=4)
def environment(roots: tuple[Any, ...]) -> Environment:
    """The Jinja environment of some roots: sandboxed, strict, one per process."""
    env = _Environment(
        loader=FileSystemLoader([str(root) for root in roots]),
        undefined=StrictUndefined,
        trim_blocks=True,
        lstrip_blocks=True,
        keep_trailing_newline=True,
        auto_reload=False,
        cache_size=-1,
    )
    env.filters["literal"] = repr
    return env


class Renderer:
    """Renders the pairs of one strategy of one family. Raises RenderError with template and line."""

    def __init__(self, catalog: Catalog, family: str, strategy: str) -> None:
        self.catalog = catalog
        self.family = catalog.family(family)
        self.strategy = catalog.strategy(family, strategy)
        self.lets = catalog.lets(family, strategy)
        self.env = _environment_of(catalog)
        self.sources = (self.family.contract, self.strategy, self.family.judge)
        self.templates = [self._load(source) for source in self.sources]
        self._depends = [self._dependencies(source) for source in self.sources]
        digests = [source.digest for source in self.sources]
        self.stamp = "/".join([family, strategy, *digests, self._libraries()])
        self._styles = {n: _digest(s.path.read_text("utf-8")) for n, s in catalog.styles.items()}
        self._axes = self._axis_names()
        self._texts: list[dict[Any, Program]] = [{}, {}, {}]
        self._programs: dict[str, Rendered] = {}

    def _axis_names(self) -> tuple[str, ...]:
        contract, way = self.family.contract.header, self.strategy.header
        return (*contract.axes, *contract.form, *way.form, *way.tuning)

    def _load(self, source: TemplateFile) -> Template:
        try:
            return self.env.get_template(source.name)
        except TemplateSyntaxError as error:
            raise RenderError(f"{source.path}:{error.lineno}", str(error.message)) from None

    def _libraries(self) -> str:
        """The digest of the macro files that the templates use, directly or not."""
        texts: dict[str, str] = {}
        todo = [source.name for source in self.sources]
        while todo:
            name = todo.pop()
            if name in texts or self.env.loader is None:
                continue
            try:
                texts[name] = self.env.loader.get_source(self.env, name)[0]
                used = meta.find_referenced_templates(self.env.parse(texts[name]))
            except JinjaError:
                continue  # rendering says where and why
            todo += [name for name in used if name]
        own = {source.name for source in self.sources}
        return _digest(repr(sorted((name, texts[name]) for name in texts.keys() - own)))

    def _dependencies(self, source: TemplateFile) -> frozenset[str]:
        names: set[str] = set()
        todo = set(undeclared(self.catalog, source))
        while todo:
            name = todo.pop()
            if name in self.lets and name not in names:
                todo |= self.lets[name].names
            names.add(name)
        return frozenset(names)

    # -- identities --------------------------------------------------------------------------------

    def operation_id(self, point: Point) -> str:
        """The operation id of a point, without rendering."""
        expression = self.family.contract.header.operation
        if expression is None:
            text = f"{self.family.name}({point.computation!r})"
            return blake2b(text.encode(), digest_size=8).hexdigest()
        text = expression(Lazy(point.values, self.lets))
        return self.catalog.operations.id(text, expression.place)

    def program_id(self, point: Point) -> str:
        """The program id of a point, without rendering. Templates and the ops of the point enter it."""
        ops = "".join([_records(v) for v in point.values.values() if type(v) in (Op, Chain)])
        return _digest(f"{self.stamp};{point.program};{ops}")

    # -- rendering ---------------------------------------------------------------------------------

    def _text(self, which: int, context: Mapping[str, Any], bindings: Bindings) -> Program:
        """One of the three texts. Programs that differ in what its template does not use share it."""
        uses = self._depends[which]
        key = (
            tuple([str(context[name]) for name in self._axes if name in uses]),
            context["name"] if "name" in uses else "",
            bindings.arguments if uses & {"inputs", "tensors", "scalars"} else (),
            bindings.dtypes,
            (bindings.dims, bindings.shapes) if uses & {"dims", "shapes"} else (),
        )
        kept = self._texts[which]
        found = kept.get(key)
        if found is None:
            if len(kept) >= KEPT_TEXTS:
                kept.clear()
            found = kept[key] = Program(self._render(which, context))
        return found

    def _render(self, which: int, context: Mapping[str, Any]) -> str:
        try:
            text = self.templates[which].render(context)
            # A wrapper may allocate by methods of its arguments alone
            return text if "torch." in text else text.replace("import torch\n", "", 1)
        except UndefinedError as error:
            place = _place(self.sources[which], error)
            name = re.fullmatch(r"'(\w+)' is undefined", error.message or "")
            if name is None:
                raise RenderError(place, f"undefined ({error.message})") from None
            raise RenderError(
                place,
                "undefined name",
                value=name[1],
                known=sorted(context),
                hint="declare it as an axis, a form, a tuning axis or under [let]",
            ) from None
        except TritongenError:
            raise
        except Exception as error:  # a template may raise anything
            place = _place(self.sources[which], error)
            raise RenderError(place, f"{type(error).__name__}: {error}") from None

    def program(self, point: Point) -> Rendered:
        """The rendered program of a point; the last ones are kept, since variants follow each other."""
        found = self._programs.get(point.program)
        if found is None:
            if len(self._programs) >= KEPT_PROGRAMS:
                self._programs.clear()
            found = self._programs[point.program] = self._program(point)
        return found

    def _program(self, point: Point) -> Rendered:
        params = {k: v for k, v in point.values.items() if k not in PRESENTATION}
        values = scope(params, self.lets)
        bindings = bind(self.family.contract.header, self.strategy.header, values)
        contract = self.family.contract.header
        name = str(contract.name(values)) if contract.name else self.family.name
        context = values | bindings.context() | {"name": name}
        return Rendered(
            python=self._text(0, context, bindings),
            triton=self._text(1, context, bindings),
            test=self._text(2, context, bindings),
            values=context,
            name=name,
            program_id=self.program_id(point),
            operation_id=self.operation_id(point),
            metadata=self._metadata(values, bindings),
            params={
                k: v if isinstance(v, str | int | float) else str(v) for k, v in params.items()
            },
        )

    def _metadata(self, values: Mapping[str, Any], bindings: Bindings) -> dict[str, Any]:
        contract, way = self.family.contract.header, self.strategy.header
        points = sum([float(h.difficulty(values)) for h in (contract, way) if h.difficulty])
        tags = dict.fromkeys([*contract.tags, *way.tags])
        if way.atomics:
            tags["atomics"] = None
        return {
            "operation_type": contract.operation_type or self.family.name,
            "difficulty": difficulty(points),
            "tags": list(tags),
            "family": self.family.name,
            "strategy": self.strategy.path.name.removesuffix(SUFFIX),
            "op": str(values.get("op", self.family.name)),
            "dtypes": list(bindings.dtypes),
            "params": {},
            "entry": {},
            "atomics": way.atomics,
            "requires": list(way.requires),
            "targets": list(way.targets),
        }

    def pair(self, point: Point) -> Pair:
        """The pair of a point."""
        program = self.program(point)
        shown = point.values
        style = self.catalog.styles[shown["style"]]
        comments, docstring, name = shown["comments"], shown["docstring"], program.name
        identity = _digest(
            f"{program.program_id};{point.presentation};{self._styles[shown['style']]}"
        )
        metadata = dict(program.metadata)
        metadata["params"] = {**program.params, **{k: shown[k] for k in PRESENTATION}}
        metadata["entry"] = entry_names(style, name)
        return Pair(
            id=identity,
            program_id=program.program_id,
            operation_id=program.operation_id,
            family=self.family.name,
            strategy=metadata["strategy"],
            description=self._description(program, int(identity[:8], 16)),
            python_code=present(
                program.python, style, name, comments=comments, docstring=docstring
            ),
            triton_code=present(
                program.triton, style, name, comments=comments, docstring=docstring
            ),
            test_code=present(program.test, style, name, comments=comments, docstring=docstring),
            metadata=metadata,
        )

    def _description(self, program: Rendered, draw: int) -> str:
        what = self.family.contract.header.description
        how = self.strategy.header.how
        text = what[draw % len(what)](program.values) if what else self.family.contract.header.title
        draw //= 1 + len(what)
        if how:
            text = f"{text}, {how[draw % len(how)](program.values)}"
        return text[:1].upper() + text[1:] + "."


def undeclared(catalog: Catalog, source: TemplateFile) -> frozenset[str]:
    """The names that a template takes from its context."""
    key = ("undeclared", source.path)
    if key not in catalog.made:
        tree = _environment_of(catalog).parse(source.path.read_text(encoding="utf-8"))
        catalog.made[key] = frozenset(meta.find_undeclared_variables(tree))
    return catalog.made[key]


class Lazy(dict[str, Any]):
    """Values of axes and, on demand, of `let` names."""

    def __init__(self, values: Mapping[str, Any], lets: Mapping[str, Any]) -> None:
        super().__init__(values)
        self.lets = lets

    def __missing__(self, name: str) -> Any:
        self[name] = self.lets[name](self)
        return self[name]


def _environment_of(catalog: Catalog) -> Environment:
    return environment((*catalog.roots, catalog.digest))


@lru_cache(maxsize=1 << 12)
def _record(op: Op) -> str:
    return _digest(repr(op))


def _records(value: Op | Chain) -> str:
    """The digests of the records of an op or of the steps of a chain."""
    if isinstance(value, Op):
        return _record(value)
    return "".join([_record(letter.op) for letter in value.letters])


def _digest(text: str) -> str:
    return blake2b(text.encode(), digest_size=16).hexdigest()


def _place(source: TemplateFile, error: BaseException) -> str:
    """File and line of the innermost frame of a template in the traceback of `error`."""
    place, trace = str(source.path), error.__traceback__
    if isinstance(error, TemplateSyntaxError) and error.filename:
        return f"{error.filename}:{error.lineno}"
    while trace is not None:
        name = trace.tb_frame.f_code.co_filename
        if name.endswith(".jinja"):
            place = f"{name}:{trace.tb_lineno}"
        trace = trace.tb_next
    return place
