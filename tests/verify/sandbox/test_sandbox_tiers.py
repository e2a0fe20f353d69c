"""Tiers: which there are, that one is never quietly replaced by a lower one, and what each does."""

from __future__ import annotations

import os
import subprocess
import sys
from collections.abc import Callable

import pytest
from sandbox_tools import outcome, run

from tritongen.errors import TritongenError
from tritongen.verify.sandbox import (
    TIERS,
    IsolationError,
    Zygote,
    available_parts,
    available_tiers,
    best_tier,
    choose,
    landlock,
    tiers,
)

LOADED = [name for name in available_tiers() if name != "process"]


def with_parts(monkeypatch: pytest.MonkeyPatch, *parts: str) -> None:
    monkeypatch.setattr(tiers, "_available_parts", lambda _pid: tiers.BASIC | set(parts))


def test_the_best_tier_is_the_first_that_is_available() -> None:
    assert best_tier() == available_tiers()[0] == choose()[0]
    assert "process" in available_tiers()


@pytest.mark.parametrize(
    ("parts", "best"),
    [
        (("landlock", "namespaces", "seccomp", "bubblewrap"), "landlock+namespaces+seccomp"),
        (("namespaces", "seccomp", "bubblewrap"), "bubblewrap"),
        (("namespaces", "seccomp"), "namespaces"),
        (("landlock", "seccomp"), "landlock+seccomp"),
        (("landlock",), "process"),
        (("seccomp",), "process"),
        ((), "process"),
    ],
)
def test_a_kernel_that_lacks_parts_has_a_lower_tier_and_says_so(
    monkeypatch: pytest.MonkeyPatch, parts: tuple[str, ...], best: str
) -> None:
    with_parts(monkeypatch, *parts)
    assert best_tier() == best


@pytest.mark.parametrize("tier", [name for name in TIERS if name != "process"])
def test_a_tier_that_is_not_there_is_an_error_and_not_a_lower_one(
    monkeypatch: pytest.MonkeyPatch, tier: str
) -> None:
    with_parts(monkeypatch)
    with pytest.raises(IsolationError, match="lacks") as caught:
        Zygote("interpret", tier=tier)
    assert "available here: process" in str(caught.value)
    assert isinstance(caught.value, TritongenError)


def test_a_required_part_that_is_not_there_is_an_error(monkeypatch: pytest.MonkeyPatch) -> None:
    with_parts(monkeypatch, "landlock", "seccomp")
    assert choose("auto", ["landlock"])[0] == "landlock+seccomp"
    with pytest.raises(IsolationError, match="namespaces"):
        choose("auto", ["namespaces"])


def test_an_unknown_tier_names_the_known_ones() -> None:
    with pytest.raises(IsolationError, match="did you mean 'bubblewrap'"):
        choose("bublewrap")


def test_a_sandbox_that_came_out_with_less_is_not_used(monkeypatch: pytest.MonkeyPatch) -> None:
    with Zygote("interpret", tier="process") as zygote:
        zygote.wait()
        zygote.required |= {"landlock"}
        with pytest.raises(IsolationError, match="without landlock"):
            zygote.sandbox()


@pytest.mark.parametrize("tier", available_tiers())
def test_the_tier_in_use_is_reported(zygotes: Callable[..., Zygote], tier: str) -> None:
    with zygotes("interpret", tier).sandbox() as sandbox:
        record = sandbox.isolation.record()
    assert record["tier"] == tier
    assert TIERS[tier] <= set(record["parts"])
    assert record["user"] in ("nobody", "same")
    assert ("landlock" in record) == ("landlock" in record["parts"])
    if "landlock" in record:
        assert record["landlock"] == landlock.abi()


@pytest.mark.parametrize("tier", LOADED)
def test_every_tier_but_the_last_keeps_files_network_and_processes_away(
    zygotes: Callable[..., Zygote], tier: str
) -> None:
    zygote = zygotes("interpret", tier)
    for source in (
        "open('/etc/passwd')",
        f"open({__file__!r})",
        f"open({os.path.dirname(__file__)!r} + '/x', 'w')",
        "import socket; socket.socket()",
        f"import os; os.kill({os.getpid()}, 0)",
        "import os; os.fork()",
    ):
        assert not isinstance(outcome(zygote, source), (int, str, type(None))), source


@pytest.mark.parametrize("tier", available_tiers())
def test_every_tier_runs_programs_where_they_are_needed(
    zygotes: Callable[..., Zygote], tier: str
) -> None:
    source = """
import subprocess, sys
result = subprocess.run([sys.executable, "-c", "print(6 * 7)"], capture_output=True, text=True).stdout
"""
    with zygotes("compile", tier).sandbox() as sandbox:
        assert run(sandbox, source) == "42\n"


@pytest.mark.parametrize("tier", available_tiers())
def test_every_tier_has_a_folder_for_itself(zygotes: Callable[..., Zygote], tier: str) -> None:
    write = "import os; open('mine', 'w').write('x'); result = os.getcwd()"
    zygote = zygotes("interpret", tier)
    with zygote.sandbox() as first, zygote.sandbox() as second:
        folder = run(first, write)
        assert run(second, "import os; result = os.listdir('.')") == []
        if tier == "process":
            return
        found = outcome(zygote, f"result = open({folder!r} + '/mine').read()")
        assert found != "x"


def test_importing_the_package_loads_neither_torch_nor_triton() -> None:
    source = (
        "import sys, tritongen.verify.sandbox as s; s.available_parts(); "
        "print([name for name in ('torch', 'triton', 'numpy') if name in sys.modules])"
    )
    done = subprocess.run([sys.executable, "-c", source], capture_output=True, text=True)
    assert done.stdout.strip() == "[]"
    assert available_parts()
