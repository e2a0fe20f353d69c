"""Every code block and command of the documentation is run as a reader would."""

from __future__ import annotations

import re
import shutil
import subprocess
import sys
from pathlib import Path

import pytest

ROOT = Path(__file__).parent.parent
PAGES = [ROOT / "README.md", ROOT / "CONTRIBUTING.md", *sorted((ROOT / "docs").glob("*.md"))]
_BLOCK = re.compile(r"^```([^\n]*)\n(.*?)^```$", re.DOTALL | re.MULTILINE)
SHOWN = ("", "text", "toml-fragment")


def blocks(page: Path) -> list[tuple[str, str]]:
    return [(match[1].strip(), match[2]) for match in _BLOCK.finditer(page.read_text())]


def run_python(source: str, folder: Path) -> None:
    result = subprocess.run(
        [sys.executable, "-c", source], cwd=folder, capture_output=True, text=True
    )
    assert result.returncode == 0, f"{source}\n{result.stderr[-2000:]}"


def run_shell(command: str, folder: Path) -> None:
    """Run one command; `make` targets that would run this very test are only resolved."""
    command = re.sub(r"^make (?=demo|test|lint|bench)", f"make -n -C {ROOT} ", command)
    command = re.sub(r"^(python3?|pytest) ", f"{sys.executable} " + r"\1 ", command)
    command = command.replace(f"{sys.executable} python3 ", f"{sys.executable} ")
    command = command.replace(f"{sys.executable} python ", f"{sys.executable} ")
    command = re.sub(r"^tritongen ", f"{sys.executable} -m tritongen.cli ", command)
    result = subprocess.run(["bash", "-c", command], cwd=folder, capture_output=True, text=True)
    assert result.returncode == 0, f"{command}\n{result.stdout[-1000:]}\n{result.stderr[-2000:]}"


@pytest.mark.timeout(600)
@pytest.mark.parametrize("page", PAGES, ids=lambda page: page.name)
def test_every_block_of_a_page_runs(page, tmp_path):
    shutil.copytree(ROOT / "examples", tmp_path / "examples")
    python = ""
    for info, body in blocks(page):
        kind, _, rest = info.partition(" ")
        if kind in SHOWN:
            continue
        file = re.search(r"file=(\S+)", rest)
        if file:
            path = tmp_path / file[1]
            path.parent.mkdir(parents=True, exist_ok=True)
            path.write_text(body)
        elif kind == "sh":
            lines = [
                line for line in body.splitlines() if line.strip() and not line.startswith("#")
            ]
            for line in lines:
                run_shell(line.split("   #")[0], tmp_path)
        elif kind == "python" and "rendered" in rest:
            compile(body, str(page), "exec")
        elif kind == "python":
            python += body
            run_python(python, tmp_path)
        else:
            pytest.fail(f"{page.name}: a block of kind {info!r} is not run by this test")


def test_the_table_of_the_readme_is_what_list_prints():
    import tritongen

    text = (ROOT / "README.md").read_text()
    for family, strategies in tritongen.families().items():
        space = tritongen.space(family)
        row = next(line for line in text.splitlines() if line.startswith(f"| {family} |"))
        numbers = f"| {space.computations:,} | {space.programs:,} | {space.count:,} |"
        assert row.endswith(numbers), (row, numbers)
        assert all(strategy in row for strategy in strategies)


def test_the_pair_of_the_readme_is_rendered():
    import tritongen

    where = {
        "op": "softmax", "variant": "plain", "pre": "identity", "dim": "last", "layout": "contiguous",
        "exp_form": "exp", "accumulate": "scalar", "torch_form": "steps", "alloc": "empty_like",
        "loop": "range", "BLOCK_SIZE": 512, "num_warps": 4, "style": "tutorial", "docstring": "brief",
        "comments": True,
    }  # fmt: skip
    pair = next(tritongen.expand("softmax", strategy="online", where=where, limit=1))
    shown = [body for info, body in blocks(ROOT / "README.md") if info == "python rendered"]
    assert shown == [pair.python_code, pair.triton_code]
