"""The normal form is equal for every consistent renaming of a program, and for nothing else.

In the samples every identifier of the program's own is written `$name`, wherever it stands: so a
renaming here is a text substitution that knows nothing of scopes.
"""

from __future__ import annotations

import builtins
import dis
import io
import keyword
import re
import sys
import tokenize
from dataclasses import dataclass, field
from types import CodeType
from typing import Any

import pytest
from hypothesis import assume, given, settings
from hypothesis import strategies as st

from tritongen.canonical import (
    canonical_hash,
    canonical_pair,
    canonical_source,
    explain_difference,
    kernel_key,
    same_program,
)
from tritongen.errors import VerificationError

ADD = '''
"""Flat add."""
import torch
import triton
import triton.language as tl


def $reference(x: torch.Tensor, y: torch.Tensor) -> torch.Tensor:
    return torch.add(x, y, alpha=1)


@triton.jit
def $kernel($x_ptr, $y_ptr, $out_ptr, $n_elements, $BLOCK: tl.constexpr):
    """Add.

    $x_ptr: the first operand
    """
    $pid = tl.program_id(axis=0)  # which block
    $offsets = $pid * $BLOCK + tl.arange(0, $BLOCK)
    $mask = $offsets < $n_elements
    $x = tl.load($x_ptr + $offsets, mask=$mask, other=0.0)
    $y = tl.load($y_ptr + $offsets, mask=$mask, other=0.0)
    tl.store($out_ptr + $offsets, $x + $y, mask=$mask)


def $wrapper($a, $b):
    if $a.shape != $b.shape:
        raise ValueError(f"{$a.shape}{$b.shape}")
    $out = torch.empty_like($a)
    $n = $out.numel()
    $grid = lambda $meta: (triton.cdiv($n, $meta["$BLOCK"]),)
    $kernel[$grid]($a, $b, $out, $n, $BLOCK=1024, num_warps=4)
    return $out
'''

SOFTMAX = """
from functools import partial
import torch
from triton import cdiv, jit
import triton.language as tl

$SCALE: float = 0.5


@jit(do_not_specialize=["$n_cols"])
def $kernel($x_ptr, $out_ptr, $stride, $n_rows, $n_cols, $BLOCK: tl.constexpr):
    $row = tl.program_id(0)
    $step = tl.num_programs(0)
    for $r in tl.range($row, $n_rows, $step, num_stages=2):
        $cols = tl.arange(0, $BLOCK)
        $x = tl.load($x_ptr + $r * $stride + $cols, mask=$cols < $n_cols, other=-float("inf"))
        $top = tl.max($x, axis=0)
        $e = tl.exp($x - $top)
        tl.store($out_ptr + $r * $stride + $cols, $e / tl.sum($e, axis=0), mask=$cols < $n_cols)


$launch = partial($kernel, $BLOCK=128)


def $wrapper($x, $dim=-1, *, $scale=$SCALE):
    $rows, $n = $x.shape
    $y = torch.empty_like($x)
    $count = 0

    def $note():
        nonlocal $count
        $count += 1
        return [$x.stride($i) for $i in range($count) if $i < 1]

    $note()
    $kernel[($rows,)]($x * $scale, $y, $x.stride(0), $rows, $n, $BLOCK=cdiv($n, 16) * 16)
    return torch.softmax($y, dim=$dim)


def $use($z):
    return $wrapper($z, $dim=0, $scale=2.0)
"""

MATMUL = '''
import torch
import triton
import triton.language as tl

$CONFIGS = [
    triton.Config({"$BLOCK_M": $m, "$BLOCK_N": 64}, num_warps=$w) for $m in (32, 64) for $w in (4, 8)
]


def $more():
    return [triton.Config({"$BLOCK_M": 16, "$BLOCK_N": 16}, num_stages=2)]


def $clear($nargs):
    $nargs["$out_ptr"].zero_()


@triton.autotune(
    configs=$CONFIGS + $more() + [triton.Config({"$BLOCK_M": 8, "$BLOCK_N": 8}, pre_hook=$clear)],
    key=["$M", "$N"],
    reset_to_zero=["$out_ptr"],
)
@triton.heuristics({"$EVEN": lambda $args: $args["$N"] % $args["$BLOCK_N"] == 0})
@triton.jit
def $kernel(
    $x_ptr, $out_ptr, $M, $N, $BLOCK_M: tl.constexpr, $BLOCK_N: tl.constexpr, $EVEN: tl.constexpr
):
    $pid = tl.program_id(0)
    $rows = $pid * $BLOCK_M + tl.arange(0, $BLOCK_M)
    $cols = tl.arange(0, $BLOCK_N)
    if $EVEN:
        $x = tl.load($x_ptr + $rows[:, None] * $N + $cols[None, :])
    else:
        $x = tl.load($x_ptr + $rows[:, None] * $N + $cols[None, :], mask=$cols[None, :] < $N)
    tl.atomic_add($out_ptr + $rows, tl.sum($x, axis=1), mask=$rows < $M)


def $wrapper($x):
    """Doc."""
    $m, $n = $x.shape
    $out = torch.zeros(($m,), device=$x.device)

    def $grid($meta):
        return (triton.cdiv($m, $meta["$BLOCK_M"]), $meta["$BLOCK_N"] // $meta["$BLOCK_N"])

    $kernel[$grid]($x, $out, $m, $n)
    return $out
'''

