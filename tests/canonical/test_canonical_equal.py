"""The normal form is equal for every consistent renaming of a program."""

from __future__ import annotations

import pytest
from canonical_samples import FORBIDDEN, SAMPLES, equivalent, names_of, render
from hypothesis import given, settings
from hypothesis import strategies as st

from tritongen.canonical import canonical_source, explain_difference


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
