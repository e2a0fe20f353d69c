"""Calls of a sandbox that behaves: answers, exceptions, state, deadlines."""

from __future__ import annotations

import threading
import time
from pathlib import Path

import pytest
import torch
from sandbox_tools import HANDLERS, outcome, run

from tritongen.verify.sandbox import (
    IsolationError,
    Limits,
    SandboxError,
    WireError,
    Zygote,
    available_tiers,
)


def test_tensors_make_the_round_trip(guarded: Zygote) -> None:
    message = {"x": torch.randn(300, 400).t(), "y": [torch.arange(5), None], "z": (1, "a")}
    with guarded.sandbox() as sandbox:
        answer = sandbox.call("echo", message, 10.0)
    assert torch.equal(answer["x"], message["x"])
    assert answer["x"].stride() == message["x"].stride()
    assert torch.equal(answer["y"][0], message["y"][0])
    assert answer["z"] == (1, "a")


def test_state_lives_as_long_as_the_sandbox_and_no_longer(guarded: Zygote) -> None:
    source = "import builtins; builtins.count = result = getattr(builtins, 'count', 0) + 1"
    with guarded.sandbox() as sandbox:
        assert [run(sandbox, source) for _ in range(3)] == [1, 2, 3]
    assert outcome(guarded, source) == 1


def test_an_exception_of_a_handler_leaves_the_sandbox_usable(guarded: Zygote) -> None:
    with guarded.sandbox() as sandbox:
        with pytest.raises(SandboxError) as caught:
            run(sandbox, "raise KeyError('lost')")
        assert caught.value.kind == "raised"
        assert caught.value.detail["type"] == "KeyError"
        assert "lost" in caught.value.detail["trace"]
        assert run(sandbox, "result = 7") == 7


@pytest.mark.parametrize(
    "source",
    [
        "import sys; sys.exit(3)",
        "raise KeyboardInterrupt",
        "raise OSError(9, 'bad')",
        "class E(Exception):\n def __str__(self): raise RuntimeError\nraise E",
        "result = object()",
        "f = lambda: f()\nf()",
    ],
)
def test_any_exception_is_an_answer(guarded: Zygote, source: str) -> None:
    error = outcome(guarded, source)
    assert isinstance(error, SandboxError)
    assert error.kind == "raised"


def test_an_unknown_operation_names_the_known_ones(guarded: Zygote) -> None:
    with guarded.sandbox() as sandbox, pytest.raises(SandboxError, match="echo, pid, run"):
        sandbox.call("nothing", {}, 5.0)


def test_what_cannot_be_sent_is_refused_and_changes_nothing(guarded: Zygote) -> None:
    with guarded.sandbox() as sandbox:
        with pytest.raises(WireError):
            sandbox.call("echo", {"x": object()}, 5.0)
        assert sandbox.call("echo", {"x": 1}, 5.0) == {"x": 1}


def test_a_call_after_the_end_says_why_it_ended(guarded: Zygote) -> None:
    with guarded.sandbox() as sandbox:
        with pytest.raises(SandboxError):
            run(sandbox, "import os; os._exit(5)")
        with pytest.raises(SandboxError, match="exit code 5") as caught:
            run(sandbox, "result = 1")
        assert caught.value.kind == "closed"
        assert not sandbox.alive


def test_what_is_printed_comes_with_the_error(guarded: Zygote) -> None:
    error = outcome(guarded, "import os\nprint('hello', flush=True)\nos._exit(0)")
    assert "hello" in error.output


def test_the_deadline_is_held(guarded: Zygote) -> None:
    began = time.monotonic()
    error = outcome(guarded, "while True: pass", 1.0)
    assert error.kind == "timeout"
    assert 0.9 < time.monotonic() - began < 4.0


def test_kernels_run_in_it(guarded: Zygote) -> None:
    source = '''
import importlib.util, os, torch
text = """
import torch, triton, triton.language as tl
@triton.jit
def double(x, y, n, B: tl.constexpr):
    i = tl.program_id(0) * B + tl.arange(0, B)
    tl.store(y + i, tl.load(x + i, mask=i < n) * 2, mask=i < n)
def f(x):
    y = torch.empty_like(x)
    double[(triton.cdiv(x.numel(), 64),)](x, y, x.numel(), B=64)
    return y
"""
open("m.py", "w").write(text)
spec = importlib.util.spec_from_file_location("m", os.path.abspath("m.py"))
module = importlib.util.module_from_spec(spec)
spec.loader.exec_module(module)
from tritongen.verify import redirect
with redirect.redirected():
    result = module.f(message["x"])
'''
    x = torch.randn(1000)
    with guarded.sandbox() as sandbox:
        assert torch.equal(run(sandbox, source, x=x), x * 2)


