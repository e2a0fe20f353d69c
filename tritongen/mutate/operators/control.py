"""Loops, programs, grids and conditions."""

from __future__ import annotations

import ast
from collections.abc import Iterator

from tritongen.mutate.operators.base import Subject, operator
from tritongen.mutate.source import Edit, targets_of


def _ranges(source: Subject) -> Iterator[tuple[ast.For, ast.Call, list[ast.expr]]]:
    """Loops of kernels over a range: the loop, the call, and [start, stop, step] as far as given."""
    for function in source.jitted:
        for node in source.walk(function):
            if not (isinstance(node, ast.For) and isinstance(node.iter, ast.Call)):
                continue
            call = node.iter
            plain = isinstance(call.func, ast.Name) and call.func.id == "range"
            if plain or source.language(call) in ("range", "static_range"):
                yield node, call, list(call.args)


def _parts(source: Subject, arguments: list[ast.expr]) -> tuple[str, str, str]:
    texts = [source.code(argument) for argument in arguments]
    if len(texts) == 1:
        return "0", texts[0], ""
    return texts[0], texts[1], texts[2] if len(texts) > 2 else ""


def _ranged(source: Subject, call: ast.Call, start: str, stop: str, step: str) -> str:
    return source.rebuild(call, arguments=[start, stop, *([step] if step else [])])


@operator("loop-ends-early", "a loop does one tile less at its end")
def loop_ends_early(source: Subject) -> Iterator[Edit]:
    for _, call, arguments in _ranges(source):
        start, stop, step = _parts(source, arguments)
        text = _ranged(source, call, start, f"{stop} - ({step or 1})", step)
        yield source.edit(call, text, f"{source.code(call)} one short")


@operator("loop-starts-late", "a loop leaves out its first tile")
def loop_starts_late(source: Subject) -> Iterator[Edit]:
    for _, call, arguments in _ranges(source):
        start, stop, step = _parts(source, arguments)
        first = step or "1" if start == "0" else f"{start} + ({step or 1})"
        text = _ranged(source, call, first, stop, step)
        yield source.edit(call, text, f"{source.code(call)} starts late")


@operator("loop-skips", "a loop leaves out every other tile")
def loop_skips(source: Subject) -> Iterator[Edit]:
    for _, call, arguments in _ranges(source):
        start, stop, step = _parts(source, arguments)
        text = _ranged(source, call, start, stop, f"2 * ({step})" if step else "2")
        yield source.edit(call, text, f"{source.code(call)} with a double step")


@operator("floor-division", "`cdiv` rounds down")
def floor_division(source: Subject) -> Iterator[Edit]:
    for node in ast.walk(source.tree):
        if (
            isinstance(node, ast.Call)
            and len(node.args) == 2
            and source.path(node.func) in ("triton.cdiv", "triton.language.cdiv")
        ):
            left, right = [source.atom(argument) for argument in node.args]
            text = f"({left} // {right})"
            yield source.edit(node, text, f"{source.code(node)} -> {text}")


@operator("swap-program-axes", "the program's index along another axis of the grid")
def swap_program_axes(source: Subject) -> Iterator[Edit]:
    for function in source.jitted:
        calls = list(source.calls(function, "program_id", "num_programs"))
        axes = {str(axis.value) for call in calls if (axis := _axis(call)) is not None}
        for call in calls:
            axis = _axis(call)
            if axis is not None:
                for other in sorted(axes - {str(axis.value)}):
                    yield source.edit(axis, other, f"{source.code(call)}: axis {other}")


def _axis(call: ast.Call) -> ast.Constant | None:
    given = next((k.value for k in call.keywords if k.arg == "axis"), None)
    node = call.args[0] if call.args else given
    return node if isinstance(node, ast.Constant) else None


@operator("drop-program-id", "every program works on the first tile of an axis")
def drop_program_id(source: Subject) -> Iterator[Edit]:
    for function in source.jitted:
        for call in source.calls(function, "program_id"):
            text = f"({source.code(call)} * 0)"
            yield source.edit(call, text, f"{source.code(call)} -> 0")


@operator("shift-program-id", "programs are off by one tile")
def shift_program_id(source: Subject) -> Iterator[Edit]:
    for function in source.jitted:
        for call in source.calls(function, "program_id"):
            text = f"({source.code(call)} + 1)"
            yield source.edit(call, text, f"{source.code(call)} + 1")


def _grids(source: Subject) -> Iterator[tuple[ast.expr, list[ast.expr]]]:
    seen: set[ast.expr] = set()
    for function, launch, _ in source.launches:
        grid = source.grid(function, launch)
        if grid is not None and grid not in seen:
            seen.add(grid)
            yield grid, list(grid.elts) if isinstance(grid, ast.Tuple) else [grid]


