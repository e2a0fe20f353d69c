"""Programs whose own identifiers are written `$name`, wherever they stand, and a judge of programs.

A renaming of a sample is a text substitution that knows nothing of scopes; whether two programs are
equal is read off their byte code, up to one bijection per code object.
"""

from __future__ import annotations

import builtins
import dis
import keyword
import re
import sys
from types import CodeType

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
