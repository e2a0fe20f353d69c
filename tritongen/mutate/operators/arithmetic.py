"""Values: operators, constants, functions, reductions."""

from __future__ import annotations

import ast
import math
from collections.abc import Iterator

from tritongen.mutate.operators.base import Subject, operator
from tritongen.mutate.operators.masks import TIGHTER
from tritongen.mutate.roles import REDUCTIONS, Roles, guarded
from tritongen.mutate.source import Edit, assignments, keyword, names_in

SWAPPED = {ast.Add: "-", ast.Sub: "+", ast.Mult: "/", ast.Div: "*"}
INDEX_SWAPPED = {ast.Add: "-", ast.Sub: "+", ast.Mult: "+", ast.FloorDiv: "%", ast.Mod: "//"}
OPPOSITE = {ast.Lt: ">", ast.Gt: "<", ast.LtE: ">=", ast.GtE: "<=", ast.Eq: "!=", ast.NotEq: "=="}
FUNCTIONS = {
    "exp": "exp2",
    "exp2": "exp",
    "log": "log2",
    "log2": "log",
    "sqrt": "rsqrt",
    "rsqrt": "sqrt",
    "sin": "cos",
    "cos": "sin",
    "maximum": "minimum",
    "minimum": "maximum",
    "floor": "ceil",
    "ceil": "floor",
    "sigmoid": "exp",
    "erf": "sigmoid",
}
EXTERN = {
    "tanh": "atan",
    "expm1": "exp",
    "log1p": "log",
    "sinh": "cosh",
    "cosh": "sinh",
    "tan": "sin",
    "atan": "tanh",
    "asin": "acos",
    "acos": "asin",
    "asinh": "acosh",
    "erfc": "erf",
    "exp10": "exp2",
    "log10": "log2",
    "round": "trunc",
    "rint": "trunc",
    "trunc": "floor",
}
KINDS = {
    "sum": ("max",),
    "max": ("min", "sum"),
    "min": ("max", "sum"),
    "argmax": ("argmin",),
    "argmin": ("argmax",),
    "atomic_add": ("atomic_max",),
    "atomic_max": ("atomic_min",),
    "atomic_min": ("atomic_max",),
    "atomic_and": ("atomic_or",),
    "atomic_or": ("atomic_and",),
}
UNARY = {"exp", "exp2", "log", "log2", "sqrt", "rsqrt", "sin", "cos", "sigmoid", "erf", "abs"}
UNARY |= {"floor", "ceil", "fabs"}


def _values(source: Subject, *kinds: type) -> Iterator[tuple[ast.AST, ast.FunctionDef, Roles]]:
    """Nodes of value expressions of kernels."""
    for function, roles in source.kernels():
        for node in source.walk(function):
            if isinstance(node, kinds) and not _addresses(source, roles, node):
                yield node, function, roles


def _addresses(source: Subject, roles: Roles, node: ast.AST) -> bool:
    if isinstance(node, ast.expr) and roles.is_index(source, node):
        return True
    if isinstance(node, ast.AugAssign):
        return roles.is_index(source, node.target) and roles.is_index(source, node.value)
    if isinstance(node, ast.BinOp):
        first: ast.expr = node
        while isinstance(first, ast.BinOp):
            first = first.left
        return isinstance(first, ast.Name) and first.id in roles.pointers
    return False


@operator("swap-operator", "`+` and `-`, or `*` and `/`, of values are exchanged")
def swap_operator(source: Subject) -> Iterator[Edit]:
    for node, _, _ in _values(source, ast.BinOp):
        if isinstance(node, ast.BinOp) and type(node.op) in SWAPPED:
            symbol = SWAPPED[type(node.op)]
            text = f"{source.atom(node.left)} {symbol} {source.atom(node.right)}"
            yield source.edit(node, text, f"{source.code(node)} -> {text}")


@operator("swap-index-operator", "an operator of index arithmetic is another")
def swap_index_operator(source: Subject) -> Iterator[Edit]:
    for function, roles in source.kernels():
        for node in source.walk(function):
            if (
                isinstance(node, ast.BinOp)
                and type(node.op) in INDEX_SWAPPED
                and _addresses(source, roles, node)
            ):
                symbol = INDEX_SWAPPED[type(node.op)]
                text = f"{source.atom(node.left)} {symbol} {source.atom(node.right)}"
                yield source.edit(node, text, f"{source.code(node)} -> {text}")


