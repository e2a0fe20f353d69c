"""What the normal form does not understand is refused with the place."""

from __future__ import annotations

import pytest

from tritongen.canonical import canonical_source
from tritongen.errors import VerificationError

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
