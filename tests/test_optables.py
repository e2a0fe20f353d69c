"""The pointwise op table: its mathematics, its domains and its spellings in PyTorch and Triton."""

from __future__ import annotations

import ast
import importlib.util
import itertools
import os
import re
import subprocess
import sys
from pathlib import Path

import pytest
import torch
import torch.nn.functional as F

from tritongen.optable import Domain, Op, fill, load_domains, load_table

FOLDER = Path(__file__).parent.parent / "templates" / "ops"
DOMAINS = load_domains(FOLDER / "_domains.toml")
OPS = load_table(FOLDER / "pointwise.toml", DOMAINS)

WANTED = {
    "unary": "neg abs sign square sqrt rsqrt reciprocal exp exp2 log log2 log1p expm1 sin cos erf floor "
    "ceil sigmoid tanh relu relu6 leaky_relu elu selu celu silu gelu gelu_tanh softplus softsign mish "
    "hardsigmoid hardswish hardtanh tanhshrink softshrink hardshrink threshold logit clamp",
    "binary": "add sub mul div maximum minimum pow squared_difference eq ne lt le gt ge logical_and "
    "logical_or logical_xor bitwise_and bitwise_or bitwise_xor",
    "ternary": "addcmul addcdiv lerp where fma",
}
FLOATS = [op for op in OPS.values() if "float" in op.dtypes]
INTS = [op for op in OPS.values() if "int" in op.dtypes]
UNARY = [op for op in FLOATS if op.arity == 1]
SEVERAL = [op for op in OPS.values() if op.arity > 1]
TARGETS = [("cuda", 80, 32), ("cuda", 90, 32), ("cuda", 100, 32), ("hip", "gfx942", 64)]
HALVES = (torch.float16, torch.bfloat16)
DOUBLE = torch.float64

Point = dict[str, float]
Tensors = tuple[torch.Tensor, ...]

every_op = pytest.mark.parametrize("op", OPS.values(), ids=str)
every_float_op = pytest.mark.parametrize("op", FLOATS, ids=str)
every_int_op = pytest.mark.parametrize("op", INTS, ids=str)


def points(op: Op) -> list[Point]:
    values = itertools.product(*op.params.values())
    return [dict(zip(op.params, chosen, strict=True)) for chosen in values]


def evaluate(template: str, args: Tensors, point: Point) -> torch.Tensor:
    scope = {"torch": torch, "F": F} | dict(zip("xyz", args, strict=False))
    return eval(fill(template, tuple("xyz"), point), scope)


def reference(op: Op, args: Tensors, point: Point) -> torch.Tensor:
    return evaluate(op.torch, args, point)


def result_dtype(op: Op, dtype: torch.dtype) -> torch.dtype:
    return torch.bool if op.yields == "bool" else dtype


def pieces(domain: Domain, n: int) -> list[torch.Tensor]:
    """Grids over the connected parts of a domain: its ends, whole numbers and evenly between."""
    lo, hi, gap = domain.lo, domain.hi, domain.min_abs
    grids = []
    for a, b in [(lo, hi)] if gap == 0 or lo > 0 else [(lo, -gap), (gap, hi)]:
        spans = [torch.linspace(max(a, -c), min(b, c), n, dtype=DOUBLE) for c in (1, 8, 1e9)]
        grid = torch.cat([*spans, torch.arange(-8, 9, dtype=DOUBLE)]).unique()
        grids.append(grid[(grid >= a) & (grid <= b)])
    return grids


def grids(op: Op, domains: tuple[Domain, ...]) -> list[Tensors]:
    n = {1: 2001, 2: 60, 3: 12}[len(domains)]
    found = []
    for axes in itertools.product(*[pieces(domain, n) for domain in domains]):
        args = torch.meshgrid(*axes, indexing="ij") if len(axes) > 1 else axes
        found.append(args if op in FLOATS else tuple([arg.round().long() for arg in args]))
    return found


