"""Calls whose strings name identifiers, or whose texts are messages."""

from __future__ import annotations

import ast
from collections.abc import Callable, Sequence

from tritongen.canonical.expressions import Expressions
from tritongen.canonical.facts import AUTOTUNE, CONFIG, HEURISTICS, JIT, Position, Target
from tritongen.canonical.scopes import refuse, words

KNOWN_DECORATORS = words(
    "functools.lru_cache functools.cache functools.wraps functools.cached_property "
    "torch.no_grad torch.inference_mode torch.enable_grad torch.compile torch.jit.script "
    "torch.amp.custom_fwd torch.amp.custom_bwd torch.cuda.amp.custom_fwd "
    "torch.cuda.amp.custom_bwd torch.autograd.function.once_differentiable "
    "contextlib.contextmanager dataclasses.dataclass pytest.fixture abc.abstractmethod"
)
AUTOTUNE_ORDER = (
    "configs",
    "key",
    "prune_configs_by",
    "reset_to_zero",
    "restore_value",
    "pre_hook",
    "post_hook",
)
NAMED_IN_AUTOTUNE = frozenset(("key", "reset_to_zero", "restore_value"))
NAMED_IN_JIT = frozenset(("do_not_specialize", "do_not_specialize_on_alignment"))
UNNAMED_IN_JIT = frozenset(("repr", "launch_metadata"))


def check_decorator(writer: Expressions, node: ast.expr) -> None:
    """Refuse an imported decorator that may read the names of parameters."""
    func = node.func if isinstance(node, ast.Call) else node
    path = writer.facts.path(func)
    if not path or path in KNOWN_DECORATORS or path in JIT | AUTOTUNE | HEURISTICS:
        return
    if not path.startswith("pytest.mark."):
        raise refuse(node, "a decorator that may read the names of parameters", path)


def blanked(writer: Expressions, node: ast.expr) -> str:
    """Write a message without its constant text."""
    if isinstance(node, ast.Constant) and isinstance(node.value, str):
        return "''"
    if isinstance(node, ast.JoinedStr):
        return writer.formatted(node, blank=True)
    if isinstance(node, ast.BinOp) and isinstance(node.op, ast.Add):
        return f"({blanked(writer, node.left)} + {blanked(writer, node.right)})"
    if isinstance(node, ast.List | ast.Tuple):
        return f"[{', '.join([blanked(writer, item) for item in node.elts])}]"
    return writer.expr(node)


def named(writer: Expressions, node: ast.expr, target: Target) -> str:
    """Write a string, or a display of strings, each of which names a parameter of `target`."""
    if isinstance(node, ast.Constant) and isinstance(node.value, str) and node.value.isidentifier():
        return writer.position(Position(node.value, node, target, writer.scope))
    if isinstance(node, ast.List | ast.Tuple | ast.Set):
        left, right = {ast.List: "[]", ast.Tuple: "()", ast.Set: "{}"}[type(node)]
        items = [named(writer, item, target) for item in node.elts]
        comma = "," if isinstance(node, ast.Tuple) and len(items) == 1 else ""
        return f"{left}{', '.join(items)}{comma}{right}"
    if isinstance(node, ast.JoinedStr | ast.BinOp):
        raise refuse(node, "a computed string where the name of a parameter stands")
    return writer.expr(node)


def arguments(node: ast.Call, order: Sequence[str]) -> dict[str, ast.expr]:
    """Return the arguments of a call by name."""
    found = dict(zip(order, node.args, strict=False))
    found.update({keyword.arg: keyword.value for keyword in node.keywords if keyword.arg})
    return found


def current(writer: Expressions, node: ast.Call) -> Target:
    if writer.target is None:
        raise refuse(node, "a decorator apart from the function that it decorates")
    return writer.target


def autotune(writer: Expressions, node: ast.Call) -> str:
    target = current(writer, node)
    given: dict[int, str] = {}
    for name, value in arguments(node, AUTOTUNE_ORDER).items():
        if name in NAMED_IN_AUTOTUNE:
            given[id(value)] = named(writer, value, target)
        elif name in ("pre_hook", "post_hook"):
            writer.facts.links.append((target, writer.scope, value))
        elif name == "prune_configs_by":
            raise refuse(value, "a function that receives kernel arguments by name", name)
        elif name == "configs":
            writer.facts.tunings.append((target, writer.scope, value))
    return writer.call(node, given)