@operator("drop-index-term", "a term or factor of index arithmetic is dropped")
def drop_index_term(source: Subject) -> Iterator[Edit]:
    for function, roles in source.kernels():
        for node in source.walk(function):
            if not (isinstance(node, ast.BinOp) and _addresses(source, roles, node)):
                continue
            if isinstance(node.op, ast.Mod | ast.FloorDiv | ast.Add | ast.Sub):
                text = source.code(node.left)
                yield source.edit(node, f"({text})", f"{source.code(node)} -> {text}")


@operator("subtract-update", "`+=` to `-=`")
def subtract_update(source: Subject) -> Iterator[Edit]:
    for function in source.jitted:
        for node in source.walk(function):
            if isinstance(node, ast.AugAssign) and isinstance(node.op, ast.Add):
                text = f"{source.code(node.target)} -= {source.code(node.value)}"
                yield source.edit(node, text, text)


@operator("drop-accumulation", "an accumulator keeps the last tile only")
def drop_accumulation(source: Subject) -> Iterator[Edit]:
    for function, roles in source.kernels():
        for node in source.walk(function):
            if isinstance(node, ast.AugAssign) and not _addresses(source, roles, node):
                if not (isinstance(node.target, ast.Name) and node.target.id in roles.pointers):
                    text = f"{source.code(node.target)} = {source.code(node.value)}"
                    yield source.edit(node, text, text)
            elif source.language(node) == "dot" and isinstance(node, ast.Call):
                rest = node.args[2:3]
                if rest or keyword(node, "acc") is not None:
                    two = [source.code(argument) for argument in node.args[:2]]
                    text = source.rebuild(node, drop=("acc",), arguments=two)
                    yield source.edit(node, text, "dot without its accumulator")


def _constants(source: Subject) -> Iterator[ast.Constant]:
    """Float constants of value expressions, other than zero and neutral elements."""
    for node, _, roles in _values(source, ast.Constant):
        if not (isinstance(node, ast.Constant) and isinstance(node.value, float)):
            continue
        parent = source.parents[node]
        if isinstance(parent, ast.keyword) and parent.arg in ("other", "dtype"):
            continue
        neutral = isinstance(parent, ast.Call) and node in parent.args[2:]
        if neutral and guarded(source, roles, parent):
            continue
        yield node


def _number(value: float) -> str:
    return repr(value)


@operator("nudge-constant", "a constant is off by 1 %, a zero by 0.01")
def nudge_constant(source: Subject) -> Iterator[Edit]:
    for node in _constants(source):
        parent = source.parents[node]
        if isinstance(parent, ast.Assign) or _neutral_threshold(source, node):
            continue
        value = float(node.value)  # type: ignore[arg-type]
        text = _number(value * 1.01 if value else 0.01)
        yield source.edit(node, text, f"{source.code(node)} -> {text}")


def _neutral_threshold(source: Subject, node: ast.Constant) -> bool:
    """Whether both sides of a threshold agree near it, so that a nudge hardly shows."""
    return isinstance(source.parents[node], ast.Compare) and node.value == 0.0


@operator("flip-sign", "a constant has the other sign")
def flip_sign(source: Subject) -> Iterator[Edit]:
    for node in _constants(source):
        value = float(node.value)  # type: ignore[arg-type]
        if value and math.isfinite(value):
            yield source.edit(node, f"(-{source.code(node)})", f"-{source.code(node)}")


@operator("drop-negation", "the sign of a value is lost")
def drop_negation(source: Subject) -> Iterator[Edit]:
    for node, _, _ in _values(source, ast.UnaryOp):
        if isinstance(node, ast.UnaryOp) and isinstance(node.op, ast.USub):
            text = source.atom(node.operand)
            yield source.edit(node, text, f"{source.code(node)} -> {text}")


@operator(
    "swap-function", "a function is another: exp and exp2, maximum and minimum, tanh and atan"
)
def swap_function(source: Subject) -> Iterator[Edit]:
    for function, roles in source.kernels():
        for node in source.walk(function):
            if not isinstance(node, ast.Call) or not isinstance(node.func, ast.Attribute):
                continue
            name = node.func.attr
            other = FUNCTIONS.get(source.language(node), "")
            if not other and source.path(node.func).rpartition(".")[0].endswith("libdevice"):
                other = EXTERN.get(name, "")
            if other and not roles.is_index(source, node):
                text = f"{source.code(node.func.value)}.{other}"
                yield source.edit(node.func, text, f"{name} -> {other}")


