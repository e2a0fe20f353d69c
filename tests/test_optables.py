"""The pointwise op table: its fields, its mathematics, its domains and its Triton spellings."""

from __future__ import annotations

import ast
import itertools
import os
import re
import subprocess
import sys
import tomllib
from pathlib import Path
from types import ModuleType

import pytest
import torch
import torch.nn.functional as F

FOLDER = Path(__file__).parent.parent / "templates" / "ops"
DOMAINS = tomllib.loads((FOLDER / "_domains.toml").read_text())
OPS = tomllib.loads((FOLDER / "pointwise.toml").read_text())
OWN = OPS.pop("_fields")

ISSUE = """
neg abs sign square sqrt rsqrt reciprocal exp exp2 log log2 log1p expm1 sin cos erf floor ceil sigmoid
tanh relu relu6 leaky_relu elu selu celu silu gelu gelu_tanh softplus softsign mish hardsigmoid hardswish
hardtanh tanhshrink softshrink hardshrink threshold logit clamp add sub mul div maximum minimum pow
squared_difference eq ne lt le gt ge logical_and logical_or logical_xor bitwise_and bitwise_or bitwise_xor
addcmul addcdiv lerp where fma
""".split()
KEYS = {
    "title phrase torch method triton triton_int yields expands": str,
    "arity": int,
    "accepts": (str, list),
    "image": (str, dict),
    "commutative exact discontinuous scalars": bool,
    "dtypes undoes tags imports_torch imports_triton": list,
    "ulps": float,
    "params": dict,
}
TYPES = {key: kind for keys, kind in KEYS.items() for key in keys.split()}
FLOATS = [name for name, op in OPS.items() if "float" in op.get("dtypes", ["float"])]
INTS = [name for name, op in OPS.items() if "int" in op.get("dtypes", ["float"])]
UNARY = [name for name in FLOATS if OPS[name].get("arity", 1) == 1]
TARGETS = [("cuda", 80, 32), ("cuda", 90, 32), ("cuda", 100, 32), ("hip", "gfx942", 64)]
HALVES = (torch.float16, torch.bfloat16)
DOUBLE = torch.float64

Point = dict[str, float]


def fits(a: str, b: str) -> bool:
    inner, outer = DOMAINS[a], DOMAINS[b]
    return (
        inner["lo"] >= outer["lo"]
        and inner["hi"] <= outer["hi"]
        and inner.get("min_abs", 0.0) >= outer.get("min_abs", 0.0)
    )


def arity(name: str) -> int:
    return OPS[name].get("arity", 1)


def per_argument(name: str, field: str) -> list[str]:
    value = OPS[name].get(field) or OPS[name].get("accepts", "real")
    return [value] * arity(name) if isinstance(value, str) else value


def image(name: str, domain: str) -> str:
    table = OPS[name]["image"]
    if isinstance(table, str):
        return table
    keys = [key for key in table if key != "default" and fits(domain, key)]
    return table[keys[0] if keys else "default"]


def points(name: str) -> list[Point]:
    params = OPS[name].get("params", {})
    return [
        dict(zip(params, values, strict=True)) for values in itertools.product(*params.values())
    ]


def fill(expression: str, point: Point, names: str = "xyz") -> str:
    for key, value in point.items():
        expression = expression.replace(f"{{{key}}}", repr(value))
    return expression.format(*names)


def evaluate(code: str, args: tuple[torch.Tensor, ...]) -> torch.Tensor:
    scope = {"torch": torch, "F": F} | dict(zip("xyz", args, strict=False))
    return eval(code, scope)


def reference(name: str, args: tuple[torch.Tensor, ...], point: Point) -> torch.Tensor:
    return evaluate(fill(OPS[name]["torch"], point), args)