def config(writer: Expressions, node: ast.Call) -> str:
    target = writer.target or Target(home=writer.home)
    given: dict[int, str] = {}
    for name, value in arguments(node, ("kwargs",)).items():
        if name == "kwargs" and isinstance(value, ast.Dict):
            given[id(value)] = writer.dictionary(value, lambda key: named(writer, key, target))
        elif name == "pre_hook":
            writer.facts.links.append((target, writer.scope, value))
    return writer.call(node, given)


def heuristics(writer: Expressions, node: ast.Call) -> str:
    target = current(writer, node)
    value = arguments(node, ("values",)).get("values")
    if not isinstance(value, ast.Dict):
        raise refuse(node, "heuristics that are not a dict display")
    text = writer.dictionary(value, lambda key: named(writer, key, target))
    for rule in value.values:
        writer.facts.links.append((target, writer.scope, rule))
    return writer.call(node, {id(value): text})


def jit(writer: Expressions, node: ast.Call) -> str:
    given: dict[int, str] = {}
    if node.args:
        writer.facts.jits.append((writer.scope, node.args[0]))
    for keyword in node.keywords:
        value = keyword.value
        if keyword.arg in NAMED_IN_JIT:
            target = writer.target
            if node.args:
                target = Target(expr=node.args[0], scope=writer.scope)
            if target is None:
                raise refuse(node, "a decorator apart from the function that it decorates")
            given[id(value)] = named(writer, value, target)
        elif keyword.arg in UNNAMED_IN_JIT:
            raise refuse(value, "a function that receives kernel arguments by name", keyword.arg)
    return writer.call(node, given)


def parametrize(writer: Expressions, node: ast.Call) -> str:
    target = current(writer, node)
    given: dict[int, str] = {}
    known = arguments(node, ("argnames", "argvalues", "indirect", "ids"))
    names = known.get("argnames")
    texts: list[str] = []
    if isinstance(names, ast.Constant) and isinstance(names.value, str):
        texts = [text.strip() for text in names.value.split(",") if text.strip()]
        items = [named(writer, ast.copy_location(ast.Constant(t), names), target) for t in texts]
        given[id(names)] = "'" + ", ".join(item[1:-1] for item in items) + "'"
    elif isinstance(names, ast.List | ast.Tuple):
        texts = [str(item.value) for item in names.elts if isinstance(item, ast.Constant)]
        given[id(names)] = named(writer, names, target)
    if not texts or not all(text.isidentifier() for text in texts):
        raise refuse(node, "argnames of parametrize that are not constant names")
    for scope, parametrized in writer.facts.tests:
        if scope is target.function:
            parametrized.update(texts)
    ids = known.get("ids")
    if isinstance(ids, ast.List | ast.Tuple):
        given[id(ids)] = blanked(writer, ids)
    return writer.call(node, given)


def without(*names: str, order: Sequence[str] = ()) -> Callable[[Expressions, ast.Call], str]:
    """Return a handler that blanks the arguments `names`."""

    def handler(writer: Expressions, node: ast.Call) -> str:
        found = arguments(node, order)
        return writer.call(
            node, {id(found[name]): blanked(writer, found[name]) for name in names if name in found}
        )

    return handler


SPECIAL: dict[str, Callable[[Expressions, ast.Call], str]] = {
    **dict.fromkeys(AUTOTUNE, autotune),
    **dict.fromkeys(CONFIG, config),
    **dict.fromkeys(HEURISTICS, heuristics),
    **dict.fromkeys(JIT, jit),
    "pytest.mark.parametrize": parametrize,
    "pytest.param": without("id"),
    "pytest.skip": without("reason", order=("reason",)),
    "pytest.fail": without("reason", order=("reason",)),
    "pytest.mark.skip": without("reason", order=("reason",)),
    "pytest.mark.skipif": without("reason"),
    "pytest.mark.xfail": without("reason"),
    "triton.language.static_assert": without("msg", order=("cond", "msg")),
    "triton.language.device_assert": without("msg", order=("cond", "msg")),
}
