"""What passes between the parts of the gate: a call, what it should give, what it gave.

A *trial* is one call of the wrapper. The reference says what it should give (`Expectation`), the
subject, which holds the wrapper, what it gave and how (`Observation`); the judge compares them.
Reference and subject may live in this process or in sandboxes; the protocols here are all that
the judge knows of them.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any, Literal, Protocol

if TYPE_CHECKING:
    import torch

Precision = Literal[
    "own",
    "again",
    "float32",
    "float64",
    "spread",
    "spread-tf32",
    "spread-more",
    "spread-tf32-more",
]
"""How a reference computes.

As it is written (`again`: under another seed); with every float as float32 or float64; `spread`
gives its float64 results followed by as many tensors of the deviation that the rounding of an
honest implementation explains (`tf32`: with dots of TF32 operands; `more`: from many more runs).
"""

Limit = Literal["", "declared", "resources"]

CHECKS = (
    *("form", "static", "reference", "load", "exception", "launch"),
    *("type", "shape", "dtype", "device", "layout", "numerics"),
    *("memory", "inputs-changed", "honesty", "cache", "fallback", "repeat"),
    *("test", "null", "compile", "requires", "configuration", "precision"),
    *("isolation", "timeout", "worker", "sanitize", "internal"),
)
"""Every name that the `check` of a verdict can have."""


@dataclass(frozen=True, slots=True)
class Problem:
    """Why a subject does not pass: the check's name, one line, and where it was seen.

    `witness` has, as far as they are known, the keys `shape` (of every tensor argument), `dtype`,
    `inputs` (the kind of inputs), `output` (its number), `index`, `expected`, `got`, `bound`.
    """

    check: str
    reason: str
    witness: dict[str, Any] = field(default_factory=dict)


@dataclass(frozen=True, slots=True)
class Trial:
    """One call: its positional arguments, and how they came about.

    `sizes` gives the dimension symbols their sizes, `kind` names the inputs (`given`, `fresh`,
    `scale 30`, `constant rows`, ...). Tensors among the arguments are never written to.
    """

    name: str
    kind: str
    arguments: tuple[Any, ...]
    sizes: dict[str, int] = field(default_factory=dict)


@dataclass(frozen=True, slots=True)
class Ran:
    """Outcome of a run of the reference: its results, flat, or what it raised."""

    outputs: tuple[Any, ...] = ()
    error: str = ""

    @property
    def ok(self) -> bool:
        """Whether the reference returned."""
        return not self.error


@dataclass(frozen=True, slots=True)
class Expectation:
    """What a trial should give, one entry for each result of the reference.

    `own` are the results for the arguments as they are (they say type, shape, dtype and layout);
    `exact` the same in float64, or `own` where there is no such run; `bound` float64 tensors of
    the same shapes, the largest error that is allowed of each element (None: must be equal).
    `reference` is `float64`, or `eager` where promotion failed. `widen` is set where `bound` is
    only what little or no noise shows (see oracle.py), and gives the expectation with the bound
    that more of it shows: it is asked for where results exceed the former.
    """

    own: tuple[Any, ...]
    exact: tuple[Any, ...]
    bound: tuple[torch.Tensor | None, ...]
    reference: Literal["float64", "eager"] = "float64"
    widen: Callable[[], Expectation] | None = None


@dataclass(frozen=True, slots=True)
class How:
    """How a subject is to run one call.

    `poison` chooses one of two fillings for memory that is not initialised; `launches` False
    suppresses every kernel launch; `reverse` runs the programs of a grid last to first (under the
    interpreter only); `configuration` pins one autotune configuration (None: as the code has it).
    `watch` False leaves out what costs time and was seen before (what torch was asked for).
    """

    poison: Literal[0, 1] = 0
    launches: bool = True
    reverse: bool = False
    configuration: int | None = None
    watch: bool = True


@dataclass(frozen=True, slots=True)
class Observation:
    """What one call did.

    `outputs` are its results, flat; `problem` is what the subject itself saw go wrong (memory,
    honesty, an exception, ...). `limit` is set where the call was refused in a way that a kernel
    may declare: `declared` for an exception of the wrapper before any launch, `resources` for
    Triton's compilation or resource error; the words are in `refusal`. `launches` counts launches by
    kernel, `written` the arguments and results that kernels wrote, `partials` the elements of
    Triton-written partial results that torch reduced. `precisions` are those of `tl.dot` seen in
    compiled code (`ieee`, `tf32x3`, `tf32`).
    """

    outputs: tuple[Any, ...] = ()
    problem: Problem | None = None
    limit: Limit = ""
    refusal: str = ""
    launches: dict[str, int] = field(default_factory=dict)
    configurations: int = 1
    atomics: bool = False
    partials: int = 0
    precisions: tuple[str, ...] = ()
    notes: tuple[str, ...] = ()


class Reference(Protocol):
    """The reference function, wherever it runs."""

    def run(self, arguments: tuple[Any, ...], precision: Precision) -> Ran:
        """The results for copies of `arguments`, computed at a precision; never raises."""
        ...


class Subject(Protocol):
    """The wrapper and its kernels, wherever they run."""

    def run(self, arguments: tuple[Any, ...], how: How) -> Observation:
        """One call on copies of `arguments`; never raises."""
        ...