LAYERNORM = """
import math
import torch
import torch.nn as nn
import triton
import triton.language as tl


class $Reference(nn.Module):
    def __init__(self, $width, $eps=1e-5):
        super().__init__()
        self.weight = nn.Parameter(torch.ones($width))
        self.eps = $eps

    def normal(self, $x, $power=2):
        return ($x**$power).mean(dim=-1, keepdim=True)

    def forward(self, $x):
        $scale = torch.rsqrt(self.normal($x, $power=2) + self.eps)
        return $x * $scale * self.weight


def $reference($x, $weight):
    $model = $Reference($width=$x.shape[-1], $eps=1e-6).to($x.device)
    return $model($x=$x)


@triton.jit
def $helper($v, $n, $eps):
    return tl.rsqrt(tl.sum($v * $v, axis=0) / $n + $eps)


@triton.jit
def $kernel($x_ptr, $w_ptr, $o_ptr, $n, $eps, $BLOCK: tl.constexpr):
    $c = tl.arange(0, $BLOCK)
    $v = tl.load($x_ptr + tl.program_id(0) * $n + $c, mask=$c < $n, other=0.0).to(tl.float32)
    $v = $v * $helper($v, $eps=$eps, $n=$n) * tl.load($w_ptr + $c, mask=$c < $n)
    tl.store($o_ptr + tl.program_id(0) * $n + $c, $v, mask=$c < $n)


def $wrapper($x, $weight, $eps=1e-6):
    $o = torch.empty_like($x)
    $kernel.run($x, $weight, $o, $x.shape[-1], $eps, $BLOCK=1 << math.ceil(math.log2(8)), grid=(4,))
    return $o
"""

JUDGE = '''
import pytest
import torch

$SHAPES = [(1, 7), (33, 64)]


@pytest.fixture
def $seeded(request):
    torch.manual_seed(0)
    return torch.device("cuda")


def $inputs($rows, $cols, *$rest, dtype=torch.float32, **$options):
    return torch.randn($rows, $cols, dtype=dtype, **$options)


@pytest.mark.parametrize("dtype", [torch.float32, torch.float16], ids=["single", "half"])
@pytest.mark.parametrize("$rows, $cols", $SHAPES)
@pytest.mark.parametrize(("$scale", "$bias"), [(1.0, 0), pytest.param(2.0, 1, id="two")])
@pytest.mark.skipif(not torch.cuda.is_available(), reason="no GPU for $rows")
def test_$pair($rows, $cols, $scale, $bias, dtype, $seeded, tmp_path):
    """Check."""
    $x = $inputs($rows, $cols, dtype=dtype, device=$seeded) * $scale + $bias
    $error, $bound = ($x - $x).abs().max(), 1e-3
    assert $error <= $bound, f"{$error} over {$bound}"
    with pytest.raises(ValueError):
        $inputs(1, 2, device="nowhere")
    if ($worst := max([float($e) for $e in $x.flatten()])) > 1e9:
        raise AssertionError("too large: " + str($worst))
'''

SAMPLES = {
    "add": ADD,
    "softmax": SOFTMAX,
    "matmul": MATMUL,
    "layernorm": LAYERNORM,
    "judge": JUDGE,
}
MARK = re.compile(r"\$(\w+)")
FORBIDDEN = (
    set(keyword.kwlist)
    | set(dir(builtins))
    | set("torch triton tl nn math pytest partial jit cdiv self dtype request tmp_path".split())
    | set("x y grid stream weight single half two nowhere cuda inf ids".split())
)


def render(sample: str, names: dict[str, str] | None = None) -> str:
    """Return the sample's source with its identifiers renamed."""
    return MARK.sub(lambda match: (names or {}).get(match[1], match[1]), sample)


def names_of(sample: str) -> list[str]:
    return sorted(set(MARK.findall(sample)))


# --- an independent judge: equal byte code, up to one bijection per code object


# The last three stand in the alphabetical order of the names.
NEUTRAL = {"NOP", "RESUME", "EXTENDED_ARG", "CACHE", "MAKE_CELL", "COPY_FREE_VARS", "LOAD_CLOSURE"}


