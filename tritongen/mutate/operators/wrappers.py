"""The wrapper: what it allocates, passes to launches and returns."""

from __future__ import annotations

import ast
import itertools
from collections.abc import Iterator

from tritongen.mutate.operators.base import Subject, operator
from tritongen.mutate.source import Edit, keyword, parameters, targets_of

EMPTY = {"empty": "torch.empty", "empty_like": "torch.empty_like", "new_empty": "new_empty"}
ZEROS = {"zeros": "empty", "zeros_like": "empty_like", "new_zeros": "new_empty", "full": "empty"}
ZEROS |= {
    "new_full": "new_empty",
    "ones": "empty",
    "new_ones": "new_empty",
    "full_like": "empty_like",
}
FILLED = ("full", "new_full", "full_like")
ALLOCATIONS = (*EMPTY, *ZEROS)


def _allocations(source: Subject) -> Iterator[tuple[ast.FunctionDef, ast.Call, str]]:
    for function in source.host:
        for node in source.walk(function):
            if (
                isinstance(node, ast.Call)
                and isinstance(node.func, ast.Attribute)
                and node.func.attr in ALLOCATIONS
            ):
                yield function, node, node.func.attr


@operator("drop-contiguous", "an input is used as it lies in memory")
def drop_contiguous(source: Subject) -> Iterator[Edit]:
    for function in source.host:
        for node in source.walk(function):
            if (
                isinstance(node, ast.Call)
                and isinstance(node.func, ast.Attribute)
                and node.func.attr == "contiguous"
            ):
                text = source.code(node.func.value)
                yield source.edit(node, text, f"{source.code(node)} -> {text}")


@operator("allocation-dtype", "a buffer has another dtype")
def allocation_dtype(source: Subject) -> Iterator[Edit]:
    for _, call, name in _allocations(source):
        dtype = keyword(call, "dtype")
        text = (
            "torch.int32" if dtype is not None and "int" in source.code(dtype) else "torch.float64"
        )
        if source.code(dtype) != text if dtype is not None else True:
            changed = source.rebuild(call, put={"dtype": text})
            yield source.edit(call, changed, f"{name} with {text}")


@operator("allocation-shape", "a buffer has another shape: a dimension dropped or two exchanged")
def allocation_shape(source: Subject) -> Iterator[Edit]:
    for _, call, _ in _allocations(source):
        shape = call.args[0] if call.args else None
        if not isinstance(shape, ast.Tuple) or len(shape.elts) < 2:
            continue
        texts = [source.code(item) for item in shape.elts]
        if "1" in texts:
            kept = [text for text in texts if text != "1"]
            comma = "," if len(kept) == 1 else ""
            yield source.edit(
                shape, f"({', '.join(kept)}{comma})", "a buffer without a dimension of 1"
            )
        swapped = [texts[1], texts[0], *texts[2:]]
        yield source.edit(shape, f"({', '.join(swapped)})", f"a buffer of ({', '.join(swapped)})")


@operator("drop-fill", "a buffer that has to begin with zeros, ones or a value is not filled")
def drop_fill(source: Subject) -> Iterator[Edit]:
    for _, call, name in _allocations(source):
        if name in ZEROS:
            head = source.code(call.func.value)  # type: ignore[attr-defined]
            arguments = [source.code(argument) for argument in call.args]
            arguments = arguments[:1] if name in FILLED else arguments
            text = source.rebuild(
                call, function=f"{head}.{ZEROS[name]}", arguments=arguments, drop=("fill_value",)
            )
            yield source.edit(call, text, f"{name} -> {ZEROS[name]}")


@operator("write-input", "the result is written over an input")
def write_input(source: Subject) -> Iterator[Edit]:
    for function, call, name in _allocations(source):
        if name == "empty_like" and call.args and keyword(call, "dtype") is None:
            text = source.code(call.args[0])
            yield source.edit(call, text, f"the result is written to {text}")
        elif name == "empty" and call.args:
            shape = call.args[0]
            if isinstance(shape, ast.Attribute) and shape.attr == "shape":
                dtype = keyword(call, "dtype")
                owner = source.code(shape.value)
                like = dtype is not None and source.code(dtype) == f"{owner}.dtype"
                if like and owner in parameters(function):
                    yield source.edit(call, owner, f"the result is written to {owner}")


def _sizes(source: Subject) -> Iterator[tuple[ast.Call, ast.FunctionDef, int, ast.expr]]:
    """Positional launch arguments that are sizes."""
    for _, launch, kernel in source.launches:
        roles = source.roles[kernel.name]
        for position, (parameter, argument) in enumerate(
            zip(parameters(kernel), launch.args, strict=False)
        ):
            if parameter in roles.index and not isinstance(argument, ast.Call):
                yield launch, kernel, position, argument


