"""The static allow-list: right code passes, every known way out is named with its line."""

from __future__ import annotations

import importlib
from types import ModuleType

import pytest

from tritongen.verify.foreign import policy
from tritongen.verify.foreign.allow import findings, message, refusals
from tritongen.verify.foreign.form import Source, read_parts

SUPPLIED = (
    *("import torch", "import torch.nn.functional as F", "import triton", "import typing"),
    *("import triton.language as tl", "import operator"),
)
RIGHT = """
from __future__ import annotations
import torch, triton
import triton.language as tl
from triton.language.extra import libdevice
from triton.tools.tensor_descriptor import TensorDescriptor
from typing import Optional
from dataclasses import dataclass
import collections.abc
import math

try:
    from triton.language.extra.cuda import libdevice as device_math
except ImportError:
    device_math = libdevice
DEVICE = triton.runtime.driver.active.get_active_torch_device()
PROPERTIES = triton.runtime.driver.active.utils.get_device_properties(0)
tl_math = tl.math
exp = getattr(tl, "exp")
choose = torch.select
HAS_TMA = hasattr(tl, "make_tensor_descriptor")
_KEPT = {}


@dataclass
class Sizes:
    block: int = 64

    def __post_init__(self):
        self._half = self.block // 2


def configurations():
    return [triton.Config({"B": 64}, num_warps=w) for w in (2, 4) if w > math.pi]


@triton.autotune(configs=configurations(), key=["n"])
@triton.heuristics({"EVEN": lambda args: args["n"] % args["B"] == 0})
@triton.jit
def kernel(x, n, F, B: tl.constexpr, EVEN: tl.constexpr):
    o = tl.program_id(0) * B + tl.arange(0, B)
    y = tl.load(x + o, mask=o < n).to(tl.float32)
    tl.store(x + o, tl.math.exp(libdevice.tanh(y)) * F, mask=o < n)


class Apply(torch.autograd.Function):
    @staticmethod
    def forward(ctx, x, input=None):
        ctx.shape = x.shape
        assert x.is_cuda and not input, f"{x.device} {__name__}"
        out = torch.empty_like(x, dtype=torch.float32)
        with torch.cuda.device(x.device), torch.no_grad():
            kernel[lambda meta: (triton.cdiv(x.numel(), meta["B"]),)](x, x.numel(), 3.0)
        torch.cuda.synchronize()
        return out.select(0, 1).t().contiguous().data_ptr() % 16


@torch.no_grad()
def wrapper(x, compile=False, *, vars: Optional[torch.Tensor] = None):
    F = len(x) * 2
    kernel.warmup(x, grid=(1,))._init_handles()
    return [compile for compile in (1, 2)], F, vars, Apply.apply(x), torch.finfo(x.dtype).max
"""


def said(text: str, strict: bool = True) -> str:
    return message(refusals(Source(text, SUPPLIED, 10), "TRITON", strict))


def test_ordinary_wrappers_and_kernels_pass():
    assert said(RIGHT) == ""