def alike(a: CodeType, b: CodeType, known: dict[str, str], back: dict[str, str]) -> bool:
    """Whether two compiled modules are equal up to names, texts and documentation."""

    def match(x: str, y: str, forth: dict[str, str], back: dict[str, str]) -> bool:
        return forth.setdefault(x, y) == y and back.setdefault(y, x) == x

    local: tuple[dict[str, str], dict[str, str]] = ({}, {})
    left = [i for i in dis.get_instructions(a) if i.opname not in ("NOP", "RESUME", "EXTENDED_ARG")]
    right = [
        i for i in dis.get_instructions(b) if i.opname not in ("NOP", "RESUME", "EXTENDED_ARG")
    ]
    if len(left) != len(right) or a.co_argcount != b.co_argcount:
        return False
    for i, j in zip(left, right, strict=True):
        if i.opname != j.opname:
            return False
        x, y = i.argval, j.argval
        if isinstance(x, CodeType) or isinstance(y, CodeType):
            if type(x) is not type(y) or not alike(x, y, known, back):
                return False
        elif i.opname.endswith(("_FAST", "_DEREF")):
            if not match(x, y, *local):
                return False
        elif i.opname in ("LOAD_GLOBAL", "STORE_GLOBAL", "LOAD_NAME", "STORE_NAME"):
            attribute = "__qualname__" in a.co_names and x == y
            if not attribute and not match(x, y, known, back):
                return False
        elif i.opname in ("LOAD_CONST", "KW_NAMES"):
            if isinstance(x, str | tuple) or isinstance(y, str | tuple):
                continue
            if type(x) is not type(y) or repr(x) != repr(y):
                return False
        elif i.opname.startswith(("LOAD_ATTR", "LOAD_METHOD", "STORE_ATTR", "IMPORT")) and x != y:
            return False
    return True


def equivalent(source_a: str, source_b: str) -> bool:
    """Whether both compile alike (True where the byte code is of another Python than known here)."""
    if sys.version_info >= (3, 13):
        return True
    codes = [compile(text, "m", "exec", optimize=2) for text in (source_a, source_b)]
    return alike(codes[0], codes[1], {}, {})


# --- equal


@pytest.mark.parametrize("name", SAMPLES)
def test_normal_form_is_its_own_normal_form(name: str) -> None:
    form = canonical_source(render(SAMPLES[name]))
    assert canonical_source(form) == form


@pytest.mark.parametrize("name", SAMPLES)
def test_normal_form_computes_the_same(name: str) -> None:
    source = render(SAMPLES[name])
    assert equivalent(source, canonical_source(source))


@pytest.mark.parametrize("name", SAMPLES)
def test_plain_renaming_is_invisible(name: str) -> None:
    sample = SAMPLES[name]
    names = {old: f"{old[::-1]}_{number}" for number, old in enumerate(names_of(sample))}
    assert explain_difference(render(sample), render(sample, names)) is None


IDENTIFIER = st.one_of(
    st.from_regex(r"[a-zA-Z_][a-zA-Z0-9_]{0,7}", fullmatch=True),
    st.from_regex(r"[gvm][0-9]{1,2}", fullmatch=True),
    st.sampled_from("load store sum stride shape float32 Config key autotune é über 变量".split()),
).filter(
    lambda name: (
        name not in FORBIDDEN and not name.startswith(("__", "test", "Test", "pytest_", "num_"))
    )
)


@settings(max_examples=150, deadline=None)
@given(st.data())
def test_random_injective_renaming_is_invisible(data: st.DataObject) -> None:
    sample = SAMPLES[data.draw(st.sampled_from(sorted(SAMPLES)))]
    names = names_of(sample)
    new = data.draw(st.lists(IDENTIFIER, min_size=len(names), max_size=len(names), unique=True))
    renamed = render(sample, dict(zip(names, new, strict=True)))
    assert explain_difference(render(sample), renamed) is None


def test_layout_comments_and_docstrings_are_invisible() -> None:
    a = 'def f(x):\n    """Doc."""\n    # note\n    return (x +\n            1)\n'
    b = "def f(x): return x + 0x1"
    assert canonical_source(a) == canonical_source(b)


def test_one_name_may_serve_in_several_scopes() -> None:
    a = "def f(x):\n    return x\ndef g(x):\n    return [x for x in x]\n"
    b = "def f(p):\n    return p\ndef g(q):\n    return [r for r in q]\n"
    assert canonical_source(a) == canonical_source(b)


