"""The normal form differs where programs differ in more than names, layout and comments."""

from __future__ import annotations

import io
import re
import tokenize

import pytest
from canonical_samples import (
    ADD,
    JUDGE,
    LAYERNORM,
    MATMUL,
    SAMPLES,
    SOFTMAX,
    equivalent,
    names_of,
    render,
)
from hypothesis import assume, given, settings
from hypothesis import strategies as st

from tritongen.canonical import canonical_source, explain_difference
from tritongen.errors import VerificationError


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