@operator("size-off-by-one", "a launch is given a size less or more by one")
def size_off_by_one(source: Subject) -> Iterator[Edit]:
    for _, _, _, argument in _sizes(source):
        for sign in "-+":
            text = f"{source.atom(argument)} {sign} 1"
            yield source.edit(argument, text, f"launched with {text}")


@operator("swap-sizes", "two sizes of a launch are exchanged")
def swap_sizes(source: Subject) -> Iterator[Edit]:
    found = list(_sizes(source))
    for (launch, _, i, left), (other, _, j, right) in itertools.pairwise(found):
        if launch is other and j == i + 1:
            yield _swapped(source, launch, i, left, right)


def _swapped(source: Subject, launch: ast.Call, i: int, left: ast.expr, right: ast.expr) -> Edit:
    texts = [source.code(argument) for argument in launch.args]
    texts[i], texts[i + 1] = texts[i + 1], texts[i]
    text = source.rebuild(launch, arguments=texts)
    return source.edit(launch, text, f"{source.code(left)} and {source.code(right)} swapped")


@operator("swap-tensors", "two tensors of a launch are exchanged")
def swap_tensors(source: Subject) -> Iterator[Edit]:
    for _, launch, kernel in source.launches:
        roles = source.roles[kernel.name]
        names = parameters(kernel)
        for i in range(len(launch.args) - 1):
            if i + 1 < len(names) and {names[i], names[i + 1]} <= roles.pointers:
                yield _swapped(source, launch, i, launch.args[i], launch.args[i + 1])


@operator("swap-scalars", "a scalar of a launch is another: negated, or taken for a size")
def swap_scalars(source: Subject) -> Iterator[Edit]:
    for _, launch, kernel in source.launches:
        roles = source.roles[kernel.name]
        for parameter, argument in zip(parameters(kernel), launch.args, strict=False):
            if parameter not in roles.index | roles.pointers and isinstance(argument, ast.Name):
                text = f"-{source.code(argument)}"
                yield source.edit(argument, text, f"launched with {text}")
                text = f"{source.code(argument)} * 1.01"
                yield source.edit(argument, text, f"launched with {text}")


@operator("block-mismatch", "a launch has another block size than its grid was made for")
def block_mismatch(source: Subject) -> Iterator[Edit]:
    for function, launch, _ in source.launches:
        grid = source.grid(function, launch)
        if grid is None:
            continue
        literals = {n.value for n in ast.walk(grid) if isinstance(n, ast.Constant)}
        for given in launch.keywords:
            size = given.value.value if isinstance(given.value, ast.Constant) else None
            tuned = (given.arg or "num_").startswith("num_")
            if type(size) is int and size > 1 and size in literals and not tuned:
                yield source.edit(given.value, str(size // 2), f"{given.arg}={size // 2}")


@operator("half-block", "a block that has to hold a whole row holds half of it")
def half_block(source: Subject) -> Iterator[Edit]:
    for function in source.host:
        for node in source.walk(function):
            if isinstance(node, ast.Call) and source.path(node.func) == "triton.next_power_of_2":
                text = f"max(1, {source.code(node)} // 2)"
                yield source.edit(node, text, f"{source.code(node)} halved")


@operator("drop-launch", "one of several launches is left out")
def drop_launch(source: Subject) -> Iterator[Edit]:
    counts: dict[str, int] = {}
    for function, _, _ in source.launches:
        counts[function.name] = counts.get(function.name, 0) + 1
    for function, launch, kernel in source.launches:
        statement = source.parents[launch]
        if counts[function.name] > 1 and isinstance(statement, ast.Expr):
            yield source.edit(statement, "pass", f"without the launch of {kernel.name}")


@operator("swap-results", "two results are returned in the wrong order")
def swap_results(source: Subject) -> Iterator[Edit]:
    for function in source.host:
        for node in source.walk(function):
            if isinstance(node, ast.Return) and isinstance(node.value, ast.Tuple):
                texts = [source.code(item) for item in node.value.elts]
                for i in range(len(texts) - 1):
                    swapped = [*texts[:i], texts[i + 1], texts[i], *texts[i + 2 :]]
                    text = ", ".join(swapped)
                    yield source.edit(node.value, text, f"return {text}")


@operator("swap-dimensions", "the dimensions of an input are read in the wrong order")
def swap_dimensions(source: Subject) -> Iterator[Edit]:
    for function in source.host:
        for node in source.walk(function):
            if not (isinstance(node, ast.Assign) and isinstance(node.value, ast.Attribute)):
                continue
            target = node.targets[0]
            names = targets_of(target)
            if node.value.attr == "shape" and len(names) > 1:
                for i in range(len(names) - 1):
                    swapped = [*names[:i], names[i + 1], names[i], *names[i + 2 :]]
                    text = ", ".join(swapped)
                    yield source.edit(target, text, f"{text} = {source.code(node.value)}")