@pytest.mark.gpu
@pytest.mark.parametrize("tier", available_tiers())
def test_kernels_run_on_a_gpu_in_two_sandboxes_at_once(tier: str) -> None:
    source = '''
import importlib.util, os, torch
text = """
import torch, triton, triton.language as tl
@triton.jit
def double(x, y, n, B: tl.constexpr):
    i = tl.program_id(0) * B + tl.arange(0, B)
    tl.store(y + i, tl.load(x + i, mask=i < n) * 2, mask=i < n)
"""
open("m.py", "w").write(text)
spec = importlib.util.spec_from_file_location("m", os.path.abspath("m.py"))
module = importlib.util.module_from_spec(spec)
spec.loader.exec_module(module)
x = message["x"].cuda()
y = torch.empty_like(x)
module.double[(16,)](x, y, x.numel(), B=64)
torch.cuda.synchronize()
result = y
'''
    x = torch.randn(1000)
    with (
        Zygote("cuda", HANDLERS, tier=tier) as zygote,
        zygote.sandbox() as first,
        zygote.sandbox() as second,
    ):
        for sandbox in (first, second):
            assert torch.equal(run(sandbox, source, 120.0, x=x), x * 2)


def test_kernels_are_compiled_in_it(compiling: Zygote) -> None:
    source = """
import triton
from triton.backends.compiler import GPUTarget
from triton.compiler import ASTSource
from tritongen.verify.sandbox import warmup
names = {"source": "*fp16", "target": "*fp16", "size": "i32", "BLOCK": "constexpr"}
kernel = triton.compile(ASTSource(warmup._copy, names, {(3,): 256}, {}), target=GPUTarget("cuda", 80, 32))
result = len(kernel.asm["cubin"])
"""
    assert outcome(compiling, source, 60.0) > 500


def test_sandboxes_live_side_by_side(guarded: Zygote) -> None:
    sandboxes = [guarded.sandbox() for _ in range(4)]
    try:
        answers: list[object] = [None] * 4

        def ask(number: int) -> None:
            answers[number] = run(sandboxes[number], f"result = {number} * 10")

        threads = [threading.Thread(target=ask, args=(number,)) for number in range(4)]
        for thread in threads:
            thread.start()
        for thread in threads:
            thread.join()
        assert answers == [0, 10, 20, 30]
    finally:
        for sandbox in sandboxes:
            sandbox.close()


def test_a_zygote_outlives_the_thread_that_started_it() -> None:
    zygote = Zygote("interpret", HANDLERS)
    try:
        thread = threading.Thread(target=zygote.wait)
        thread.start()
        thread.join()
        pid = zygote.pid
        time.sleep(0.3)
        assert outcome(zygote, "result = 1") == 1
        assert zygote.pid == pid
    finally:
        zygote.close()


def test_handlers_that_do_not_load_are_an_isolation_error(tmp_path: Path) -> None:
    file = tmp_path / "broken.py"
    file.write_text("raise RuntimeError('not today')")
    with Zygote("interpret", str(file)) as zygote, pytest.raises(IsolationError, match="not today"):
        zygote.wait()


def test_limits_can_be_set_for_one_sandbox(guarded: Zygote) -> None:
    source = "import resource; result = resource.getrlimit(resource.RLIMIT_CPU)[0]"
    assert outcome(guarded, source, limits=Limits(cpu=77)) == 77


@pytest.mark.slow
def test_it_is_fast(guarded: Zygote) -> None:
    guarded.wait()
    create, call, carry = [], [], []
    for _ in range(5):
        with guarded.sandbox() as sandbox:
            create.append(sandbox.create_seconds)
            x = torch.randn(512, 512)
            for message, seconds in [({}, call), ({"x": x}, carry)] * 20:
                began = time.perf_counter()
                sandbox.call("echo", message, 10.0)
                seconds.append(time.perf_counter() - began)
    assert min(create) < 0.1
    assert min(call) < 0.002
    assert min(carry) < 0.005