@operator("drop-function", "`f(x)` to `x`: an activation, a root, a helper")
def drop_function(source: Subject) -> Iterator[Edit]:
    for node, _, _ in _values(source, ast.Call):
        if not isinstance(node, ast.Call) or not node.args:
            continue
        extern = source.path(node.func).rpartition(".")[0].endswith("libdevice")
        helper = isinstance(node.func, ast.Name) and node.func.id in source.helpers
        single = not isinstance(source.parents[node], ast.Assign) or isinstance(
            source.parents[node].targets[0],  # type: ignore[attr-defined]
            ast.Name,
        )
        if source.language(node) in UNARY or extern or (helper and single):
            text = source.atom(node.args[0])
            yield source.edit(node, text, f"{source.code(node)} -> {text}")


@operator("drop-maximum", "the maximum is not subtracted before the exponential")
def drop_maximum(source: Subject) -> Iterator[Edit]:
    for function, roles in source.kernels():
        largest = {
            name
            for name, value in assignments(function)
            if value is not None
            and any(source.language(n) in ("max", "maximum") for n in ast.walk(value))
        }
        for name, value in assignments(function):
            if isinstance(value, ast.Name) and value.id in largest:
                largest.add(name)
            elif value is not None and source.language(value) == "where":
                largest |= {name} if names_in(value) & largest else set()
        for node in source.walk(function):
            if isinstance(node, ast.BinOp) and isinstance(node.op, ast.Sub):
                right = node.right
                while isinstance(right, ast.Subscript):
                    right = right.value
                named = isinstance(right, ast.Name) and right.id in largest
                largest_of = named or source.language(right) == "max"
                if largest_of and not roles.is_index(source, node):
                    text = source.code(node.left)
                    yield source.edit(node, text, f"{source.code(node)} -> {text}")


@operator("reduction-axis", "a reduction or an index runs along the other axis")
def reduction_axis(source: Subject) -> Iterator[Edit]:
    for function in source.jitted:
        if "None" not in source.code(function):
            continue
        for call in source.calls(function, *REDUCTIONS):
            axis = keyword(call, "axis")
            if axis is None and len(call.args) > 1 and source.language(call) != "dot":
                axis = call.args[1]
            if isinstance(axis, ast.Constant) and axis.value in (0, 1):
                other = 1 - int(axis.value)
                yield source.edit(axis, str(other), f"{source.code(call)}: axis {other}")


@operator("reduction-kind", "a sum is a maximum, a maximum a minimum, an argmax an argmin")
def reduction_kind(source: Subject) -> Iterator[Edit]:
    for function in source.jitted:
        for call in source.calls(function, *KINDS):
            name = source.language(call)
            for other in KINDS[name]:
                if any(k.arg in ("return_indices",) for k in call.keywords) and other == "sum":
                    continue
                text = f"{source.code(call.func.value)}.{other}"  # type: ignore[attr-defined]
                yield source.edit(call.func, text, f"{name} -> {other}")


@operator("divisor-off-by-one", "a mean over n - 1 values, or over the block")
def divisor_off_by_one(source: Subject) -> Iterator[Edit]:
    for node, function, roles in _values(source, ast.BinOp):
        if not (isinstance(node, ast.BinOp) and isinstance(node.op, ast.Div)):
            continue
        if roles.is_index(source, node.right) and not isinstance(node.right, ast.Constant):
            text = f"({source.code(node.right)} - 1)"
            yield source.edit(node.right, text, f"divided by {text}")
            for argument in function.args.args:
                if argument.annotation is not None and "BLOCK" in argument.arg.upper():
                    yield source.edit(node.right, argument.arg, f"divided by {argument.arg}")


@operator("drop-epsilon", "the root of a sum loses the second term")
def drop_epsilon(source: Subject) -> Iterator[Edit]:
    for call, value in _roots(source):
        text = source.rebuild(call, arguments=[source.code(value.left)])
        yield source.edit(call, text, f"{source.code(call)} -> {text}")


@operator("epsilon-outside", "epsilon is added outside of the root")
def epsilon_outside(source: Subject) -> Iterator[Edit]:
    for call, value in _roots(source):
        inner = source.rebuild(call, arguments=[source.code(value.left)])
        text = f"({inner} + {source.atom(value.right)})"
        yield source.edit(call, text, f"{source.code(call)} -> {text}")


