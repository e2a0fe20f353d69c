"""The process that compares a mutant with its original: run with TRITON_INTERPRET=1.

Reads requests as JSON lines on standard input and answers on the standard output that it was
started with. Both texts run under Triton's interpreter on the same inputs: with float32 replaced by
float64 in kernels and buffers and with float64 inputs, and, where rounding is what a mutant changes,
in the pair's own dtypes too.
"""

from __future__ import annotations

import contextlib
import inspect
import io
import itertools
import json
import math
import os
import re
import sys
import time
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from pathlib import Path
from types import ModuleType
from typing import Any

import torch

from tritongen.verify import interpreter, redirect
from tritongen.verify.loader import join, loaded
from tritongen.verify.worker import die_with_parent

FLOAT32 = re.compile(r"\b(tl|torch)\.float32\b")
LONG_SHAPES = 20
LEAST_CALLS = 4
BEYOND_HALF = 2100
MOST_ELEMENTS = 400_000
NOISE = 2.0**-44
MAGNITUDES = (0.01, 1.0, 30.0, 1000.0)


def widened(source: str) -> str:
    """A source that computes in float64 where it computed in float32."""
    return FLOAT32.sub(r"\1.float64", source)


class Difference(Exception):
    """Where original and mutant part."""

    def __init__(self, reason: str) -> None:
        super().__init__(reason)
        self.reason = reason


@dataclass(slots=True)
class Texts:
    """Original and mutant as loaded modules."""

    original: Callable[..., Any]
    mutant: Callable[..., Any]
    tests: ModuleType


@dataclass(frozen=True, slots=True)
class Call:
    """One call: how its arguments came about, and the arguments."""

    label: str
    arguments: tuple[Any, ...]
    strided: bool = False


Point = tuple[tuple[int, ...], dict[str, Any], str]


def calls(
    tests: ModuleType, dtype: torch.dtype, constants: list[int], most: int
) -> Iterator[tuple[Call, Call]]:
    """At most `most` calls within the domain, the same every time, each with its plain form.

    The test's own generator gives the values; shapes, options and variations take turns. `constants`
    are the block sizes of the source: every dimension is also made longer than several of them.
    """
    make = getattr(tests, "make_inputs", None)
    shapes = [tuple(shape) for shape in getattr(tests, "SHAPES", None) or ()]
    if make is None or not shapes:
        given = tuple(tests.get_test_inputs())
        for words in ("", *VARIATIONS):
            for varied, strided in variations(given, words):
                yield Call(f"given{words}", varied, strided), Call("given", given)
        return
    names = list(inspect.signature(make).parameters)
    options = _options(tests, names)
    other: list[Point] = [(s, options[-1], "") for s in long_shapes(shapes, constants)]
    plain: list[Point] = [(s, o, "") for o in options for s in reversed(shapes)]
    uncommon: list[Point] = [(s, options[0], w) for w in VARIATIONS for s in shapes[-2:]]
    rest: list[Point] = [(shapes[-1], o, w) for o in options[1:] for w in VARIATIONS]
    turns = [point for group in itertools.zip_longest(other, plain, uncommon) for point in group]
    made = 0
    for point in [*turns, *rest]:
        if made >= most:
            return
        if point is None:
            continue
        shape, option, words = point
        try:
            given = tuple(make(*shape, dtype, **option))
        except Exception:
            continue
        label = f"{shape} {option}"
        for arguments, strided in variations(given, words):
            made += 1
            yield Call(f"{label}{words}", arguments, strided), Call(label, given)


def _options(tests: ModuleType, names: list[str]) -> list[dict[str, Any]]:
    """Further arguments of the generator: those of the tests, larger and smaller ones, a seed."""
    options: list[dict[str, Any]] = [{}]
    options += [{k: v for k, v in point.items() if k in names} for point in _tried(tests)]
    known = [option["magnitude"] for option in options if "magnitude" in option]
    if "magnitude" in names and all(isinstance(value, float) for value in known):
        options += [{"magnitude": value} for value in MAGNITUDES if value not in known]
    return [*options, {"seed": 1}]