def pieces(domain: str, n: int) -> list[torch.Tensor]:
    """Grids over the connected parts of a domain: its ends, whole numbers, and evenly in between."""
    lo, hi, gap = (DOMAINS[domain].get(key, 0.0) for key in ("lo", "hi", "min_abs"))
    grids = []
    for a, b in [(lo, hi)] if gap == 0 or lo > 0 else [(lo, -gap), (gap, hi)]:
        whole = torch.arange(-8, 9, dtype=DOUBLE)
        spans = [torch.linspace(max(a, -c), min(b, c), n, dtype=DOUBLE) for c in (1, 8, 1e9)]
        grid = torch.cat([*spans, whole]).unique()
        grids.append(grid[(grid >= a) & (grid <= b)])
    return grids


def grids(domains: list[str]) -> list[tuple[torch.Tensor, ...]]:
    n = {1: 2001, 2: 150, 3: 20}[len(domains)]
    products = itertools.product(*[pieces(domain, n) for domain in domains])
    return [torch.meshgrid(*axes, indexing="ij") if len(axes) > 1 else axes for axes in products]


def drawn(domain: str, n: int, seed: int) -> torch.Tensor:
    """float32 values of a domain on every scale, with its ends and whole numbers."""
    lo, hi, gap = (DOMAINS[domain].get(key, 0.0) for key in ("lo", "hi", "min_abs"))
    source = torch.Generator().manual_seed(seed)
    x = torch.rand(n, generator=source, dtype=DOUBLE) * (hi - lo) + lo
    x[1::2] *= torch.exp2(-20 * torch.rand(n // 2, generator=source, dtype=DOUBLE))
    x[: 19 * 3] = torch.cat([torch.arange(-8, 9), torch.tensor([lo, hi])]).repeat(3)
    x = x[torch.randperm(n, generator=source)].clamp(lo, hi)
    return torch.where(x.abs() < gap, torch.copysign(torch.tensor(gap), x), x).float()


# Fields


def test_the_table_has_exactly_the_ops_of_the_issue() -> None:
    assert sorted(OPS) == sorted(ISSUE)


@pytest.mark.parametrize("name", OPS)
def test_fields_are_known_and_of_their_type(name: str) -> None:
    types = TYPES | {key: (type(value), list) for key, value in OWN.items()}
    for key, value in OPS[name].items():
        assert isinstance(value, types[key]), (key, value)
    assert all(
        OPS[name].get(key) for key in ("title", "phrase", "torch", "triton", "image", "tags")
    )


def test_tags_are_those_that_the_header_explains() -> None:
    text = (FOLDER / "pointwise.toml").read_text()
    section = text.partition("# Tags")[2].partition("# Fields")[0]
    heads = re.findall(r"^#   (\w+(?:, \w+)*)", section, flags=re.MULTILINE)
    explained = {tag for head in heads for tag in head.split(", ")}
    used = {tag for op in OPS.values() for tag in op["tags"]}
    assert used <= explained


@pytest.mark.parametrize("name", OPS)
def test_names_refer_to_something(name: str) -> None:
    op = OPS[name]
    assert set(op.get("undoes", [])) <= set(OPS)
    assert set(op.get("dtypes", [])) <= {"float", "int", "bool"}
    assert op.get("yields", "same") in ("same", "bool")
    table = op["image"] if isinstance(op["image"], dict) else {"default": op["image"]}
    domains = {
        *table.values(),
        *table,
        *per_argument(name, "accepts"),
        *per_argument(name, "draws"),
    }
    assert domains - {"default"} <= set(DOMAINS)
    assert "default" in table
    assert len(per_argument(name, "accepts")) == len(per_argument(name, "draws")) == arity(name)


@pytest.mark.parametrize("name", OPS)
def test_expressions_use_every_argument_and_parameter_and_declare_imports(name: str) -> None:
    op = OPS[name]
    slots = {*map(str, range(arity(name)))}
    for key in ("torch", "triton", "triton_int", "method", "phrase"):
        found = set(re.findall(r"{(\w+)}", op.get(key, "")))
        if op.get(key):
            assert slots | set(op.get("params", {})) == found, key
    assert ("F." in op["torch"]) == ("F" in op.get("imports_torch", []))
    assert ("libdevice." in op["triton"]) == ("libdevice" in op.get("imports_triton", []))


def test_ruff_leaves_the_expressions_as_they_are(tmp_path: Path) -> None:
    codes = [
        fill(op[key], point)
        for name, op in OPS.items()
        for point in points(name)
        for key in ("torch", "method", "triton", "triton_int")
        if op.get(key)
    ]
    path = tmp_path / "expressions.py"
    path.write_text("".join(f"r = {code}\n" for code in codes))
    command = [sys.executable, "-m", "ruff", "format", "--isolated", "--line-length", "320"]
    done = subprocess.run([*command, "--diff", str(path)], capture_output=True, text=True)
    assert done.returncode == 0, done.stdout


# Domains


@pytest.mark.parametrize("name", DOMAINS)
def test_a_domain_is_an_interval_with_ends_exact_in_half_precision(name: str) -> None:
    domain = DOMAINS[name]
    assert set(domain) <= {"lo", "hi", "min_abs"}
    assert domain["lo"] < domain["hi"]
    assert domain["lo"] <= 0 or domain["min_abs"] == domain["lo"]
    for value in domain.values():
        assert all(torch.tensor(value, dtype=dtype).item() == value for dtype in HALVES)


@pytest.mark.parametrize("name", OPS)
def test_inputs_are_drawn_from_what_is_accepted(name: str) -> None:
    pairs = zip(per_argument(name, "draws"), per_argument(name, "accepts"), strict=True)
    assert all(fits(draws, accepts) for draws, accepts in pairs)


@pytest.mark.parametrize("name", OPS)
def test_the_image_contains_every_result(name: str) -> None:
    first, *others = per_argument(name, "accepts")
    for domain in [domain for domain in DOMAINS if fits(domain, first)]:
        claimed = DOMAINS[image(name, domain)]
        for args in grids([domain, *others]):
            if name not in FLOATS:
                args = tuple(arg.round().long() for arg in args)
            for point in points(name):
                result = reference(name, args, point).double()
                assert result.min() >= claimed["lo"], (domain, result.min())
                assert result.max() <= claimed["hi"], (domain, result.max())
                crosses = result.min() <= 0 <= result.max()
                least = 0.0 if crosses else result.abs().min().item()
                assert least >= claimed.get("min_abs", 0.0), (domain, least)


@pytest.mark.parametrize("name", [name for name, op in OPS.items() if op.get("identity_on")])
def test_nothing_changes_where_the_table_says_so(name: str) -> None:
    (args,) = grids([OPS[name]["identity_on"]])
    for point in points(name):
        assert torch.equal(reference(name, args, point), args[0])


# Mathematics


def expand(name: str, args: list[torch.Tensor], point: Point, depth: int = 0) -> torch.Tensor:
    """The value of an op through its expansion down to primitives."""
    assert depth < 20, "the expansions never end"
    body = OPS[name].get("expands")
    if not body:
        return reference(name, tuple(torch.broadcast_tensors(*args)), point)
    bound = dict(zip("xyz", args, strict=False))
    bound |= {key: torch.tensor(value, dtype=DOUBLE) for key, value in point.items()}

    def value(node: ast.expr) -> torch.Tensor:
        if isinstance(node, ast.Name):
            return bound[node.id]
        if isinstance(node, ast.Call) and isinstance(node.func, ast.Name):
            inner = [value(arg) for arg in node.args]
            return expand(node.func.id, inner, points(node.func.id)[0], depth + 1)
        return torch.tensor(float(ast.literal_eval(node)), dtype=DOUBLE)

    return value(ast.parse(body, mode="eval").body)


@pytest.mark.parametrize("name", OPS)
def test_the_expansion_is_the_same_function(name: str) -> None:
    for args in grids(per_argument(name, "draws")):
        if name not in FLOATS:
            args = tuple(arg.round().long() for arg in args)
        for point in points(name):
            found = expand(name, list(args), point)
            expected = reference(name, args, point)
            torch.testing.assert_close(found.to(expected.dtype), expected, rtol=1e-9, atol=3e-9)


@pytest.mark.parametrize("name", [name for name in OPS if arity(name) > 1])
def test_commutative_ops_are_those_that_let_their_arguments_swap(name: str) -> None:
    domains = per_argument(name, "draws")
    same = []
    for args in grids([domains[0], domains[0], *domains[2:]]):
        args = args if name in FLOATS else tuple(arg.round().long() for arg in args)
        for point in points(name):
            turned = reference(name, (args[1], args[0], *args[2:]), point)
            same.append(torch.equal(reference(name, args, point), turned))
    if name != "fma":  # only its first two arguments of three may be swapped
        assert OPS[name].get("commutative", False) == all(same)


def test_an_op_right_after_one_that_it_undoes_says_nothing_new() -> None:
    pairs = [(a, b) for a in UNARY for b in OPS[a].get("undoes", []) if arity(b) == 1]
    assert len(pairs) > 20
    for after, before in pairs:
        (x,) = drawn(per_argument(before, "draws")[0], 512, 0).double().sort().values[None]
        for p, q in itertools.product(points(after), points(before)):
            result = reference(after, (reference(before, (x,), q),), p)
            known = [x, *(reference(u, (x,), point) for u in UNARY for point in points(u))]
            scaled = (result / x)[x != 0]
            plain = any(torch.allclose(result, k, rtol=1e-9, equal_nan=True) for k in known)
            assert plain or scaled.std() < 1e-9, (after, before, p, q)


def test_exact_ops_do_not_round() -> None:
    for name in FLOATS:
        if not OPS[name].get("exact"):
            continue
        for seed, domain in enumerate(DOMAINS):
            if not fits(domain, per_argument(name, "accepts")[0]):
                continue
            others = per_argument(name, "accepts")[1:]
            args = [drawn(d, 256, seed + i).half() for i, d in enumerate([domain, *others])]
            for point in points(name):
                narrow = reference(name, tuple(args), point)
                wide = reference(name, tuple(arg.double() for arg in args), point)
                assert torch.equal(narrow.double(), wide.double()), name


def _steepest(name: str, point: Point, h: float, order: int) -> float:
    """The largest jump (order 1) or kink (order 2) of an op in any argument."""
    worst = 0.0
    for args in grids(per_argument(name, "draws")):
        for i in range(len(args)):
            shifted = [(*args[:i], args[i] + k * h, *args[i + 1 :]) for k in range(order + 1)]
            values = [reference(name, a, point).double() for a in shifted]
            change = values[1] - values[0] if order == 1 else values[2] - 2 * values[1] + values[0]
            worst = max(worst, change.abs().max().item() / (1 if order == 1 else h))
    return worst


@pytest.mark.parametrize("name", FLOATS)
def test_discontinuous_ops_jump_and_smooth_ops_have_no_kink(name: str) -> None:
    steps = itertools.product(points(name), (-1e-9, 1e-9))
    jumps = max(_steepest(name, point, h, 1) for point, h in steps)
    assert (jumps > 1e-3) == OPS[name].get("discontinuous", False)
    if "smooth" in OPS[name]["tags"]:
        kinks = max(abs(_steepest(name, point, -1e-5, 2)) for point in points(name))
        assert kinks < 2e-2


# PyTorch


@pytest.mark.parametrize("name", FLOATS)
@pytest.mark.parametrize("dtype", [*HALVES, torch.float32, DOUBLE])
def test_torch_keeps_the_dtype(name: str, dtype: torch.dtype) -> None:
    domains = per_argument(name, "draws")
    args = tuple(drawn(domain, 256, i).to(dtype) for i, domain in enumerate(domains))
    for point in points(name):
        result = reference(name, args, point)
        assert result.dtype == (torch.bool if OPS[name].get("yields") == "bool" else dtype)
        assert result.isfinite().all()
        if OPS[name].get("method"):
            code = fill(OPS[name]["method"], point)
            assert torch.equal(evaluate(code, args), result)


@pytest.mark.parametrize("name", INTS)
@pytest.mark.parametrize("dtype", [torch.int32, torch.int64])
def test_torch_keeps_integer_dtypes(name: str, dtype: torch.dtype) -> None:
    args = tuple(torch.randint(-9, 10, (256,), dtype=dtype) for _ in range(arity(name)))
    for point in points(name):
        result = reference(name, args, point)
        assert result.dtype == (torch.bool if OPS[name].get("yields") == "bool" else dtype)


@pytest.mark.parametrize("name", [name for name in OPS if arity(name) > 1])
def test_scalars_are_allowed_where_torch_takes_them_and_keeps_the_dtype(name: str) -> None:
    for kind, dtype, scalar in (("float", torch.float16, 0.5), ("int", torch.int32, 2)):
        if kind not in OPS[name].get("dtypes", ["float"]):
            continue
        tensor = torch.ones(4, dtype=dtype)
        works = []
        for chosen in itertools.product([tensor, scalar], repeat=arity(name) - 1):
            try:
                works.append(reference(name, (tensor, *chosen), points(name)[0]).dtype)
            except TypeError:
                works.append(None)
        assert OPS[name].get("scalars", True) == (set(works) <= {dtype, torch.bool})


# Triton

HEADER = (
    "import triton\nimport triton.language as tl\nfrom triton.language.extra import libdevice\n"
)


def variants(kind: str) -> list[tuple[str, Point]]:
    names = [name for name in OPS if kind in OPS[name].get("dtypes", ["float"])]
    return [(name, point) for name in names for point in points(name)]


def spelling(name: str, kind: str) -> str:
    return (
        OPS[name]["triton"]
        if kind == "float"
        else OPS[name].get("triton_int") or OPS[name]["triton"]
    )


def one_kernel(kind: str) -> str:
    """A kernel `everything_<kind>` that stores the result of every op."""
    lines = [f"\n\n@triton.jit\ndef everything_{kind}(x_ptr, y_ptr, z_ptr, out_ptr, bool_ptr):"]
    lines += ["offsets = tl.arange(0, 128)"]
    lines += [f"{name} = tl.load({name}_ptr + offsets)" for name in "xyz"]
    for i, (name, point) in enumerate(variants(kind)):
        out = "bool_ptr" if OPS[name].get("yields") == "bool" else "out_ptr"
        lines.append(f"tl.store({out} + {128 * i} + offsets, {fill(spelling(name, kind), point)})")
    return "\n    ".join(lines) + "\n"


def _module(path: Path, text: str) -> ModuleType:
    import importlib.util

    path.write_text(HEADER + text)
    spec = importlib.util.spec_from_file_location(path.stem, path)
    assert spec is not None
    assert spec.loader is not None
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    return module


@pytest.mark.parametrize("target", TARGETS, ids=str)
def test_every_triton_expression_compiles_for_every_target(
    tmp_path: Path, target: tuple, monkeypatch: pytest.MonkeyPatch
) -> None:
    import triton
    from triton.backends.compiler import GPUTarget
    from triton.compiler import ASTSource

    monkeypatch.setenv("TRITON_CACHE_DIR", str(tmp_path / "cache"))
    module = _module(tmp_path / "all_ops.py", "".join(map(one_kernel, ("float", "int", "bool"))))
    for kind, types in {"float": ["fp32"], "int": ["i32", "i64"], "bool": ["i1"]}.items():
        for dtype in types:
            names = ["x_ptr", "y_ptr", "z_ptr", "out_ptr"]
            signature = dict.fromkeys(names, f"*{dtype}") | {"bool_ptr": "*i1"}
            source = ASTSource(getattr(module, f"everything_{kind}"), signature, {})
            compiled = triton.compile(source, target=GPUTarget(*target), options={"num_warps": 4})
            assert compiled.asm


DRIVER = """
import sys
import numpy as np
import torch
from triton.runtime.interpreter import TensorHandle
import pytest_kernels as kernels
from triton.language.extra import libdevice
import triton.language as tl


def lift(function):
    def call(*args):
        with np.errstate(all="ignore"):
            data = function(*[arg.handle.data.astype(np.float64) for arg in args])
        return tl.tensor(TensorHandle(data.astype(np.float32), args[0].handle.dtype), args[0].type)
    return call


for name, function in {"tanh": np.tanh, "log1p": np.log1p, "expm1": np.expm1, "pow": np.power}.items():
    setattr(libdevice, name, lift(function))
cases = torch.load(sys.argv[1])
out = {}
for key, (args, dtype) in cases.items():
    result = torch.empty(args[0].numel(), dtype=dtype)
    with np.errstate(all="ignore"):
        getattr(kernels, key.split(":")[0])[(1,)](*args, result, BLOCK=args[0].numel())
    out[key] = result
torch.save(out, sys.argv[2])
"""


@pytest.fixture(scope="module")
def interpreted(tmp_path_factory: pytest.TempPathFactory) -> dict[str, tuple]:
    """For each variant and kind of input: the arguments and Triton's result under its interpreter."""
    folder = tmp_path_factory.mktemp("interpreted")
    text, cases = [HEADER], {}
    special = torch.tensor([float("nan"), -0.0, 0.0, 1.0, -1.0, 2.5, 0.25, float("nan")])
    for kind in ("float", "int", "bool"):
        for i, (name, point) in enumerate(variants(kind)):
            names = "xyz"[: arity(name)]
            pointers = ", ".join(f"{letter}_ptr" for letter in names)
            kernel = f"k_{kind}_{name}_{i}"
            text.append(
                f"\n\n@triton.jit\ndef {kernel}({pointers}, out_ptr, BLOCK: tl.constexpr):\n"
            )
            text.append("    offsets = tl.arange(0, BLOCK)\n")
            text += [f"    {letter} = tl.load({letter}_ptr + offsets)\n" for letter in names]
            text.append(f"    result = {fill(spelling(name, kind), point)}\n")
            text.append("    tl.store(out_ptr + offsets, result)\n")
            makers = {
                "float": {
                    "accepted": [
                        drawn(d, 4096, j) for j, d in enumerate(per_argument(name, "accepts"))
                    ],
                    "drawn": [drawn(d, 4096, j) for j, d in enumerate(per_argument(name, "draws"))],
                    "special": [
                        a.flatten() for a in torch.meshgrid(*[special] * arity(name), indexing="ij")
                    ],
                },
                "int": {
                    str(dtype): [torch.randint(-5, 6, (1024,), dtype=dtype) for _ in names]
                    for dtype in (torch.int32, torch.int64)
                },
                "bool": {"bool": [torch.rand(1024) < 0.5 for _ in names]},
            }
            for label, args in makers[kind].items():
                args = [arg.contiguous() for arg in args]
                expected = reference(name, tuple(args), point).dtype
                cases[f"{kernel}:{label}"] = (name, point, args, expected)
    (folder / "pytest_kernels.py").write_text("".join(text))
    (folder / "driver.py").write_text(DRIVER)
    inputs, outputs = str(folder / "in.pt"), str(folder / "out.pt")
    torch.save({key: (args, dtype) for key, (_, _, args, dtype) in cases.items()}, inputs)
    done = subprocess.run(
        [sys.executable, "driver.py", inputs, outputs],
        cwd=folder,
        env=os.environ | {"TRITON_INTERPRET": "1"},
        capture_output=True,
        text=True,
    )
    assert done.returncode == 0, done.stderr[-3000:]
    results = torch.load(outputs)
    return {key: (*case[:3], results[key]) for key, case in cases.items()}


@pytest.mark.parametrize("name", FLOATS)
def test_triton_is_as_accurate_as_the_table_says(name: str, interpreted: dict) -> None:
    op = OPS[name]
    # float32 exp and log of NumPy are coarser than those of a GPU
    slack = 8.0 if re.search(r"tl\.(exp|log|sigmoid)", op["triton"]) else 0.0
    cases = [(k, c) for k, c in interpreted.items() if c[0] == name and "float_" in k]
    for key, (_, point, args, result) in cases:
        if key.endswith("special"):
            continue
        if op.get("exact"):
            assert torch.equal(result, reference(name, tuple(args), point)), key
            continue
        true = reference(name, tuple(arg.double() for arg in args), point)
        rounding = (true.float().double() - true).abs()
        size = true.abs().clamp(min=op.get("scale", 0.0))
        allowed = rounding + (op.get("ulps", 0.0) + slack) * 2.0**-24 * size
        excess = (result.double() - true).abs() - allowed
        assert excess.max() <= 0, (key, [arg[excess.argmax()].item() for arg in args])


@pytest.mark.parametrize("name", FLOATS)
def test_nan_goes_where_torch_lets_it_go(name: str, interpreted: dict) -> None:
    for key, (op, point, args, result) in interpreted.items():
        if op == name and key.endswith("special"):
            expected = reference(name, tuple(args), point)
            if result.is_floating_point():
                assert torch.equal(result.isnan(), expected.isnan()), key
            else:
                assert torch.equal(result, expected), key


@pytest.mark.parametrize("name", INTS)
def test_integers_and_bools_are_exact(name: str, interpreted: dict) -> None:
    for key, (op, point, args, result) in interpreted.items():
        if op == name and "float_" not in key:
            assert torch.equal(result, reference(name, tuple(args), point)), key


# Chains


def test_chains_of_three_steps_are_many_and_stay_finite_and_well_conditioned() -> None:
    followers = [name for name in FLOATS if not OPS[name].get("discontinuous")]

    def following(last: str, domain: str) -> list[str]:
        return [
            name
            for name in followers
            if fits(domain, per_argument(name, "accepts")[0])
            and last not in OPS[name].get("undoes", [])
            and not (OPS[name].get("identity_on") and fits(domain, OPS[name]["identity_on"]))
        ]

    firsts = [name for name in FLOATS if OPS[name].get("yields") != "bool"]
    start = {name: image(name, per_argument(name, "draws")[0]) for name in firsts}
    second = sum(len(following(name, start[name])) for name in firsts)
    assert second > 0.7 * len(firsts) * len(followers)
    for seed in range(400):
        source = torch.Generator().manual_seed(seed)

        def pick(items: list, source: torch.Generator = source):  # noqa: ANN202
            return items[int(torch.randint(len(items), (1,), generator=source))]

        chain = [pick(firsts)]
        domain = start[chain[0]]
        while len(chain) < 3 and (names := following(chain[-1], domain)):
            chain.append(pick(names))
            domain = image(chain[-1], domain)
        for dtype in HALVES:
            narrow = drawn(per_argument(chain[0], "draws")[0], 512, seed).to(dtype)
            wide = narrow.double()
            for i, name in enumerate(chain):
                others = [drawn(d, 512, seed + i + 1) for d in per_argument(name, "accepts")[1:]]
                rest = [other.to(dtype) for other in others]
                point = pick(points(name))
                narrow = reference(name, (narrow, *rest), point)
                wide = reference(name, (wide, *[other.double() for other in rest]), point)
            assert narrow.isfinite().all(), chain
            error = (narrow.double() - wide).abs().max()
            largest = wide.abs().max().clamp(min=0.01)
            assert error <= 40 * torch.finfo(dtype).eps / 2 * largest, (chain, error / largest)
