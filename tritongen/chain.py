"""Words of a chain of pointwise ops: letters, operands, steps, and the classes that rules see.

A letter is an op, its literal parameters and the sources of its arguments beyond the running value.
`alphabet` counts, ranks and unranks the words of a space.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from functools import cached_property
from types import MappingProxyType
from typing import Any

from tritongen.optable import Domain, Op, fill, fill_words, literal

SOURCES = ("new", "row", "col", "scalar", "first")
TENSOR_NAMES = ("y", "z", "w", "u", "v")
SCALAR_NAMES = ("alpha", "beta", "gamma", "delta", "kappa", "theta", "omega")


@dataclass(frozen=True, slots=True)
class Letter:
    """One step of a word: `sources` are those of the arguments beyond the running value."""

    op: Op
    sources: tuple[str, ...] = ()
    params: tuple[tuple[str, Any], ...] = ()

    @property
    def text(self) -> str:
        """The letter as it stands in a word, `leaky_relu[negative_slope=0.2]` or `add(row)`."""
        params = ",".join(f"{k}={literal(v)}" for k, v in self.params)
        sources = ",".join(self.sources)
        return (
            self.op.name + (f"[{params}]" if params else "") + (f"({sources})" if sources else "")
        )


@dataclass(frozen=True, slots=True)
class Operand:
    """An argument of a chain beyond its input: `source` is new, row, col or scalar."""

    name: str
    source: str
    domain: Domain
    ties: bool = False

    @property
    def is_tensor(self) -> bool:
        """Whether the operand is a tensor rather than a Python scalar."""
        return self.source != "scalar"


@dataclass(frozen=True, slots=True)
class Step:
    """One step as code: assign `torch` (or `triton`, or `method`) to `target`."""

    op: Op
    target: str
    torch: str
    method: str
    triton: str
    title: str


@dataclass(frozen=True, slots=True)
class ChainClass:
    """What rules see of a chain."""

    kind: str
    length: int
    tensors: int
    scalars: int
    broadcast: bool
    methods: bool
    yields: str

    def __str__(self) -> str:
        return f"{self.length} steps"


class Chain:
    """One word. `operands` come in the order of their first use; names are canonical identifiers."""

    __slots__ = ("__dict__", "cls", "domain", "given", "letters", "text")

    def __init__(
        self,
        letters: tuple[Letter, ...],
        cls: ChainClass,
        domain: Domain,
        given: Mapping[str, str] = MappingProxyType({}),
    ) -> None:
        self.letters = letters
        self.given = given
        self.cls = cls
        self.domain = domain
        self.text = " > ".join([letter.text for letter in letters]) or "identity"

    def __str__(self) -> str:
        return self.text

    def __eq__(self, other: object) -> bool:
        return isinstance(other, Chain) and (self.cls, self.letters) == (other.cls, other.letters)

    def __hash__(self) -> int:
        return hash((self.cls, self.letters))

    @property
    def kind(self) -> str:
        """Kind of the input: float or int."""
        return self.cls.kind

    @property
    def length(self) -> int:
        """Number of steps."""
        return self.cls.length

    @property
    def tensors(self) -> int:
        """Number of tensor operands beyond the input."""
        return self.cls.tensors

    @property
    def scalars(self) -> int:
        """Number of scalar operands."""
        return self.cls.scalars

    @property
    def broadcast(self) -> bool:
        """Whether an operand is a row or column vector."""
        return self.cls.broadcast

    @property
    def methods(self) -> bool:
        """Whether a step has a method spelling (known to rules if the axis says `methods = true`)."""
        return self.cls.methods

    @property
    def yields(self) -> str:
        """`same` or `bool`."""
        return self.cls.yields

    @cached_property
    def operands(self) -> tuple[Operand, ...]:
        """Operands beyond the input, in order of use."""
        tensors, scalars = iter(TENSOR_NAMES), iter(SCALAR_NAMES)
        found: list[Operand] = []
        taken: set[str] = set()
        for letter in self.letters:
            for source, domain in zip(letter.sources, letter.op.draws[1:], strict=True):
                if source == "first":
                    continue
                name = self.given.get(letter.text, "")
                if not name or name in taken:
                    name = next(scalars if source == "scalar" else tensors)
                taken.add(name)
                found.append(Operand(name, source, domain, bool(letter.op.extra.get("ties"))))
        return tuple(found)

    @property
    def tensor_operands(self) -> tuple[Operand, ...]:
        """Tensor operands alone."""
        return tuple([o for o in self.operands if o.is_tensor])

    @property
    def scalar_operands(self) -> tuple[Operand, ...]:
        """Scalar operands alone."""
        return tuple([o for o in self.operands if not o.is_tensor])

    def _args(self) -> list[tuple[str, ...]]:
        names = iter([o.name for o in self.operands])
        return [
            tuple(["" if s == "first" else next(names) for s in x.sources]) for x in self.letters
        ]

    def steps(self, first: str = "x", result: str = "result") -> tuple[Step, ...]:
        """The steps with the input called `first` and every later value `result`."""
        key = (first, result)
        cache: dict[Any, Any] = self.__dict__.setdefault("_steps", {})
        if key in cache:
            return cache[key]
        value, out = first, []
        for letter, names in zip(self.letters, self._args(), strict=True):
            op, params = letter.op, dict(letter.params)
            args = (value, *[name or first for name in names])
            torch = fill(op.torch, args, params)
            out.append(
                Step(
                    op=op,
                    target=result,
                    torch=torch,
                    method=fill(op.method, args, params) if op.method else torch,
                    triton=fill(op.in_triton(self.kind), args, params),
                    title=op.title,
                )
            )
            value = result
        cache[key] = tuple(out)
        return cache[key]

    def result(self, first: str = "x", result: str = "result") -> str:
        """Name of the final value."""
        return result if self.letters else first

    def nested(self, first: str = "x", *, method: bool = False) -> str:
        """The whole chain as one torch expression."""
        value = first
        for letter, names in zip(self.letters, self._args(), strict=True):
            op = letter.op
            spelling = op.method if method and op.method else op.torch
            args = (value, *[name or first for name in names])
            value = fill(spelling, args, dict(letter.params))
        return value

    def expand(self, first: str = "x") -> str:
        """The chain over `first` in functional notation, for `operation`."""
        value = first
        for letter, names in zip(self.letters, self._args(), strict=True):
            args = [value, *[name or first for name in names]]
            args += [f"{k}={literal(v)}" for k, v in letter.params]
            value = f"{letter.op.name}({', '.join(args)})"
        return value

    @cached_property
    def names(self) -> tuple[str, ...]:
        """Names of the ops, in order."""
        return tuple([letter.op.name for letter in self.letters])

    @property
    def words(self) -> str:
        """The chain as verb phrases: `add y to x, then apply ReLU to the result`."""
        return self.phrase("x")

    def phrase(self, value: str) -> str:
        """The chain as verb phrases over `value`."""
        said: list[str] = []
        for letter, names in zip(self.letters, self._args(), strict=True):
            args = (value, *[name or "the input" for name in names])
            said.append(fill_words(letter.op.phrase, args, dict(letter.params)))
            value = "the result"
        return ", then ".join(said) or f"take {value} as it is"

    @cached_property
    def title(self) -> str:
        """The chain as a noun phrase: `sum, ReLU`."""
        return ", ".join([letter.op.title for letter in self.letters]) or "identity"

    @property
    def exact(self) -> bool:
        """Whether every step is exact in floating point."""
        return all([letter.op.exact for letter in self.letters])

    @property
    def ulps(self) -> float:
        """Sum of the steps' errors in units of 2**-24, one rounding each included."""
        return sum([letter.op.ulps + (not letter.op.exact) for letter in self.letters])

    @property
    def scale(self) -> float:
        """Size below which an error does not shrink with the result (see the op table)."""
        return max(
            [float(letter.op.extra.get("scale", 0.0)) for letter in self.letters], default=0.0
        )

    @property
    def ties(self) -> bool:
        """Whether equal arguments and zeros are the interesting inputs of the first step."""
        return bool(self.letters and self.letters[0].op.extra.get("ties"))

    def imports(self, side: str) -> tuple[str, ...]:
        """Names that the code of `side` (torch or triton) needs imported: F, nn, libdevice, math."""
        found = set()
        for letter in self.letters:
            found.update(letter.op.imports_torch if side == "torch" else letter.op.imports_triton)
        return tuple(sorted(found))