EQUAL = {
    "shared configurations": (
        "import triton\nC = [triton.Config({'B': 1})]\n"
        "@triton.autotune(C, ['n'])\n@triton.jit\ndef k(n, B): pass\n"
        "@triton.autotune(C, ['n'])\n@triton.jit\ndef l(n, B): pass\n",
        "import triton\nC = [triton.Config({'W': 1})]\n"
        "@triton.autotune(C, ['m'])\n@triton.jit\ndef k(m, W): pass\n"
        "@triton.autotune(C, ['o'])\n@triton.jit\ndef l(o, W): pass\n",
    ),
    "shared grid": (
        "import triton\n@triton.jit\ndef k(n, B): pass\n@triton.jit\ndef l(n, B): pass\n"
        "def w(x):\n    g = lambda meta: (meta['B'],)\n    k[g](x, B=1)\n    l[g](x, B=2)\n",
        "import triton\n@triton.jit\ndef k(n, W): pass\n@triton.jit\ndef l(m, W): pass\n"
        "def w(x):\n    h = lambda p: (p['W'],)\n    k[h](x, W=1)\n    l[h](x, W=2)\n",
    ),
    "several shared names": (
        "import triton\n@triton.jit\ndef k(A, B, C): pass\n@triton.jit\ndef l(A, B, C): pass\n"
        "def w(x):\n    g = lambda p: (p['A'], p['B'], p['C'])\n"
        "    k[g](A=1, B=2, C=3)\n    l[g](C=1, B=2, A=3)\n",
        "import triton\n@triton.jit\ndef k(C, A, B): pass\n@triton.jit\ndef l(C, A, B): pass\n"
        "def w(x):\n    g = lambda p: (p['C'], p['A'], p['B'])\n"
        "    k[g](C=1, A=2, B=3)\n    l[g](B=1, A=2, C=3)\n",
    ),
    "class attribute spelled like a global": (
        "x = 1\nclass A:\n    x = 2\n    def f(self): return x\n",
        "y = 1\nclass A:\n    x = 2\n    def f(self): return y\n",
    ),
    "a kernel's local spelled like a builtin that Triton does not know": (
        "import triton\n@triton.jit\ndef k(n):\n    input = n\n    return input\n",
        "import triton\n@triton.jit\ndef k(n):\n    x = n\n    return x\n",
    ),
    "grid bound twice": (
        "import triton\n@triton.jit\ndef k(n, B): pass\n@triton.jit\ndef l(B): pass\n"
        "def w(x):\n    g = lambda meta: (meta['B'],)\n    k[g](x, B=1)\n"
        "    g = lambda meta: (meta['B'],)\n    l[g](B=2)\n",
        "import triton\n@triton.jit\ndef k(n, W): pass\n@triton.jit\ndef l(T): pass\n"
        "def w(x):\n    h = lambda p: (p['W'],)\n    k[h](x, W=1)\n"
        "    h = lambda p: (p['T'],)\n    l[h](T=2)\n",
    ),
    "decorators applied as calls": (
        "import triton\ndef f(n, B): pass\n"
        "k = triton.autotune([triton.Config({'B': 1})], key=['n'])(triton.jit(f))\n"
        "k[(1,)](n=1)\n",
        "import triton\ndef h(m, W): pass\n"
        "l = triton.autotune([triton.Config({'W': 1})], key=['m'])(triton.jit(h))\n"
        "l[(1,)](m=1)\n",
    ),
    "keywords before the definition": (
        "def f():\n    return g(a=1)\ndef g(a):\n    return a\n",
        "def p():\n    return q(b=1)\ndef q(b):\n    return b\n",
    ),
    "global in a function": (
        "N = 0\ndef f():\n    global N, L\n    N = L = 1\n",
        "K = 0\ndef f():\n    global K, P\n    K = P = 1\n",
    ),
    "autograd function": (
        "import torch\nclass A(torch.autograd.Function):\n    @staticmethod\n"
        "    def forward(ctx, x):\n        ctx.save_for_backward(x)\n        return x\n"
        "def f(x):\n    return A.apply(x)\n",
        "import torch\nclass B(torch.autograd.Function):\n    @staticmethod\n"
        "    def forward(c, v):\n        c.save_for_backward(v)\n        return v\n"
        "def f(y):\n    return B.apply(y)\n",
    ),
    "inherited constructor": (
        "class A:\n    def __init__(self, n): self.n = n\nclass B(A):\n    pass\nb = B(n=1)\n",
        "class P:\n    def __init__(s, m): s.n = m\nclass Q(P):\n    pass\nb = Q(m=1)\n",
    ),
    "attribute and torch keyword spelled like a name": (
        "import torch\ndef f(dim, sum):\n    return torch.sum(dim, dim=sum).sum(dim=1)\n",
        "import torch\ndef f(a, b):\n    return torch.sum(a, dim=b).sum(dim=1)\n",
    ),
    "f-strings": (
        "def f(a):\n    return f\"{a['k']!r:>{a}} '\\\" {{}} \\n\"\n",
        "def f(b):\n    return f\"{b['k']!r:>{b}} '\\\" {{}} \\n\"\n",
    ),
    "messages": (
        "def f(a):\n    assert a, f'bad {a}'\n    raise ValueError('one ' + str(a))\n",
        "def f(b):\n    assert b, 'other'\n    raise ValueError('two ' + str(b))\n",
    ),
}


@pytest.mark.parametrize("case", EQUAL)
def test_equal_programs(case: str) -> None:
    a, b = EQUAL[case]
    assert explain_difference(a, b) is None
    assert equivalent(canonical_source(a), a)


# --- different


def changed(sample: str, old: str, new: str) -> tuple[str, str]:
    """Return the sample and a mutant of it, renamed as well."""
    assert sample.count(old) >= 1, old
    names = {name: f"{name}_n" for name in names_of(sample)}
    return render(sample), render(sample.replace(old, new, 1), names)