def drawn(domain: Domain, n: int, seed: int) -> torch.Tensor:
    """float32 values of a domain on every scale, with its ends and multiples of a quarter."""
    lo, hi, gap = domain.lo, domain.hi, domain.min_abs
    source = torch.Generator().manual_seed(seed)
    x = torch.rand(n, generator=source, dtype=DOUBLE) * (hi - lo) + lo
    x[1::2] *= torch.exp2(-20 * torch.rand(n // 2, generator=source, dtype=DOUBLE))
    x[:105] = torch.cat([torch.arange(-16, 17) / 4, torch.tensor([lo, hi])]).repeat(3)
    x = x[torch.randperm(n, generator=source)].clamp(lo, hi)
    return torch.where(x.abs() < gap, torch.copysign(torch.tensor(gap), x), x).float()


def inputs(domains: tuple[Domain, ...], n: int, dtype: torch.dtype = torch.float32) -> Tensors:
    return tuple([drawn(domain, n, seed).to(dtype) for seed, domain in enumerate(domains)])


# Fields


def test_the_table_has_the_wanted_ops_and_no_others() -> None:
    for arity, names in enumerate(WANTED.values(), 1):
        assert sorted(op.name for op in OPS.values() if op.arity == arity) == sorted(names.split())


def test_tags_are_those_that_the_header_explains() -> None:
    text = (FOLDER / "pointwise.toml").read_text()
    section = text.partition("# Tags")[2].partition("# Fields")[0]
    heads = re.findall(r"^#   (\w+(?:, \w+)*)", section, flags=re.MULTILINE)
    assert {tag for op in OPS.values() for tag in op.tags} == set(", ".join(heads).split(", "))


@every_op
def test_expressions_use_every_argument_and_parameter_and_declare_their_imports(op: Op) -> None:
    slots = {*map(str, range(op.arity)), *op.params}
    for template in filter(None, (op.torch, op.triton, op.triton_int, op.method, op.phrase)):
        assert set(re.findall(r"{(\w+)}", template)) == slots
    assert ("F." in op.torch) == ("F" in op.imports_torch)
    assert ("libdevice." in op.triton) == ("libdevice" in op.imports_triton)


def test_ruff_leaves_the_expressions_as_they_are(tmp_path: Path) -> None:
    path = tmp_path / "expressions.py"
    with path.open("w") as file:
        for op in OPS.values():
            spellings = filter(None, (op.torch, op.method, op.triton, op.triton_int))
            for template, point in itertools.product(spellings, points(op)):
                file.write(f"r = {fill(template, tuple('xyz'), point)}\n")
    command = [sys.executable, "-m", "ruff", "format", "--isolated", "--line-length", "320"]
    done = subprocess.run([*command, "--diff", str(path)], capture_output=True, text=True)
    assert done.returncode == 0, done.stdout


# Domains


@pytest.mark.parametrize("domain", DOMAINS.values(), ids=str)
def test_a_domain_is_an_interval_with_ends_exact_in_half_precision(domain: Domain) -> None:
    assert domain.lo < domain.hi
    assert domain.lo <= 0 or domain.min_abs == domain.lo
    for value in (domain.lo, domain.hi, domain.min_abs):
        assert all(torch.tensor(value, dtype=dtype).item() == value for dtype in HALVES)


@every_op
def test_inputs_are_drawn_from_what_is_accepted(op: Op) -> None:
    assert all(a.within(b) for a, b in zip(op.draws, op.accepts, strict=True))


@every_op
def test_the_image_contains_every_result(op: Op) -> None:
    for domain in [domain for domain in DOMAINS.values() if domain.within(op.accepts[0])]:
        claimed = op.image_of(domain)
        for args, point in itertools.product(grids(op, (domain, *op.accepts[1:])), points(op)):
            result = reference(op, args, point).double()
            low, high = result.min().item(), result.max().item()
            least = 0.0 if low <= 0 <= high else result.abs().min().item()
            assert Domain("result", low, high, least).within(claimed), domain


@pytest.mark.parametrize("op", [op for op in OPS.values() if op.identity_on], ids=str)
def test_nothing_changes_where_the_table_says_so(op: Op) -> None:
    assert op.identity_on is not None
    (args,) = grids(op, (op.identity_on,))
    assert all(torch.equal(reference(op, args, point), args[0]) for point in points(op))


# Mathematics


def expand(op: Op, args: list[torch.Tensor], point: Point, depth: int = 0) -> torch.Tensor:
    """The value of an op through its expansion down to primitives."""
    assert depth < 20, "the expansions never end"
    if not op.expands:
        return reference(op, tuple(torch.broadcast_tensors(*args)), point)
    bound = dict(zip("xyz", args, strict=False))
    bound |= {key: torch.tensor(value, dtype=DOUBLE) for key, value in point.items()}

    def value(node: ast.expr) -> torch.Tensor:
        if isinstance(node, ast.Name):
            return bound[node.id]
        if isinstance(node, ast.Call) and isinstance(node.func, ast.Name):
            inner = OPS[node.func.id]
            return expand(inner, [value(arg) for arg in node.args], points(inner)[0], depth + 1)
        return torch.tensor(float(ast.literal_eval(node)), dtype=DOUBLE)

    return value(ast.parse(op.expands, mode="eval").body)


@every_op
def test_the_expansion_is_the_same_function(op: Op) -> None:
    for args, point in itertools.product(grids(op, op.draws), points(op)):
        expected = reference(op, args, point)
        found = expand(op, list(args), point).to(expected.dtype)
        # PyTorch's own softplus, linear above 20, is 2e-9 off
        torch.testing.assert_close(found, expected, rtol=1e-9, atol=3e-9)


@pytest.mark.parametrize("op", [op for op in SEVERAL if op.arity == 2], ids=str)
def test_commutative_ops_are_those_that_let_their_arguments_swap(op: Op) -> None:
    cases = itertools.product(grids(op, (op.draws[0], op.draws[0])), points(op))
    same = [torch.equal(reference(op, a, p), reference(op, a[::-1], p)) for a, p in cases]
    assert op.commutative == all(same)


def test_an_op_right_after_one_that_it_undoes_says_nothing_new() -> None:
    pairs = [(a, OPS[b]) for a in UNARY for b in a.undoes if OPS[b].arity == 1]
    assert len(pairs) > 20
    for after, before in pairs:
        x = drawn(before.draws[0], 512, 0).double()
        x = x[x != 0]
        known = [x, *(reference(op, (x,), point) for op in UNARY for point in points(op))]
        for p, q in itertools.product(points(after), points(before)):
            result = reference(after, (reference(before, (x,), q),), p)
            one_op = any(torch.allclose(result, k, rtol=1e-9, equal_nan=True) for k in known)
            assert one_op or (result / x).std() < 1e-9, (after, before, p, q)


@pytest.mark.parametrize("op", [op for op in FLOATS if op.exact], ids=str)
def test_exact_ops_do_not_round(op: Op) -> None:
    for domain in [domain for domain in DOMAINS.values() if domain.within(op.accepts[0])]:
        args = inputs((domain, *op.accepts[1:]), 256, torch.float16)
        for point in points(op):
            exact = reference(op, tuple([arg.double() for arg in args]), point)
            assert torch.equal(reference(op, args, point).double(), exact.double())


def steepest(op: Op, point: Point, h: float, order: int) -> float:
    """The largest difference of first or second order of an op, one argument shifted by `h`."""
    worst = 0.0
    for args, i in itertools.product(grids(op, op.draws), range(op.arity)):
        shifts = [k * h for k in range(1 - order, 2)]
        shifted = [(*args[:i], args[i] + shift, *args[i + 1 :]) for shift in shifts]
        values = torch.stack([reference(op, a, point).double() for a in shifted])
        worst = max(worst, values.diff(n=order, dim=0).abs().max().item())
    return worst


@every_float_op
def test_discontinuous_ops_jump_and_smooth_ops_have_neither_jump_nor_kink(op: Op) -> None:
    jumps = max(steepest(op, p, h, 1) for p, h in itertools.product(points(op), (-1e-9, 1e-9)))
    assert (jumps > 1e-3) == op.discontinuous
    # over a kink, second differences shrink like the step; elsewhere like its square
    wide, narrow = [max(steepest(op, p, h, 2) for p in points(op)) for h in (1e-5, 1e-6)]
    smooth = wide < 1e-9 or narrow < wide / 50
    assert ("smooth" in op.tags) == smooth


# PyTorch


@every_float_op
@pytest.mark.parametrize("dtype", [*HALVES, torch.float32, DOUBLE])
def test_torch_keeps_the_dtype_and_methods_agree(op: Op, dtype: torch.dtype) -> None:
    args = inputs(op.draws, 256, dtype)
    for point in points(op):
        result = reference(op, args, point)
        assert result.dtype == result_dtype(op, dtype)
        assert result.isfinite().all()
        if op.method:
            assert torch.equal(evaluate(op.method, args, point), result)


@pytest.mark.parametrize("op", SEVERAL, ids=str)
def test_scalars_are_allowed_where_torch_takes_them_and_keeps_the_dtype(op: Op) -> None:
    for kind, dtype, scalar in (("float", torch.float16, 0.5), ("int", torch.int32, 2)):
        if kind not in op.dtypes:
            continue
        tensor, found = torch.ones(4, dtype=dtype), set()
        for chosen in itertools.product([tensor, scalar], repeat=op.arity - 1):
            try:
                found.add(reference(op, (tensor, *chosen), points(op)[0]).dtype)
            except TypeError:
                found.add(None)
        assert op.scalars == (found == {result_dtype(op, dtype)})


# Triton

HEADER = """\
import triton
import triton.language as tl
from triton.language.extra import libdevice
"""


def variants(kind: str) -> list[tuple[Op, Point]]:
    return [(op, point) for op in OPS.values() if kind in op.dtypes for point in points(op)]


def one_kernel(kind: str) -> str:
    """A kernel `everything_<kind>` that stores the result of every op."""
    lines = [f"\n\n@triton.jit\ndef everything_{kind}(x_ptr, y_ptr, z_ptr, out_ptr, bool_ptr):"]
    lines += ["offsets = tl.arange(0, 128)"]
    lines += [f"{name} = tl.load({name}_ptr + offsets)" for name in "xyz"]
    for i, (op, point) in enumerate(variants(kind)):
        out = "bool_ptr" if op.yields == "bool" else "out_ptr"
        value = fill(op.in_triton(kind), tuple("xyz"), point)
        lines.append(f"tl.store({out} + {128 * i} + offsets, {value})")
    return "\n    ".join(lines) + "\n"


@pytest.mark.parametrize("target", TARGETS, ids=str)
def test_every_triton_expression_compiles_for_every_target(
    tmp_path: Path, target: tuple, monkeypatch: pytest.MonkeyPatch
) -> None:
    import triton
    from triton.backends.compiler import GPUTarget
    from triton.compiler import ASTSource

    monkeypatch.setenv("TRITON_CACHE_DIR", str(tmp_path / "cache"))
    path = tmp_path / "all_ops.py"
    path.write_text(HEADER + "".join(map(one_kernel, ("float", "int", "bool"))))
    spec = importlib.util.spec_from_file_location(path.stem, path)
    assert spec is not None
    assert spec.loader is not None
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    for kind, dtype in (("float", "fp32"), ("int", "i32"), ("int", "i64"), ("bool", "i1")):
        pointers = dict.fromkeys(["x_ptr", "y_ptr", "z_ptr", "out_ptr"], f"*{dtype}")
        signature = pointers | {"bool_ptr": "*i1"}
        source = ASTSource(getattr(module, f"everything_{kind}"), signature, {})
        assert triton.compile(source, target=GPUTarget(*target)).asm


DRIVER = """
import sys
import numpy as np
import torch
import triton.language as tl
from triton.language.extra import libdevice
from triton.runtime.interpreter import TensorHandle
import kernels

np.seterr(all="ignore")


def lift(function):
    def call(*args):
        data = function(*[arg.handle.data.astype(np.float64) for arg in args])
        return tl.tensor(TensorHandle(data.astype(np.float32), args[0].handle.dtype), args[0].type)
    return call


for name in ("tanh", "log1p", "expm1", "power"):
    setattr(libdevice, name.replace("power", "pow"), lift(getattr(np, name)))
results = {}
for key, (args, dtype) in torch.load(sys.argv[1]).items():
    results[key] = torch.empty(args[0].numel(), dtype=dtype)
    getattr(kernels, key.split(":")[0])[(1,)](*args, results[key], BLOCK=args[0].numel())
torch.save(results, sys.argv[2])
"""
SPECIAL = torch.tensor([float("nan"), -0.0, 0.0, 1.0, -1.0, 2.5, 0.25, float("nan")])
Case = tuple[Op, Point, Tensors, torch.Tensor]


def kernel_inputs(op: Op, kind: str) -> dict[str, Tensors]:
    if kind == "float":
        special = torch.meshgrid(*[SPECIAL] * op.arity, indexing="ij")
        return {
            "accepted": inputs(op.accepts, 4096),
            "drawn": inputs(op.draws, 4096),
            "special": tuple([values.flatten() for values in special]),
        }
    dtypes = (torch.bool,) if kind == "bool" else (torch.int32, torch.int64)
    low, high = (0, 2) if kind == "bool" else (-5, 6)
    return {
        str(dtype): tuple([torch.randint(low, high, (1024,)).to(dtype) for _ in range(op.arity)])
        for dtype in dtypes
    }


@pytest.fixture(scope="module")
def interpreted(tmp_path_factory: pytest.TempPathFactory) -> dict[str, dict[str, Case]]:
    """By op: what each of its kernels got and gave under Triton's interpreter."""
    folder = tmp_path_factory.mktemp("interpreted")
    text: list[str] = [HEADER]
    given: dict[str, tuple[Op, Point, Tensors]] = {}
    for kind in ("float", "int", "bool"):
        for i, (op, point) in enumerate(variants(kind)):
            names, kernel = "xyz"[: op.arity], f"{kind}_{op}_{i}"
            pointers = ", ".join([f"{name}_ptr" for name in names])
            text.append(
                f"\n\n@triton.jit\ndef {kernel}({pointers}, out_ptr, BLOCK: tl.constexpr):\n"
            )
            text.append("    offsets = tl.arange(0, BLOCK)\n")
            text += [f"    {name} = tl.load({name}_ptr + offsets)\n" for name in names]
            value = fill(op.in_triton(kind), tuple("xyz"), point)
            text.append(f"    tl.store(out_ptr + offsets, {value})\n")
            for label, args in kernel_inputs(op, kind).items():
                given[f"{kernel}:{label}"] = (op, point, args)
    (folder / "kernels.py").write_text("".join(text))
    (folder / "driver.py").write_text(DRIVER)
    load = {key: (a, reference(op, a, point).dtype) for key, (op, point, a) in given.items()}
    torch.save(load, folder / "in.pt")
    command = [sys.executable, "driver.py", "in.pt", "out.pt"]
    environment = os.environ | {"TRITON_INTERPRET": "1"}
    done = subprocess.run(command, cwd=folder, env=environment, capture_output=True, text=True)
    assert done.returncode == 0, done.stderr[-3000:]
    found: dict[str, dict[str, Case]] = {name: {} for name in OPS}
    for key, result in torch.load(folder / "out.pt").items():
        found[given[key][0].name][key] = (*given[key], result)
    return found


@every_float_op
def test_triton_is_as_accurate_as_the_table_says(
    op: Op, interpreted: dict[str, dict[str, Case]]
) -> None:
    # NumPy's float32 exp and log are coarser than a GPU's
    slack = 8.0 if re.search(r"tl\.(exp|log|sigmoid)", op.triton) else 0.0
    for key, (_, point, args, result) in interpreted[op.name].items():
        if not key.endswith((":accepted", ":drawn")):
            continue
        if op.exact:
            assert torch.equal(result, reference(op, args, point)), key
            continue
        true = reference(op, tuple([arg.double() for arg in args]), point)
        rounding = (true.float().double() - true).abs()
        size = true.abs().clamp(min=op.extra["scale"])
        allowed = rounding + (op.ulps + slack) * 2.0**-24 * size
        excess = (result.double() - true).abs() - allowed
        assert excess.max() <= 0, (key, [arg[excess.argmax()].item() for arg in args])


@every_float_op
def test_nan_goes_where_torch_lets_it_go(op: Op, interpreted: dict[str, dict[str, Case]]) -> None:
    for key, (_, point, args, result) in interpreted[op.name].items():
        if key.endswith(":special"):
            expected = reference(op, args, point)
            assert torch.equal(result.isnan(), expected.isnan()), key
            assert result.is_floating_point() or torch.equal(result, expected), key


@every_int_op
def test_integers_and_bools_are_exact(op: Op, interpreted: dict[str, dict[str, Case]]) -> None:
    for key, (_, point, args, result) in interpreted[op.name].items():
        if not key.startswith("float"):
            expected = reference(op, args, point)
            assert expected.dtype == result_dtype(op, args[0].dtype)
            assert torch.equal(result, expected), key


# Chains


def following(last: Op, domain: Domain) -> list[Op]:
    return [
        op
        for op in FLOATS
        if domain.within(op.accepts[0])
        and not (op.discontinuous or last.name in op.undoes)
        and not (op.identity_on and domain.within(op.identity_on))
    ]


def test_most_pairs_of_ops_make_a_chain() -> None:
    firsts = [op for op in FLOATS if op.yields != "bool"]
    followers = [op for op in FLOATS if not op.discontinuous]
    chains = sum(len(following(op, op.image_of(op.draws[0]))) for op in firsts)
    assert chains > 0.7 * len(firsts) * len(followers)


@pytest.mark.parametrize("dtype", HALVES)
def test_chains_of_three_steps_stay_finite_and_well_conditioned(dtype: torch.dtype) -> None:
    source = torch.Generator().manual_seed(0)

    def pick(items: list) -> object:
        return items[int(torch.randint(len(items), (1,), generator=source))]

    for seed in range(400):
        steps: list[str] = []
        op = pick([op for op in FLOATS if op.yields != "bool"])
        domain = op.draws[0]
        narrow = drawn(domain, 512, seed).to(dtype)
        wide = narrow.double()
        while len(steps) < 3:
            rest = [value.to(dtype) for value in inputs(op.accepts[1:], 512)]
            point = pick(points(op))
            narrow = reference(op, (narrow, *rest), point)
            wide = reference(op, (wide, *[value.double() for value in rest]), point)
            steps.append(op.name)
            domain = op.image_of(domain)
            choices = following(op, domain)
            if not choices:
                break
            op = pick(choices)
        assert narrow.isfinite().all(), steps
        error = (narrow.double() - wide).abs().max()
        largest = wide.abs().max().clamp(min=0.01)
        assert error <= 20 * torch.finfo(dtype).eps * largest, (steps, error / largest)
