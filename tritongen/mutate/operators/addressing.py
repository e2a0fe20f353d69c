"""Pointers, strides, axes of tiles, operands of products, atomics."""

from __future__ import annotations

import ast
from collections.abc import Iterator

from tritongen.mutate.operators.base import Subject, operator
from tritongen.mutate.roles import BLOCKS, leftmost
from tritongen.mutate.source import Edit, assignments, keyword, parameters


@operator("drop-stride", "an index is not multiplied by its stride or pitch")
def drop_stride(source: Subject) -> Iterator[Edit]:
    for function, roles in source.kernels():
        for node in source.walk(function):
            if (
                isinstance(node, ast.BinOp)
                and isinstance(node.op, ast.Mult)
                and roles.is_index(source, node)
            ):
                text = source.code(node.left)
                yield source.edit(node, f"({text})", f"{source.code(node)} -> {text}")


@operator("swap-strides", "two strides of a launch are exchanged")
def swap_strides(source: Subject) -> Iterator[Edit]:
    for _, launch, _ in source.launches:
        texts = [source.code(argument) for argument in launch.args]
        for i in range(len(texts) - 1):
            left, right = launch.args[i], launch.args[i + 1]
            if _stride(left) and _stride(right):
                swapped = [*texts[:i], texts[i + 1], texts[i], *texts[i + 2 :]]
                text = source.rebuild(launch, arguments=swapped)
                yield source.edit(launch, text, f"{texts[i]} and {texts[i + 1]} swapped")


def _stride(node: ast.expr) -> bool:
    return (
        isinstance(node, ast.Call)
        and isinstance(node.func, ast.Attribute)
        and node.func.attr == "stride"
    )


@operator("block-strides", "strides or shape of a block pointer or descriptor are exchanged")
def block_strides(source: Subject) -> Iterator[Edit]:
    for function in source.jitted:
        for call in source.calls(function, *BLOCKS):
            given = {1: "shape", 2: "strides", 3: "offsets"}
            for position, name in given.items():
                value = keyword(call, name)
                if value is None and len(call.args) > position:
                    value = call.args[position]
                if isinstance(value, ast.Tuple | ast.List) and len(value.elts) == 2:
                    left, right = [source.code(item) for item in value.elts]
                    ends = "()" if isinstance(value, ast.Tuple) else "[]"
                    text = f"{ends[0]}{right}, {left}{ends[1]}"
                    if left != right:
                        yield source.edit(value, text, f"{name} {text}")


@operator("swap-broadcast", "a vector is spread along the other axis of its tile")
def swap_broadcast(source: Subject) -> Iterator[Edit]:
    for function in source.jitted:
        for node in source.walk(function):
            if isinstance(node, ast.Subscript) and isinstance(node.slice, ast.Tuple):
                texts = [source.code(item) for item in node.slice.elts]
                if sorted(texts) == [":", "None"]:
                    text = f"{source.code(node.value)}[{texts[1]}, {texts[0]}]"
                    yield source.edit(node, text, f"{source.code(node)} -> {text}")


@operator("load-other-pointer", "a load reads another tensor")
def load_other_pointer(source: Subject) -> Iterator[Edit]:
    yield from _other_pointer(source, "load")


@operator("store-other-pointer", "a store writes another tensor")
def store_other_pointer(source: Subject) -> Iterator[Edit]:
    yield from _other_pointer(source, "store", "atomic_add")


def _other_pointer(source: Subject, *names: str) -> Iterator[Edit]:
    for function, roles in source.kernels():
        pointers = [name for name in parameters(function) if name in roles.pointers]
        for call in source.calls(function, *names):
            first = leftmost(call.args[0]) if call.args else None
            if isinstance(first, ast.Name) and first.id in pointers:
                for other in pointers:
                    if other != first.id:
                        yield source.edit(first, other, f"{source.code(call)}: {other}")


@operator("store-other-value", "a store writes another value of the kernel")
def store_other_value(source: Subject) -> Iterator[Edit]:
    for function, roles in source.kernels():
        named: list[str] = []
        for name, _ in assignments(function):
            if name not in named and name not in roles.index | roles.pointers:
                named.append(name)
        for call in source.calls(function, "store", "atomic_add"):
            if len(call.args) < 2:
                continue
            stored = {n.id for n in ast.walk(call.args[1]) if isinstance(n, ast.Name)}
            before = [name for name in named if name not in stored]
            for other in before[-2:]:
                yield source.edit(call.args[1], other, f"stores {other}")


@operator("transpose-operand", "an operand of a product is transposed")
def transpose_operand(source: Subject) -> Iterator[Edit]:
    for function in source.jitted:
        for call in source.calls(function, "dot"):
            for operand in call.args[:2]:
                text = f"{source.atom(operand)}.T"
                yield source.edit(operand, text, f"{source.code(call)}: {text}")


@operator("swap-operands", "the operands of a product are exchanged")
def swap_operands(source: Subject) -> Iterator[Edit]:
    for function in source.jitted:
        for call in source.calls(function, "dot"):
            if len(call.args) > 1:
                left, right, *rest = [source.code(argument) for argument in call.args]
                text = source.rebuild(call, arguments=[right, left, *rest])
                yield source.edit(call, text, text)


@operator("atomic-to-store", "an atomic update is a plain store")
def atomic_to_store(source: Subject) -> Iterator[Edit]:
    for function in source.jitted:
        for call in source.calls(function, "atomic_add", "atomic_max", "atomic_min", "atomic_and"):
            function_text = f"{source.code(call.func).rpartition('.')[0]}.store"
            text = source.rebuild(call, drop=("sem", "scope"), function=function_text)
            yield source.edit(call, text, f"{source.language(call)} -> store")


@operator("swap-helper-arguments", "two arguments of a helper are exchanged")
def swap_helper_arguments(source: Subject) -> Iterator[Edit]:
    for function in source.jitted:
        for node in source.walk(function):
            if not (isinstance(node, ast.Call) and isinstance(node.func, ast.Name)):
                continue
            if node.func.id in source.helpers:
                texts = [source.code(argument) for argument in node.args]
                for i in range(len(texts) - 1):
                    if texts[i] != texts[i + 1]:
                        swapped = [*texts[:i], texts[i + 1], texts[i], *texts[i + 2 :]]
                        text = source.rebuild(node, arguments=swapped)
                        yield source.edit(node, text, text)
