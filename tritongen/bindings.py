"""What judge and gate need of a program: its arguments, their shapes and domains, and the test shapes."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from tritongen.chain import Chain
from tritongen.errors import TemplateError
from tritongen.header import DimSpec, Header, InputSpec
from tritongen.optable import Domain

_REAL = Domain("real", -30.0, 30.0)


@dataclass(frozen=True, slots=True)
class Argument:
    """One argument of reference and wrapper. `shape` is a tuple of dimension symbols and numbers, as code;
    `dtype` is `dtype` for the pair's own or the name of a fixed one; `source` is that of a chain operand."""

    name: str
    shape: tuple[str, ...]
    dtype: str
    domain: Domain
    scalar: bool = False
    range: tuple[Any, ...] = ()
    layout: str = "contiguous"
    values: tuple[float, ...] = ()
    source: str = "new"
    ties: bool = False

    @property
    def shape_code(self) -> str:
        """The shape as a Python tuple."""
        return f"({self.shape[0]},)" if len(self.shape) == 1 else f"({', '.join(self.shape)})"


@dataclass(frozen=True, slots=True)
class Bindings:
    """Arguments, dtypes, dimension symbols and test shapes of one program."""

    arguments: tuple[Argument, ...]
    dtypes: tuple[str, ...]
    dims: tuple[str, ...]
    shapes: tuple[tuple[int, ...], ...]

    def context(self) -> dict[str, Any]:
        """The names under which templates see the bindings."""
        return {
            "inputs": self.arguments,
            "tensors": tuple([a for a in self.arguments if not a.scalar]),
            "scalars": tuple([a for a in self.arguments if a.scalar]),
            "dtypes": self.dtypes,
            "dims": self.dims,
            "shapes": self.shapes,
        }


def bind(contract: Header, strategy: Header, values: Mapping[str, Any]) -> Bindings:
    """Work out the bindings of a program at `values`."""
    arguments: list[Argument] = []
    for spec in {**contract.inputs, **strategy.inputs}.values():
        if spec.when is not None and not spec.when(values):
            continue
        arguments += (
            _operands(spec, values) if spec.name.startswith("*") else [_argument(spec, values)]
        )
    dims = {**contract.dims, **strategy.dims}
    used = [name for name in dims if any([_mentions(a, name) for a in arguments])]
    dtype = values.get("dtype")
    return Bindings(
        arguments=tuple(arguments),
        dtypes=dtype.names if dtype is not None else ("float32",),
        dims=tuple(used),
        shapes=tuple(shapes_to_test([dims[name] for name in used], values)),
    )


def _mentions(argument: Argument, dim: str) -> bool:
    words = " ".join([*argument.shape, *map(str, argument.range)])
    for sign in "+-*/(),":
        words = words.replace(sign, " ")
    return dim in words.split()


def _shape(spec: InputSpec, values: Mapping[str, Any]) -> tuple[str, ...]:
    if isinstance(spec.shape, tuple):
        return spec.shape
    return tuple([str(side) for side in spec.shape(values)])


def _argument(spec: InputSpec, values: Mapping[str, Any]) -> Argument:
    domain = spec.domain(values) if spec.domain is not None else _REAL
    if not isinstance(domain, Domain):
        raise TemplateError(
            spec.domain.place if spec.domain else spec.name, "not a domain", value=domain
        )
    dtype = spec.dtype if isinstance(spec.dtype, str) else str(spec.dtype(values))
    return Argument(
        spec.name,
        _shape(spec, values),
        dtype,
        domain,
        spec.scalar,
        spec.range,
        spec.layout,
        spec.values,
        ties=bool(spec.ties(values)) if spec.ties is not None else False,
    )


def _operands(spec: InputSpec, values: Mapping[str, Any]) -> list[Argument]:
    """The operands of the chain that the entry `*axis` names, broadcast against the entry's shape."""
    chain = values[spec.name[1:]]
    if not isinstance(chain, Chain):
        raise TemplateError(f"inputs, {spec.name}", "not the name of a chain axis", value=spec.name)
    shape = _shape(spec, values)
    found = []
    for operand in chain.operands:
        own = shape
        if operand.source == "row":
            own = shape[-1:]
        elif operand.source == "col":
            own = (*shape[:-1], "1")
        found.append(
            Argument(
                operand.name,
                own if operand.is_tensor else (),
                spec.dtype if isinstance(spec.dtype, str) else str(spec.dtype(values)),
                operand.domain,
                scalar=not operand.is_tensor,
                source=operand.source,
                ties=operand.ties,
            )
        )
    return found


def shapes_to_test(dims: list[DimSpec], values: Mapping[str, Any]) -> list[tuple[int, ...]]:
    """Test shapes over `dims`: the least, whole tiles, and twice a mixture of tails and several tiles."""
    cases = []
    for case in range(4):
        shape = tuple(
            [_size(dim, (case, case + at)[case > 1], values) for at, dim in enumerate(dims)]
        )
        cases.append(shape)
    return list(dict.fromkeys(cases))


def _size(dim: DimSpec, case: int, values: Mapping[str, Any]) -> int:
    """Size of `dim` in case 0 (least), 1 (whole tiles), 2 and 4 (several tiles and a tail), 3 and 5 (one
    short of a tile)."""
    if dim.sizes:
        return dim.sizes[case % len(dim.sizes)]
    tile = int(dim.tile(values)) if dim.tile is not None else 0
    if tile <= 1:
        size = (1, 4, 7, 3)[case % 4]
    else:
        size = (1, tile, 2 * tile + 3, tile - 1)[case % 4 if case < 4 else 2 + case % 2]
    size = max(dim.min, min(size, dim.max))
    size = -(-size // dim.multiple_of) * dim.multiple_of
    return size if size <= dim.max else size - dim.multiple_of