def long_shapes(shapes: list[tuple[int, ...]], constants: list[int]) -> list[tuple[int, ...]]:
    """Each dimension in turn beyond several blocks and a block of blocks, with the others small."""
    if any(len(shape) != len(shapes[0]) for shape in shapes):
        return []
    lengths = {BEYOND_HALF, 37, 5, *[k * c + 1 for c in constants for k in (2, 9)]}
    lengths |= {a * b + 3 for a, b in itertools.combinations(constants, 2)}
    lengths = {length for length in lengths if length <= BEYOND_HALF}
    seen = [sorted({shape[i] for shape in shapes}) for i in range(len(shapes[0]))]
    # Sizes that always share a factor are asked to
    factors = [math.gcd(*sizes) for sizes in seen]
    found: list[tuple[int, ...]] = []
    for few, length, axis in itertools.product(
        (True, False), sorted(lengths, reverse=True), range(len(seen))
    ):
        wanted = [3 if few else sizes[:2][-1] for sizes in seen]
        wanted[axis] = length
        made = tuple(-(-size // f) * f for size, f in zip(wanted, factors, strict=True))
        if math.prod(made) <= MOST_ELEMENTS and made not in found:
            found.append(made)
    return found[: LONG_SHAPES - 1] + found[-1:]


def uneven(arguments: Any) -> Any:
    """The same values with tiles of different range: the last third of every dimension is large."""

    def grown(tensor: torch.Tensor) -> torch.Tensor:
        result = tensor.clone()
        for axis in range(tensor.dim()):
            size = tensor.shape[axis]
            if size > 2:
                part = result.narrow(axis, size - size // 3, size // 3)
                part *= 7.0
        return result

    return tuple(
        grown(a) if isinstance(a, torch.Tensor) and a.is_floating_point() else a for a in arguments
    )


def _tried(tests: ModuleType) -> list[dict[str, Any]]:
    """What the tests' own `parametrize` marks give besides shape and dtype."""
    from tritongen.verify.cases import expand

    points: list[dict[str, Any]] = []
    for name, function in vars(tests).items():
        if name.startswith("test") and inspect.isfunction(function):
            with contextlib.suppress(Exception):
                for case in expand(function, tests):
                    point = {k: v for k, v in case.arguments.items() if k not in ("shape", "dtype")}
                    if point not in points:
                        points.append(point)
    return points[:8]


def spread_out(arguments: tuple[Any, ...], only: int | None = None) -> tuple[Any, ...]:
    """The same values at other strides, with other values between them; `only` one argument."""
    return tuple(
        _apart(a) if isinstance(a, torch.Tensor) and a.dim() and only in (None, i) else a
        for i, a in enumerate(arguments)
    )


def _apart(tensor: torch.Tensor) -> torch.Tensor:
    if tensor.is_floating_point():
        between = torch.full_like(tensor, float("nan"))
    else:
        between = ~tensor if tensor.dtype == torch.bool else 1 - tensor
    return torch.stack((tensor, between), dim=-1)[..., 0]


def scaled(arguments: tuple[Any, ...], factor: float) -> tuple[Any, ...]:
    """The same values times a factor."""
    return tuple(
        a * factor if isinstance(a, torch.Tensor) and a.is_floating_point() else a
        for a in arguments
    )


def run(function: Callable[..., Any], arguments: Any) -> list[Any]:
    """The results of a call on copies, flat; the arguments' values after it come last."""
    copies = tuple(
        a.clone() if isinstance(a, torch.Tensor) and a.is_contiguous() else a for a in arguments
    )
    before = [a.clone() if isinstance(a, torch.Tensor) else a for a in copies]
    result = function(*copies)
    for held, kept in zip(copies, before, strict=True):
        if isinstance(held, torch.Tensor) and not _same_bits(held, kept):
            raise Difference("an input was written to")
    return list(result) if isinstance(result, (tuple, list)) else [result]


def _same_bits(left: torch.Tensor, right: torch.Tensor) -> bool:
    return bool(torch.equal(left.nan_to_num(0.125), right.nan_to_num(0.125)))


def compare(want: list[Any], got: list[Any], ulp: torch.dtype | None, scale: float = 0.0) -> None:
    """Raise Difference unless every element is within one ulp of `ulp`, or equal without one.

    `scale` is the size of the inputs: float64's own rounding of values of that size is forgiven.
    """
    if len(want) != len(got):
        raise Difference(f"{len(got)} results instead of {len(want)}")
    for a, b in zip(want, got, strict=True):
        if not isinstance(a, torch.Tensor) or not isinstance(b, torch.Tensor):
            if a is not b and a != b:
                raise Difference(f"result {b!r} instead of {a!r}")
            continue
        _same_form(a, b)
        if a.dtype.is_floating_point and ulp is not None:
            info = torch.finfo(ulp)
            x, y = a.double(), b.double()
            same = (x == y) | (x.isnan() & y.isnan())
            bound = info.eps * x.abs() + info.tiny * info.eps
            if a.dtype == torch.float64:
                bound += NOISE * (x[x.isfinite()].abs().max().item() if x.isfinite().any() else 0.0)
                bound += NOISE * scale
            within = same | ((x - y).abs() <= bound)
        else:
            within = a == b
        _first(a, b, within)


def compare_range(want: list[Any], got: list[Any]) -> None:
    """Raise Difference where a result is infinite or not a number and the original's is finite."""
    for a, b in zip(want, got, strict=True):
        if not isinstance(a, torch.Tensor) or not isinstance(b, torch.Tensor):
            continue
        _same_form(a, b)
        if a.dtype.is_floating_point:
            _first(a, b, b.isfinite() | ~a.isfinite())


def _same_form(a: torch.Tensor, b: torch.Tensor) -> None:
    if (a.shape, a.dtype, a.stride()) != (b.shape, b.dtype, b.stride()):
        raise Difference(f"{b.dtype} {tuple(b.shape)} instead of {a.dtype} {tuple(a.shape)}")


def _first(want: torch.Tensor, got: torch.Tensor, within: torch.Tensor) -> None:
    if not bool(within.all()):
        at = int((~within).flatten().nonzero()[0])
        values = got.flatten()[at].item(), want.flatten()[at].item()
        raise Difference(f"element {at}: {values[0]!r} for {values[1]!r}")


def _scale(arguments: Any) -> float:
    sizes = [
        float(finite.max())
        for a in arguments
        if isinstance(a, torch.Tensor) and a.is_floating_point()
        if (finite := a[a.isfinite()].abs()).numel()
    ]
    return max(sizes, default=0.0)


VARIATIONS = (" strided", " strided alone", " uneven", " tiny")


def variations(given: tuple[Any, ...], words: str) -> Iterator[tuple[tuple[Any, ...], bool]]:
    """The arguments as drawn, at other strides (all, or one of several), or of other range."""
    if not words:
        yield given, False
    elif words == " strided":
        yield spread_out(given), True
    elif words == " uneven":
        yield uneven(given), False
    elif words == " tiny":
        yield scaled(given, 2.0**-20), False
    else:
        tensors = [i for i, a in enumerate(given) if isinstance(a, torch.Tensor) and a.dim()]
        for i in tensors if len(tensors) > 1 else ():
            yield spread_out(given, i), True


@dataclass(slots=True)
class Round:
    """One comparison: inputs of a dtype, the ulp allowed, whether values or only range count, how many calls."""

    dtype: torch.dtype
    ulp: torch.dtype | None
    values: bool = True
    most: int = 60


def judge(texts: Texts, terms: Round, constants: list[int], deadline: float) -> int:
    """The number of calls on which both agree; raises Difference where they part."""
    agreed = 0
    state = interpreter.STATE
    for call, plain in calls(texts.tests, terms.dtype, constants, terms.most):
        if agreed >= LEAST_CALLS and time.monotonic() > deadline:
            break
        scale = _scale(call.arguments)
        try:
            state.reset()
            want = run(texts.original, call.arguments)
            if call.strided:
                compare(run(texts.original, plain.arguments), want, terms.ulp, scale)
        except BaseException:
            continue
        for pinned in range(state.configurations):
            state.pinned = pinned
            try:
                got = run(texts.mutant, call.arguments)
                if terms.values:
                    compare(want, got, terms.ulp, scale)
                else:
                    compare_range(want, got)
            except Difference as difference:
                reason = f"{call.label} {terms.dtype}: {difference.reason}"
                raise Difference(reason) from None
            except BaseException as error:
                raise Difference(f"{call.label}: {type(error).__name__}: {error}") from None
        agreed += 1
    return agreed


def rounds_of(dtypes: list[torch.dtype], precision: bool) -> list[Round]:
    """Values in float64 to one ulp of the finest dtype, then every own dtype.

    In their own dtypes values count where there is no float64 run or rounding is the question; else
    only their range: what is finite stays finite.
    """
    floating = [dtype for dtype in dtypes if dtype.is_floating_point]
    found = []
    if floating:
        finest = min(floating, key=lambda dtype: torch.finfo(dtype).eps)
        found.append(Round(torch.float64, finest))
    for dtype in dtypes:
        ulp = dtype if dtype.is_floating_point else None
        found.append(Round(dtype, ulp, values=precision or ulp is None, most=36 // len(dtypes)))
    return found


def answer(request: dict[str, Any], folder: Path) -> dict[str, Any]:
    """Whether a mutant is equivalent, with the evidence; raises Difference if it is not."""
    wrapper = request["wrapper"]
    end = time.monotonic() + request["seconds"]
    rounds = rounds_of(_dtypes(request, folder), request["precision"])
    agreed: dict[str, int] = {}
    for number, terms in enumerate(rounds):
        wide = terms.dtype == torch.float64
        with contextlib.ExitStack() as stack:
            modules = []
            for text in (request["original"], request["mutant"]):
                code = widened(text) if wide else text
                joined = join(request["python_code"], code, request["test_code"])
                with redirect.redirected():
                    modules.append(stack.enter_context(loaded(joined, folder)))
            texts = Texts(getattr(modules[0], wrapper), getattr(modules[1], wrapper), modules[0])
            now = time.monotonic()
            share = 0.5 if wide else 1 / (len(rounds) - number)
            with redirect.redirected():
                count = judge(texts, terms, request["constants"], now + share * (end - now))
        agreed[str(terms.dtype).removeprefix("torch.")] = count
        if not count:
            raise Difference(f"no call of the original could be compared in {terms.dtype}")
    return {"equivalent": True, "reason": "", "agreed": agreed}


def _dtypes(request: dict[str, Any], folder: Path) -> list[torch.dtype]:
    joined = join(request["python_code"], request["original"], request["test_code"])
    with redirect.redirected(), loaded(joined, folder) as module:
        found = getattr(module, "DTYPES", None)
        if found:
            return list(found)
        inputs = module.get_test_inputs()
    tensors = [a for a in inputs if isinstance(a, torch.Tensor)]
    return [tensors[0].dtype] if tensors else [torch.float32]


def widen_products() -> None:
    """Let `tl.dot` of float64 operands yield float64, whatever its default says."""
    import triton.language as tl
    from triton.language.semantic import TritonSemantic

    semantic: Any = TritonSemantic
    original = semantic.dot

    def dot(self: Any, lhs: Any, rhs: Any, acc: Any, *rest: Any) -> Any:
        if lhs.dtype == tl.float64:
            rest = (*rest[:-1], tl.float64)
        return original(self, lhs, rhs, acc, *rest)

    semantic.dot = dot


def main() -> None:
    """Answer requests until standard input ends."""
    folder = Path(sys.argv[1])
    die_with_parent(int(sys.argv[2]))
    channel = os.fdopen(os.dup(1), "w")
    os.dup2(2, 1)
    torch.set_num_threads(1)
    redirect.install()
    interpreter.install()
    widen_products()
    for line in sys.stdin:
        request = json.loads(line)
        torch.manual_seed(0)
        with contextlib.redirect_stdout(io.StringIO()):
            try:
                response = answer(request, folder)
            except Difference as difference:
                response = {"equivalent": False, "reason": difference.reason}
            except BaseException as error:
                reason = f"not comparable: {type(error).__name__}: {error}"
                response = {"equivalent": False, "reason": " ".join(reason.split())[:300]}
        channel.write(json.dumps(response) + "\n")
        channel.flush()


if __name__ == "__main__":
    main()