@pytest.mark.parametrize(
    "text",
    [
        *("import os", "import ctypes", "import numpy as np", "import threading", "import time"),
        *("import torch._C", "from torch import _C", "import torch as t\nt._C", "m = torch\nm._C"),
        *("import torch.multiprocessing as mp", "from torch.utils import cpp_extension"),
        *("from torch import ops", "from torch import library as l", "import gc, sys", "F.torch"),
        *("m = torch\nm.ops", "torch.os", "torch.sys", "F.importlib", "torch.classes", "torch.hub"),
        *(
            'getattr(torch, "ops")',
            'getattr(torch, "o" + "ps")',
            "f = getattr",
            "setattr(f, 'a', 1)",
        ),
        *(
            "import functools\nfunctools.partial(getattr, 1)",
            "hasattr(torch, *x)",
            "delattr(f, 'a')",
        ),
        *("[torch][0].ops", "(lambda t: t.ops)(torch)", "def f(t=torch): t.ops", "g(torch)"),
        *("class A:\n  m = torch", "class A:\n  import torch\nA.torch.ops", "(m := torch).ops"),
        *("self.m = torch", "x[0] = torch", "def f():\n  return torch", "(torch if 1 else tl).ops"),
        *("def g():\n  global m\n  m = torch\ndef h(): m.ops", "for t in (torch,): t.ops"),
        *("def g():\n  global m\n  import torch as m\ndef h(): m.ops", "[t.ops for t in (torch,)]"),
        *(
            "def f():\n  m = None\n  def g():\n    nonlocal m\n    m = torch",
            "with torch as t: t.ops",
        ),
        *("x.numpy()", "x.untyped_storage()", "x.share_memory_()", "x.set_(y)", "x.tofile('a')"),
        *("torch.sum = 1", "T = torch.Tensor\nT.add = 1", "import torch as t\nt.Tensor.sum = None"),
        *("type(x).foo = 1", "tl.load = 3", "del torch.sum", "torch.backends.x.allow_tf32 = True"),
        *("torch.foo[1] = 2", "triton.jit += 1", "@triton.jit\ndef k(): pass\nk.run = 1"),
        *(
            "open('x')",
            "def f():\n  open = 1\nopen('x')",
            "class A:\n  if 0: open = 1\n  open('x')",
        ),
        *("eval('1')", "exec('1')", "compile('1', '', 'eval')", "globals()", "vars()", "locals()"),
        *("__import__('os')", "__builtins__", "__loader__", "__name__ = '__main__'", "dir(x)"),
        *("x.__class__", "().__class__.__bases__", "f.__globals__", "f.__code__", "x.__dict__"),
        *("e.__traceback__.tb_frame", "g.gi_frame.f_back", "x._base", "x._cdata", "torch.foo._x"),
        *("match x:\n  case object(__class__=c): pass", "match torch:\n  case object(ops=o): pass"),
        *("torch.cuda.Stream()", "torch.cuda.stream(s)", "torch.cuda.CUDAGraph()"),
        *(
            "torch.cuda.current_stream()",
            "torch.cuda.graphs",
            "torch.compile(f)",
            "torch.jit.script",
        ),
        *("torch.library", "torch.utils.cpp_extension", "torch.load('x')", "torch.save(x, 'x')"),
        *(
            "torch.from_numpy(x)",
            "torch.set_default_dtype(x)",
            "torch.overrides",
            "torch.Generator()",
        ),
        *("from typing import sys", "typing.sys", "import dataclasses\ndataclasses.sys"),
        *("operator.attrgetter('a')", "from operator import methodcaller", "import enum\nenum.sys"),
        *(
            "triton.compile(x)",
            "triton.knobs.a",
            "triton.runtime.driver.set_active(1)",
            "tl.core.os",
        ),
        *("import triton.runtime.jit", "triton.backends", "triton.runtime.cache", "tl.semantic"),
        *("from math import *", "from . import x", "class M(metaclass=type): pass"),
        *("class T:\n  def __torch_function__(self): pass", "class T:\n  def __del__(self): pass"),
        *(
            "try:\n  import os\nexcept Exception: pass",
            "x = " + "(" * 150 + "1" + ")" * 150 + ".numpy",
        ),
    ],
)
def test_a_way_out_is_refused(text):
    assert said(text).startswith("TRITON line 1")


def test_every_finding_has_its_line_and_the_list_ends():
    text = "import os\nx = 1\nimport sys\n" + "import gc\n" * 20
    found = said(text)
    assert found.startswith("TRITON line 11: import of os; TRITON line 13: import of sys; ")
    assert found.endswith("and 10 more")


@pytest.mark.parametrize("module", sorted(policy.LIBRARIES | policy.STANDARD))
def test_no_module_is_reached_that_is_not_on_the_list(module):
    """Modules keep the modules that they import as attributes: none of them may be a way out."""
    try:
        loaded = importlib.import_module(module)
    except ImportError:
        pytest.skip("not here")
    allowed = policy.LIBRARIES | policy.STANDARD
    reached = {
        f"{module}.{name}"
        for name, value in vars(loaded).items()
        if isinstance(value, ModuleType) and value.__name__ not in allowed
        if policy.refusal(f"{module}.{name}") == ""
    }
    assert reached <= {"torch.nn.functional.grad"}


def test_a_reference_may_do_more_but_not_everything():
    assert said("import numpy as np\nimport random, copy\nx = [torch]\ny = x.numpy()", False) == ""
    assert said("torch.ops.aten.add\nclass A:\n  import torch\nx._base", False) == ""
    for text in ("import os", "import subprocess", "open('x')", "eval('1')", "f.__globals__"):
        assert said(text, False).startswith("TRITON line 11")
    for text in ("torch._C", "import torch._C", "from torch import _C", "torch.sum = 1"):
        assert said(text, False).startswith("TRITON line 11")


def test_all_blocks_are_read_and_inputs_given_as_values_are_none():
    python, triton = "def f(x):\n    return open\n", "def f(x):\n    return eval\n"
    form = read_parts(python, triton, "import os\ndef get_test_inputs(): pass\n")
    assert [item.block for item in findings(form)] == ["PYTHON", "TRITON", "TEST"]
    assert len(findings(read_parts(python, triton, None))) == 2


def test_code_that_is_nested_too_deeply_is_refused_and_not_a_crash():
    deep = "x = " + ".a".join(["y"] * 1) + ".a" * 3000
    assert "nested too deeply" in said(deep) or said(deep) == ""
    assert (
        said("if 1:\n" + "".join(" " * n + "if 1:\n" for n in range(1, 99)) + " " * 99 + "y") == ""
    )