def _roots(source: Subject) -> Iterator[tuple[ast.Call, ast.BinOp]]:
    for function in source.jitted:
        for call in source.calls(function, "sqrt", "rsqrt"):
            value = call.args[0] if call.args else None
            if isinstance(value, ast.BinOp) and isinstance(value.op, ast.Add):
                yield call, value


@operator("swap-branches", "the branches of `tl.where` are exchanged")
def swap_branches(source: Subject) -> Iterator[Edit]:
    for function in source.jitted:
        for call in source.calls(function, "where"):
            if len(call.args) == 3:
                condition, left, right = [source.code(argument) for argument in call.args]
                text = source.rebuild(call, arguments=[condition, right, left])
                yield source.edit(call, text, f"{source.code(call)} with its branches swapped")


@operator("opposite-comparison", "a comparison of values is turned round")
def opposite_comparison(source: Subject) -> Iterator[Edit]:
    for node, _, _ in _values(source, ast.Compare):
        if isinstance(node, ast.Compare) and type(node.ops[0]) in OPPOSITE:
            symbol = OPPOSITE[type(node.ops[0])]
            text = f"{source.code(node.left)} {symbol} {source.code(node.comparators[0])}"
            yield source.edit(node, text, f"{source.code(node)} -> {text}")


@operator("ties", "a comparison of two values treats ties the other way: `>` to `>=`")
def ties(source: Subject) -> Iterator[Edit]:
    for node, _, _ in _values(source, ast.Compare):
        if isinstance(node, ast.Compare) and type(node.ops[0]) in TIGHTER:
            right = node.comparators[0]
            if not isinstance(right, ast.Constant | ast.UnaryOp | ast.Call):
                text = f"{source.code(node.left)} {TIGHTER[type(node.ops[0])]} {source.code(right)}"
                yield source.edit(node, text, f"{source.code(node)} -> {text}")


@operator("initial-value", "an accumulator begins with another value")
def initial_value(source: Subject) -> Iterator[Edit]:
    for function in source.jitted:
        for node in source.walk(function):
            if source.language(node) == "zeros":
                yield source.edit(node, f"({source.code(node)} + 1)", "an accumulator begins at 1")
            elif source.language(node) == "full" and isinstance(node, ast.Call):
                value = node.args[1] if len(node.args) > 1 else keyword(node, "value")
                if value is not None and not isinstance(value, ast.Name):
                    text = "0.0" if "inf" in source.code(value) else f"{source.atom(value)} + 1"
                    yield source.edit(value, text, f"an accumulator begins at {text}")
            elif isinstance(node, ast.Assign) and _plain(node.value):
                text = (
                    "0.0" if "inf" in source.code(node.value) else f"{source.code(node.value)} + 1"
                )
                yield source.edit(node.value, text, f"{source.code(node.targets[0])} = {text}")


def _plain(node: ast.expr) -> bool:
    if isinstance(node, ast.UnaryOp):
        return _plain(node.operand)
    if isinstance(node, ast.Call) and isinstance(node.func, ast.Name) and node.func.id == "float":
        return True
    return isinstance(node, ast.Constant) and isinstance(node.value, float)


@operator(
    "drop-factor", "a factor or divisor of values is dropped: a scale, a weight, a mean's length"
)
def drop_factor(source: Subject) -> Iterator[Edit]:
    for node, _, _ in _values(source, ast.BinOp):
        if isinstance(node, ast.BinOp) and isinstance(node.op, ast.Mult | ast.Div):
            kept = [node.left] if isinstance(node.op, ast.Div) else [node.left, node.right]
            for part in kept:
                text = source.code(part)
                yield source.edit(node, f"({text})", f"{source.code(node)} -> {text}")


@operator("drop-term", "a term of a sum or difference of values is dropped")
def drop_term(source: Subject) -> Iterator[Edit]:
    for node, _, _ in _values(source, ast.BinOp):
        if isinstance(node, ast.BinOp) and isinstance(node.op, ast.Add | ast.Sub):
            kept = [node.left] if isinstance(node.op, ast.Sub) else [node.left, node.right]
            for part in kept:
                text = source.code(part)
                yield source.edit(node, f"({text})", f"{source.code(node)} -> {text}")