@operator("grid-one-short", "one program is missing")
def grid_one_short(source: Subject) -> Iterator[Edit]:
    for _, sizes in _grids(source):
        for size in sizes:
            if not isinstance(size, ast.Constant):
                yield source.edit(size, f"{source.atom(size)} - 1", f"grid {source.code(size)} - 1")


@operator("grid-one-over", "one program too many where nothing masks it")
def grid_one_over(source: Subject) -> Iterator[Edit]:
    for grid, sizes in _grids(source):
        masked = "cdiv" in source.code(grid) or "min(" in source.code(grid)
        for size in sizes:
            if isinstance(size, ast.Name | ast.BinOp) and not masked:
                yield source.edit(size, f"{source.atom(size)} + 1", f"grid {source.code(size)} + 1")


@operator("swap-grid", "the axes of the grid are exchanged")
def swap_grid(source: Subject) -> Iterator[Edit]:
    for grid, sizes in _grids(source):
        if isinstance(grid, ast.Tuple) and len(sizes) > 1:
            for i in range(len(sizes) - 1):
                texts = [source.code(size) for size in sizes]
                texts[i], texts[i + 1] = texts[i + 1], texts[i]
                yield source.edit(grid, f"({', '.join(texts)})", f"grid ({', '.join(texts)})")


@operator("negate-condition", "an `if` of a kernel is negated")
def negate_condition(source: Subject) -> Iterator[Edit]:
    for function in source.jitted:
        for node in source.walk(function):
            if isinstance(node, ast.If):
                text = f"not ({source.code(node.test)})"
                yield source.edit(node.test, text, f"if {text}")


@operator("drop-rebinding", "a statement that updates a name is left out")
def drop_rebinding(source: Subject) -> Iterator[Edit]:
    for function in source.jitted:
        bound = {a.arg for a in function.args.args}
        for node in source.walk(function):
            names: list[str] = []
            if isinstance(node, ast.Assign):
                names = [name for target in node.targets for name in targets_of(target)]
            elif isinstance(node, ast.AugAssign):
                names = targets_of(node.target)
            elif isinstance(node, ast.For):
                bound |= set(targets_of(node.target))
            if names and set(names) <= bound and _reads(source, node, names):
                yield source.edit(node, "pass", f"without {source.code(node)}")
            bound |= set(names)


def _reads(source: Subject, node: ast.AST, names: list[str]) -> bool:
    """Whether an update depends on what it replaces, or stands in a loop."""
    if isinstance(node, ast.AugAssign):
        return True
    value = node.value if isinstance(node, ast.Assign) else node
    if {n.id for n in ast.walk(value) if isinstance(n, ast.Name)} & set(names):
        return True
    while node in source.parents:
        node = source.parents[node]
        if isinstance(node, ast.For | ast.While):
            return True
    return False


@operator("drop-store", "a store is left out")
def drop_store(source: Subject) -> Iterator[Edit]:
    for function in source.jitted:
        for node in source.walk(function):
            if isinstance(node, ast.Expr) and isinstance(node.value, ast.Call):
                name = source.language(node.value)
                method = isinstance(node.value.func, ast.Attribute) and (
                    node.value.func.attr in ("store", "atomic_add")
                )
                if name == "store" or name.startswith("atomic_") or method:
                    yield source.edit(node, "pass", f"without {source.code(node.value)}")


@operator(
    "break-configuration", "one autotune configuration has another block size than a power of 2"
)
def break_configuration(source: Subject) -> Iterator[Edit]:
    for node in ast.walk(source.tree):
        if isinstance(node, ast.Call) and source.path(node.func) == "triton.Config" and node.args:
            sizes = node.args[0]
            if isinstance(sizes, ast.Dict):
                for value in sizes.values:
                    if isinstance(value, ast.Constant) and isinstance(value.value, int):
                        text = str(value.value * 3 // 2 if value.value > 1 else 3)
                        yield source.edit(value, text, f"configuration with {text}")


@operator("drop-reset", "a tuned kernel that accumulates is not reset between configurations")
def drop_reset(source: Subject) -> Iterator[Edit]:
    for function in source.jitted:
        for decorator in function.decorator_list:
            if isinstance(decorator, ast.Call):
                for name in ("reset_to_zero", "restore_value"):
                    if any(k.arg == name for k in decorator.keywords):
                        text = source.rebuild(decorator, drop=(name,))
                        yield source.edit(decorator, text, f"without {name}")