CHANGES = {
    "swapped arguments": (ADD, "$kernel[$grid]($a, $b,", "$kernel[$grid]($b, $a,"),
    "swapped operands": (SOFTMAX, "$x - $top", "$top - $x"),
    "operator": (ADD, "$x + $y", "$x - $y"),
    "comparison": (ADD, "< $n_elements", "<= $n_elements"),
    "constant": (ADD, "1024", "1023"),
    "0 for 0.0": (ADD, "other=0.0", "other=0"),
    "True for 1": (ADD, "alpha=1", "alpha=True"),
    "torch keyword": (LAYERNORM, "dim=-1", "axis=-1"),
    "triton keyword": (ADD, "mask=$mask, other", "masks=$mask, other"),
    "launch option": (ADD, "num_warps=4", "num_stages=4"),
    "attribute": (LAYERNORM, "tl.float32", "tl.float16"),
    "dtype": (JUDGE, "torch.float16]", "torch.bfloat16]"),
    "device": (JUDGE, '"cuda"', '"cpu"'),
    "autotune key": (MATMUL, 'key=["$M", "$N"]', 'key=["$M", "$M"]'),
    "autotune key's order": (MATMUL, 'key=["$M", "$N"]', 'key=["$N", "$M"]'),
    "reset_to_zero": (MATMUL, 'reset_to_zero=["$out_ptr"]', 'reset_to_zero=["$x_ptr"]'),
    "do_not_specialize": (SOFTMAX, '["$n_cols"]', '["$n_rows"]'),
    "configuration's keys": (MATMUL, '{"$BLOCK_M": 16, "$BLOCK_N"', '{"$BLOCK_N": 16, "$BLOCK_M"'),
    "configuration's value": (MATMUL, '"$BLOCK_N": 64', '"$BLOCK_N": 32'),
    "grid's subscript": (MATMUL, '$meta["$BLOCK_M"]', '$meta["$BLOCK_N"]'),
    "heuristic's subscript": (MATMUL, '$args["$N"]', '$args["$M"]'),
    "heuristic's key": (MATMUL, '{"$EVEN":', '{"$BLOCK_M":'),
    "hook's subscript": (MATMUL, '$nargs["$out_ptr"]', '$nargs["$x_ptr"]'),
    "string in a wrong place": (ADD, '$meta["$BLOCK"]', '$meta["BLOCK"]'),
    "keyword of a helper": (LAYERNORM, "$eps=$eps, $n=$n", "$n=$eps, $eps=$n"),
    "keyword of a constructor": (LAYERNORM, "$eps=1e-6).to", "eps=1e-6).to"),
    "keyword of a launch": (ADD, "$BLOCK=1024", "BLOCK=1024"),
    "keyword of partial": (SOFTMAX, "partial($kernel, $BLOCK", "partial($kernel, $stride"),
    "default": (SOFTMAX, "$dim=-1", "$dim=-2"),
    "default dropped": (SOFTMAX, "$dim=-1", "$dim"),
    "keyword-only": (SOFTMAX, "*, $scale", "$scale"),
    "argnames": (JUDGE, '"$rows, $cols"', '"$cols, $rows"'),
    "argnames of a tuple": (JUDGE, '("$scale", "$bias")', '("$bias", "$scale")'),
    "parametrize's values": (JUDGE, "(33, 64)", "(33, 65)"),
    "number of ids": (JUDGE, '["single", "half"]', '["single"]'),
    "not a test": (JUDGE, "test_$pair", "check_$pair"),
    "fixture of pytest": (JUDGE, "tmp_path", "capsys"),
    "fixture of its own": (JUDGE, "dtype, $seeded", "dtype, seeded"),
    "exception": (JUDGE, "raises(ValueError)", "raises(TypeError)"),
    "assertion": (JUDGE, "$error <= $bound,", "$error < $bound,"),
    "two identifiers merged": (ADD, "$y = tl.load", "$x = tl.load"),
    "global for local": (SOFTMAX, "* $scale", "* $SCALE"),
    "nonlocal dropped": (SOFTMAX, "nonlocal $count", "$count = 0"),
    "annotation": (ADD, "$BLOCK: tl.constexpr", "$BLOCK"),
    "import": (SOFTMAX, "from triton import cdiv", "from torch import cdiv"),
    "statement twice": (ADD, "    return $out\n", "    $n = $n\n    return $out\n"),
    "method": (LAYERNORM, "def normal(", "def normals("),
    "else": (MATMUL, "    else:\n", "    if not $EVEN:\n"),
}


@pytest.mark.parametrize("case", CHANGES)
def test_changed_program_is_told_apart(case: str) -> None:
    source, mutant = changed(*CHANGES[case])
    try:
        assert explain_difference(source, mutant) is not None
    except VerificationError:
        compile(mutant, "mutant", "exec")


