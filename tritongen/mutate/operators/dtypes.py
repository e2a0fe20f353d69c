"""Casts, dtypes of accumulators and allocations, precision of products."""

from __future__ import annotations

import ast
from collections.abc import Iterator

from tritongen.mutate.operators.base import Subject, operator
from tritongen.mutate.source import Edit, keyword

FLOATS = ("float32", "float64")


def _casts(source: Subject) -> Iterator[tuple[ast.Call, ast.expr, ast.expr]]:
    """`x.to(dtype)` in kernels: the call, `x` and the dtype."""
    for function in source.jitted:
        for node in source.walk(function):
            if (
                isinstance(node, ast.Call)
                and isinstance(node.func, ast.Attribute)
                and node.func.attr == "to"
                and node.args
            ):
                yield node, node.func.value, node.args[0]


def _float(source: Subject, node: ast.expr) -> bool:
    head, _, name = source.path(node).rpartition(".")
    return head in ("triton.language", "torch") and name in FLOATS


@operator("drop-cast", "a value is not cast to float32", precision=True)
def drop_cast(source: Subject) -> Iterator[Edit]:
    for call, value, dtype in _casts(source):
        if _float(source, dtype):
            yield source.edit(call, source.code(value), f"{source.code(call)} without its cast")


@operator("cast-to-half", "a value is cast to float16 instead of float32", precision=True)
def cast_to_half(source: Subject) -> Iterator[Edit]:
    for call, _, dtype in _casts(source):
        if _float(source, dtype):
            head = source.code(dtype).rpartition(".")[0]
            yield source.edit(dtype, f"{head}.float16", f"{source.code(call)} -> float16")


@operator("half-accumulator", "an accumulator is float16", precision=True)
def half_accumulator(source: Subject) -> Iterator[Edit]:
    for function in source.jitted:
        for call in source.calls(function, "zeros", "full"):
            dtype = keyword(call, "dtype") or (call.args[-1] if len(call.args) > 1 else None)
            if dtype is not None and _float(source, dtype):
                head = source.code(dtype).rpartition(".")[0]
                yield source.edit(dtype, f"{head}.float16", f"{source.code(call)} in float16")


@operator("round-result", "a value is rounded to float16 on the way to its store", precision=True)
def round_result(source: Subject) -> Iterator[Edit]:
    # Whole numbers, such as indices, suffer only where they are larger than any test makes them
    whole = ("torch.int64", "torch.int32", "torch.bool")
    if any(word in source.code(function) for function in source.host for word in whole):
        return
    for function in source.jitted:
        for call in source.calls(function, "store", "atomic_add"):
            if len(call.args) > 1 and isinstance(call.args[1], ast.Name):
                head = source.code(call.func).rpartition(".")[0]
                cast = f"{source.code(call.args[1])}.to({head}.float16)"
                yield source.edit(call.args[1], cast, f"stores {cast}")


@operator("half-partials", "a float32 buffer of the wrapper is float16", precision=True)
def half_partials(source: Subject) -> Iterator[Edit]:
    for function in source.host:
        for node in source.walk(function):
            if isinstance(node, ast.keyword) and node.arg == "dtype" and _float(source, node.value):
                text = f"{source.code(node.value).rpartition('.')[0]}.float16"
                yield source.edit(node.value, text, f"{source.code(node)} -> {text}")


@operator("drop-result-cast", "the wrapper returns its result without the cast")
def drop_result_cast(source: Subject) -> Iterator[Edit]:
    for function in source.host:
        for node in source.walk(function):
            if (
                isinstance(node, ast.Call)
                and isinstance(node.func, ast.Attribute)
                and node.func.attr in ("to", "view", "reshape", "squeeze", "unsqueeze", "movedim")
                and isinstance(_statement(source, node), ast.Return)
            ):
                text = source.code(node.func.value)
                yield source.edit(node, text, f"{source.code(node)} -> {text}")


def _statement(source: Subject, node: ast.AST) -> ast.AST:
    while not isinstance(node, ast.stmt):
        node = source.parents[node]
    return node


@operator(
    "lower-input-precision",
    "a product of float32 runs in tf32",
    judged_on=("cuda",),
    precision=True,
    why="the interpreter multiplies in float32 whatever precision a product names",
)
def lower_input_precision(source: Subject) -> Iterator[Edit]:
    for function in source.jitted:
        for call in source.calls(function, "dot"):
            given = keyword(call, "input_precision")
            if isinstance(given, ast.Constant) and given.value in ("ieee", "tf32x3"):
                yield source.edit(given, '"tf32"', f"{source.code(given)} -> tf32")


@operator(
    "drop-wide-offsets",
    "offsets are not cast to int64",
    judged_on=(),
    why="it shows in tensors of 2**31 elements and more only, and the gate makes none",
)
def drop_wide_offsets(source: Subject) -> Iterator[Edit]:
    for call, value, dtype in _casts(source):
        if source.path(dtype) == "triton.language.int64":
            yield source.edit(call, source.code(value), f"{source.code(call)} without its cast")