DIFFERENT = {
    "decorator order": (
        "import triton\n@triton.heuristics({'B': lambda a: 1})\n"
        "@triton.autotune([], key=[])\n@triton.jit\ndef k(B): pass\n",
        "import triton\n@triton.autotune([], key=[])\n"
        "@triton.heuristics({'B': lambda a: 1})\n@triton.jit\ndef k(B): pass\n",
    ),
    "launch keywords swapped": (
        "import triton\n@triton.jit\ndef k(A, B): pass\ndef w(A, B):\n    k[(1,)](A=A, B=B)\n",
        "import triton\n@triton.jit\ndef k(A, B): pass\ndef w(A, B):\n    k[(1,)](A=B, B=A)\n",
    ),
    "local shadows a builtin in use": (
        "def f(a):\n    b = 1\n    return max(a, b)\n",
        "def f(a):\n    max = 1\n    return max(a, max)\n",
    ),
    "local shadows a module in use": (
        "import torch\ndef f(a):\n    b = a\n    return torch.sum(b)\n",
        "import torch\ndef f(a):\n    torch = a\n    return torch.sum(torch)\n",
    ),
    "parameter shadows a helper": (
        "def h(x): return x\ndef f(a): return h(a)\n",
        "def h(x): return x\ndef f(h): return h(h)\n",
    ),
    "captured by a comprehension": (
        "def f(a, b): return [a for c in b]\n",
        "def f(a, b): return [a for a in b]\n",
    ),
    "a kernel's local hides a global": (
        "import triton\nS = 1\n@triton.jit\ndef k(n):\n    t = n\n    return t\n",
        "import triton\nS = 1\n@triton.jit\ndef k(n):\n    S = n\n    return S\n",
    ),
    "a module's name hides a builtin": (
        "def total(a): return a\ndef f(a): return sum(a)\n",
        "def sum(a): return a\ndef f(a): return sum(a)\n",
    ),
    "a kernel's local hides a builtin": (
        "import triton\n@triton.jit\ndef k(n):\n    t = n\n    return t\n",
        "import triton\n@triton.jit\ndef k(n):\n    max = n\n    return max\n",
    ),
    "grid bound in a branch": (
        "import triton\n@triton.jit\ndef k(n, B): pass\n"
        "def w(x):\n    g = lambda meta: (meta['B'],)\n    if x:\n        g = (1,)\n"
        "    k[g](x, B=1)\n",
        "import triton\n@triton.jit\ndef k(n, W): pass\n"
        "def w(x):\n    g = lambda meta: (meta['B'],)\n    if x:\n        g = (1,)\n"
        "    k[g](x, W=1)\n",
    ),
    "grid of an earlier launch": (
        "import triton\n@triton.jit\ndef k(A, B): pass\n@triton.jit\ndef l(B, A): pass\n"
        "def w(x):\n    g = lambda p: (p['A'],)\n    k[g](A=1, B=1)\n    g = (1,)\n"
        "    l[g](A=1, B=1)\n",
        "import triton\n@triton.jit\ndef k(A, B): pass\n@triton.jit\ndef l(B, A): pass\n"
        "def w(x):\n    g = lambda p: (p['B'],)\n    k[g](A=1, B=1)\n    g = (1,)\n"
        "    l[g](A=1, B=1)\n",
    ),
    "class attribute": (
        "class A:\n    size = 1\n",
        "class A:\n    width = 1\n",
    ),
    "matched message": (
        "import pytest\ndef f(): raise ValueError('one')\n"
        "def test_f():\n    with pytest.raises(ValueError, match='one'):\n        f()\n",
        "import pytest\ndef f(): raise ValueError('two')\n"
        "def test_f():\n    with pytest.raises(ValueError, match='one'):\n        f()\n",
    ),
    "message that is read": (
        "def f():\n    try:\n        raise ValueError('one')\n"
        "    except ValueError as e:\n        return str(e)\n",
        "def f():\n    try:\n        raise ValueError('two')\n"
        "    except ValueError as e:\n        return str(e)\n",
    ),
    "name in a dict, later passed by name": (
        "import triton\nO = {'B': 1}\n@triton.jit\ndef k(n, B): pass\n"
        "def w(x, run):\n    run(k, O)\n",
        "import triton\nO = {'B': 1}\n@triton.jit\ndef k(n, W): pass\n"
        "def w(x, run):\n    run(k, O)\n",
    ),
    "name as a keyword of dict": (
        "import triton\nO = dict(B=1)\n@triton.jit\ndef k(n, B): pass\n",
        "import triton\nO = dict(B=1)\n@triton.jit\ndef k(n, W): pass\n",
    ),
    "configuration apart from its kernel": (
        "import triton\nC = []\nC.append(triton.Config({'B': 1}))\n"
        "@triton.autotune(C, key=[])\n@triton.jit\ndef k(B): pass\n",
        "import triton\nC = []\nC.append(triton.Config({'B': 1}))\n"
        "@triton.autotune(C, key=[])\n@triton.jit\ndef k(W): pass\n",
    ),
    "launch option that becomes a parameter": (
        "import triton\n@triton.jit\ndef k(n, w): pass\ndef f(x):\n    k[(1,)](x, w=4)\n",
        "import triton\n@triton.jit\ndef k(n, num_warps): pass\n"
        "def f(x):\n    k[(1,)](x, num_warps=4)\n",
    ),
    "setup function of pytest": (
        "STATE = []\ndef prepare(): STATE.append(1)\n",
        "STATE = []\ndef setup_module(): STATE.append(1)\n",
    ),
    "names in a string that is split": (
        "import triton\nO = 'n B'.split()\n@triton.jit\ndef k(n, B): pass\n",
        "import triton\nO = 'n B'.split()\n@triton.jit\ndef k(n, W): pass\n",
    ),
    "text for an exception of its own": (
        "class E(Exception): pass\ndef f(): raise E('one')\n",
        "class E(Exception): pass\ndef f(): raise E('two')\n",
    ),
    "builtin read before it is hidden": ("max = max(1, 2)\n", "top = top(1, 2)\n"),
    "message left out": ("def f(a): assert a, 'b'\n", "def f(a): assert a\n"),
    "complex zero": ("x = 0j\n", "x = 0.0\n"),
    "negative zero": ("x = -0.0\n", "x = 0.0\n"),
    "grouping": ("def f(a, b, c): return a - (b - c)\n", "def f(a, b, c): return a - b - c\n"),
    "chained comparison": (
        "def f(a, b, c): return a < b < c\n",
        "def f(a, b, c): return (a < b) < c\n",
    ),
    "tuple subscript": ("def f(a, b): return a[b,]\n", "def f(a, b): return a[b]\n"),
    "literal part of an f-string": ("x = f'{1}a'\n", "x = f'{1}b'\n"),
    "bytes": ("x = b'a'\n", "x = 'a'\n"),
}


@pytest.mark.parametrize("case", DIFFERENT)
def test_different_programs(case: str) -> None:
    a, b = DIFFERENT[case]
    assert canonical_source(a) == canonical_source(a + "# comment\n")
    reason = explain_difference(a, b)
    assert reason is not None
    assert "\n" not in reason


WORD = re.compile(r"\w+\Z")


@pytest.mark.filterwarnings("ignore::SyntaxWarning")
@settings(max_examples=400, deadline=None)
@given(st.data())
def test_single_token_mutation_is_told_apart(data: st.DataObject) -> None:
    source = render(SAMPLES[data.draw(st.sampled_from(sorted(SAMPLES)))])
    tokens = list(tokenize.generate_tokens(io.StringIO(source).readline))
    kinds = (tokenize.NAME, tokenize.NUMBER, tokenize.OP)
    places = [token for token in tokens if token.type in kinds]
    place = data.draw(st.sampled_from(places))
    pool = sorted({token.string for token in tokens if token.type == place.type} | {"None", "2"})
    new = data.draw(st.sampled_from(pool).filter(lambda text: text != place.string))
    lines = source.splitlines(keepends=True)
    row, column = place.start[0] - 1, place.start[1]
    lines[row] = lines[row][:column] + new + lines[row][place.end[1] :]
    mutant = "".join(lines)
    try:
        compile(mutant, "mutant", "exec")
        same = canonical_source(mutant) == canonical_source(source)
    except (SyntaxError, VerificationError):
        assume(False)
        return
    if same:
        assert place.type == tokenize.NAME or WORD.match(place.string)
        assert equivalent(mutant, source)


# --- refused


REFUSED = {
    "does not parse": "def f(:\n",
    "star import": "from torch import *\n",
    "exec": "exec('x = 1')\n",
    "eval": "def f(x): return eval('x')\n",
    "globals": "def f(): return globals()['f']\n",
    "locals": "def f(x): return locals()\n",
    "computed getattr": "import torch\ndef f(n): return getattr(torch, n)\n",
    "getattr passed on": "x = map(getattr, [], [])\n",
    "reflection": "def f(): return f.__name__\n",
    "inspect": "import inspect\n",
    "importlib": "from importlib import import_module\n",
    "modules": "import sys\nx = sys.modules['m']\n",
    "match": "match 1:\n    case x: pass\n",
    "async": "async def f(): pass\n",
    "keyword of a parameter": "def g(a): return a\ndef f(h): return h(a=1)\n",
    "keyword of two functions": "try:\n    def g(a): pass\nexcept E:\n    def g(b): pass\ng(a=1)\n",
    "keyword that does not exist": "def g(a): return a\ng(b=1)\n",
    "keyword through a library": ("import threading\ndef g(a): return a\nthreading.run(g, a=1)\n"),
    "keyword through a library, with a function by keyword": (
        "import threading\ndef g(a): return a\nthreading.run(target=g, a=1)\n"
    ),
    "keyword passed on": "def g(a): pass\ndef h(**k): g(**k)\nh(a=1)\n",
    "mapping of keywords": "def g(a): return a\nO = {'a': 1}\ng(**O)\n",
    "mapping at a launch": ("import triton\n@triton.jit\ndef k(B): pass\ndef f(o): k[(1,)](**o)\n"),
    "computed subscript": (
        "import triton\n@triton.jit\ndef k(B): pass\nk[lambda m: (m['B' + ''],)](B=1)\n"
    ),
    "computed key": "import triton\nx = triton.Config({f'B_{1}': 1})\n",
    "pruning": (
        "import triton\n@triton.autotune([], key=[], prune_configs_by={})\n@triton.jit\ndef k(B): pass\n"
    ),
    "decorator that reads names": (
        "import torch\n@torch.library.custom_op('a::b', mutates_args=('x',))\ndef f(x): pass\n"
    ),
    "argnames computed": (
        "import pytest\nN = 'a'\n@pytest.mark.parametrize(N, [1])\ndef test_f(a): pass\n"
    ),
    "alias of a library bound again": "import triton\ntriton = None\n",
    "alias of a library as a local": "import triton\ndef f(triton): return triton.Config({})\n",
    "kept name like a canonical one": "x = g0\n",
    "kept string like a canonical one": (
        "import triton\n@triton.autotune([], key=['v0'])\n@triton.jit\ndef k(n): pass\n"
    ),
    "private name of a class": "class A:\n    def f(self): return self.__x\n",
    "class body that shadows": "x = 1\nclass A:\n    x = x\n",
    "only some kernels have it": (
        "import triton\n@triton.jit\ndef k(B): pass\n@triton.jit\ndef l(C): pass\n"
        "def f():\n    g = lambda m: (m['B'],)\n    k[g](B=1)\n    l[g](C=1)\n"
    ),
    "function that another scope binds again": (
        "def f(h):\n    def g(a): pass\n    def s():\n        nonlocal g\n        g = h\n"
        "    s()\n    g(a=1)\n"
    ),
    "quotes in a replacement field": "def f(d): return f'''{d['\"\"\"']}'''\n",
    "walrus in a message": "def f(a):\n    assert a, (b := 1)\n",
    "deep nesting": "x = " + "-" * 5000 + "1\n",
}


@pytest.mark.parametrize("case", REFUSED)
def test_what_is_not_understood_is_refused(case: str) -> None:
    with pytest.raises(VerificationError) as caught:
        canonical_source(REFUSED[case])
    assert "source" in caught.value.place


# --- pairs


@dataclass(frozen=True)
class Sources:
    python_code: str
    triton_code: str
    test_code: str
    metadata: dict[str, Any] = field(default_factory=dict)


def pair(names: dict[str, str] | None = None, **parts: str) -> Sources:
    texts = {
        "python_code": "import torch\ndef $ref($x, $n=1):\n    return torch.exp($x) * $n\n",
        "triton_code": (
            "import torch\nimport triton\n@triton.jit\ndef $kernel($p): pass\n"
            "def $wrap($x):\n    $kernel[(1,)]($x)\n    return $x\n"
        ),
        "test_code": (
            "import torch\ndef test_$it():\n    $x = torch.ones(3)\n"
            "    assert ($ref($x, $n=1) == $wrap($x)).all()\n"
        ),
    }
    sources = {part: render(text, names) for part, text in {**texts, **parts}.items()}
    names = names or {}
    entry = {role: names.get(role, role) for role in ("ref", "wrap", "module")}
    return Sources(**sources, metadata={"entry": entry})


RENAMED = {"ref": "torch_exp", "wrap": "triton_exp", "kernel": "exp_kernel", "n": "times", "x": "t"}
RENAMED["module"] = "NotInThisForm"


def test_renamed_pair_is_the_same_program() -> None:
    assert same_program(pair(), pair(RENAMED)) is None


def test_pair_reads_as_its_joined_sources() -> None:
    sources = pair()
    joined = sources.python_code + sources.triton_code + sources.test_code
    assert canonical_pair(sources).text == canonical_source(joined)


@pytest.mark.parametrize(
    ("part", "text"),
    [
        ("python_code", "import torch\ndef $ref($x, $n=1):\n    return torch.exp2($x) * $n\n"),
        ("triton_code", "import torch\nimport triton\ndef $wrap($x): return $x\n"),
        ("test_code", "import torch\ndef test_$it(): pass\n"),
        ("test_code", "def test_$it(:\n"),
    ],
)
def test_reason_names_the_source(part: str, text: str) -> None:
    reason = same_program(pair(), pair(RENAMED, **{part: text}))
    assert reason is not None
    assert reason.startswith(part)
    assert "\n" not in reason


def test_refusal_names_the_source() -> None:
    reason = same_program(pair(), pair(triton_code="from torch import *\n"))
    assert reason is not None
    assert reason.startswith("triton_code, line 1: a star import")


def test_statement_in_another_source_is_a_difference() -> None:
    a = pair()
    first, rest = a.triton_code.split("\n", 1)
    moved = Sources(f"{a.python_code}{first}\n", rest, a.test_code, a.metadata)
    assert canonical_pair(moved).text == canonical_pair(a).text
    assert same_program(a, moved) is not None


def test_test_must_call_the_renamed_functions() -> None:
    broken = pair(RENAMED, test_code=pair().test_code)
    assert same_program(pair(), broken) is not None


def test_string_that_is_a_parameter_is_a_difference() -> None:
    text = "import torch\ndef $ref($x, $n=1): return torch.sum($x, 'times')\n"
    reason = same_program(pair(python_code=text), pair(RENAMED, python_code=text))
    assert reason is not None
    assert reason.startswith("names")


def test_entry_points_must_agree() -> None:
    a, b = pair(), pair(RENAMED)
    b.metadata["entry"].update(wrap="torch_exp")
    reason = same_program(a, b)
    assert reason is not None
    assert reason.startswith("metadata")


def test_hashes_follow_the_normal_form() -> None:
    a, b = render(ADD), render(ADD, {"kernel": "add_kernel", "BLOCK": "BLOCK_SIZE"})
    assert canonical_hash(a) == canonical_hash(b)
    assert kernel_key(a) == kernel_key(b)
    assert canonical_hash(a) != canonical_hash(render(SOFTMAX))
    assert re.fullmatch("[0-9a-f]{32}", canonical_hash(a))
