"""The command line: what it prints, where, and with which exit code."""

from __future__ import annotations

import json
import subprocess
import sys
from importlib import import_module
from pathlib import Path
from typing import TYPE_CHECKING

import pytest

from tritongen import Pair
from tritongen.catalog import catalog

if TYPE_CHECKING:
    from click.testing import Result

RIGHT = """# <PYTHON>
def twice(x):
    return torch.mul(x, 2)
# </PYTHON>
# <TRITON>
@triton.jit
def kernel(x_ptr, out_ptr, n, BLOCK: tl.constexpr):
    offsets = tl.program_id(0) * BLOCK + tl.arange(0, BLOCK)
    mask = offsets < n
    tl.store(out_ptr + offsets, tl.load(x_ptr + offsets, mask=mask) * 2, mask=mask)


def wrapper(x):
    out = torch.empty_like(x)
    kernel[(triton.cdiv(x.numel(), 64),)](x, out, x.numel(), BLOCK=64)
    return out
# </TRITON>
# <TEST>
def get_test_inputs():
    return (torch.randn(200, device="cuda"),)
# </TEST>
"""


def run(*args: object) -> Result:
    from click.testing import CliRunner

    from tritongen.cli import main

    return CliRunner().invoke(main, [str(arg) for arg in args])


def done(*args: object) -> Result:
    """A run that is expected to succeed."""
    result = run(*args)
    assert result.exit_code == 0, result.output
    return result


def refused(*args: object) -> str:
    """The one line that a run with bad input says, without `error: `."""
    result = run(*args)
    assert result.exit_code == 2, result.output
    assert isinstance(result.exception, SystemExit), result.exception
    assert result.stdout == ""
    (line,) = result.stderr.splitlines()
    assert line.startswith("error: ")
    return line.removeprefix("error: ")


def process(*args: object) -> subprocess.CompletedProcess[str]:
    command = [sys.executable, "-m", "tritongen.cli", *map(str, args)]
    return subprocess.run(command, capture_output=True, text=True, timeout=120)


def contents(folder: Path) -> dict[str, bytes]:
    return {str(p.relative_to(folder)): p.read_bytes() for p in folder.rglob("*") if p.is_file()}


# -- what there is -----------------------------------------------------------------------------------


@pytest.fixture
def tiny_only(make_family, monkeypatch):
    """A folder whose catalogue has no built-in family: they take seconds to count."""
    import tritongen.catalog

    root = make_family()
    builtin = tritongen.catalog.builtin_root()
    bare = root.parent / "bare"
    bare.mkdir()
    for name in ("ops", "styles", "pytest"):
        (bare / name).symlink_to(builtin / name)
    (bare / "triton").mkdir()
    (bare / "triton/_lib").symlink_to(builtin / "triton/_lib")
    monkeypatch.setattr(tritongen.catalog, "builtin_root", lambda: bare)
    return root


def test_list_prints_three_numbers_for_each_family_and_their_sum(tiny_only):
    rows = done("list", "--templates", tiny_only).stdout.splitlines()
    for name in ("tiny", "all"):
        row = next(row for row in rows if name in row)
        cells = [cell.strip() for cell in row.strip("│┃").split("│")]
        assert cells[2:] == ["3", "48", "384"]


def test_list_shows_the_sound_families_and_reports_the_others(tiny_only, make_family):
    make_family("wrong", edit_contract=lambda text: text.replace("title =", "titel ="))
    make_family("empty", strategy='[where]\n"none" = "factor > 9"')
    result = run("list", "--templates", tiny_only)
    assert result.exit_code == 2
    assert "tiny" in result.stdout
    lines = result.stderr.splitlines()
    assert len(lines) == 2
    assert all(line.startswith("error: ") for line in lines)
    assert "'titel'" in lines[0]
    assert "empty/flat: the rules and filters leave nothing" in lines[1]


def test_show_prints_axes_values_and_what_rules_drop(make_family):
    root = make_family(strategy='[where]\n"warps have work" = "BLOCK_SIZE >= 64 * num_warps"')
    text = done("show", "tiny", "--templates", root).stdout
    assert "flat: flat; 3 computations" in text
    for word in ("factor", "2, 3, 5", "float32|float16", "BLOCK_SIZE", "64, 128, 256"):
        assert word in text
    assert "drops" in text
    assert "warps have work" in text


def test_show_takes_one_strategy():
    text = done("show", "elementwise", "--strategy", "flat").stdout
    assert "flat: flat masked 1-D" in text
    assert "grid_stride" not in text


def test_show_keeps_square_brackets(make_family):
    root = make_family(title="a [bold] claim")
    assert "a [bold] claim" in done("show", "tiny", "--templates", root).stdout


# -- expand ------------------------------------------------------------------------------------------


def test_expand_writes_a_module_for_each_pair(make_family, tmp_path):
    out = tmp_path / "out"
    result = done(
        *("expand", "--templates", make_family(), "--family", "tiny", "--limit", 5, "--out", out)
    )
    files = sorted((out / "tiny").iterdir())
    assert len(files) == 5
    for path in files:
        compile(path.read_text(), path.name, "exec")
        assert "\ndef test_" in path.read_text()
    assert result.stdout == ""
    assert result.stderr == f"5 pairs in {out}\n"


def test_expand_prints_a_record_on_a_line(make_family):
    args = ("expand", "--templates", make_family(), "--family", "tiny", "--limit", 4)
    lines = done(*args, "--format", "json").stdout.splitlines()
    pairs = [Pair.from_record(json.loads(line)) for line in lines]
    assert len({pair.id for pair in pairs}) == 4


def test_expand_prints_blocks_that_can_be_read_again(make_family):
    args = ("expand", "--templates", make_family(), "--family", "tiny", "--limit", 1)
    text = done(*args, "--format", "blocks").stdout
    pair = Pair.from_record(json.loads(done(*args, "--format", "json").stdout))
    assert Pair.from_blocks(text).triton_code == pair.triton_code
    assert text.startswith(f"# {pair.id} {pair.description}\n")


def test_expand_prints_modules_that_compile(make_family):
    text = done("expand", "--templates", make_family(), "--family", "tiny", "--limit", 2).stdout
    compile(text, "modules", "exec")
    assert text.count("def get_test_inputs():") == 2


@pytest.mark.parametrize(("form", "suffix"), [("json", "json"), ("blocks", "py"), ("module", "py")])
def test_files_have_the_suffix_of_their_form(make_family, tmp_path, form, suffix):
    done(
        *("expand", "--templates", make_family(), "--family", "tiny", "--limit", 1),
        *("--out", tmp_path / "out", "--format", form),
    )
    (path,) = (tmp_path / "out/tiny").iterdir()
    assert path.suffix == f".{suffix}"


def test_where_takes_several_values_and_several_axes(make_family):
    text = done(
        *("expand", "--templates", make_family(), "--family", "tiny", "--format", "json"),
        *("--where", "factor=2,5", "--where", "dtype=float16"),
    ).stdout
    params = [json.loads(line)["metadata"]["params"] for line in text.splitlines()]
    assert {p["factor"] for p in params} == {2, 5}
    assert {p["dtype"] for p in params} == {"float16"}


def test_the_seed_draws_another_sample(make_family):
    args = ("expand", "--templates", make_family(), "--family", "tiny", "--limit", 9)
    first, again = [done(*args, "--seed", 1).stdout for _ in range(2)]
    assert first == again != done(*args, "--seed", 2).stdout


# -- lint and new ------------------------------------------------------------------------------------


def test_lint_prints_findings_and_ends_with_one(tiny_only):
    path = tiny_only / "python/tiny.py.jinja"
    path.write_text(path.read_text().replace("[axes]", "[axes]\nextra = [1]"))
    result = run("lint", "--templates", tiny_only)
    assert result.exit_code == 1
    assert result.stdout.splitlines() == [
        f"{path}:9: unused axis: 'extra'; use it in a template, or take it out"
    ]


def test_lint_of_sound_templates_says_so(tiny_only):
    result = done("lint", "--templates", tiny_only)
    assert (result.stdout, result.stderr) == ("", "templates are sound\n")


def test_new_family_names_its_files_and_the_next_step(tmp_path):
    result = done("new", "family", "twice", "--out", tmp_path)
    assert result.stdout.splitlines() == [
        str(tmp_path / "python/twice.py.jinja"),
        str(tmp_path / "triton/twice/flat.py.jinja"),
    ]
    assert f"tritongen expand --templates {tmp_path} --family twice" in result.stderr
    done("expand", "--templates", tmp_path, "--family", "twice", "--limit", 1)


def test_new_family_leaves_files_alone(tmp_path):
    done("new", "family", "twice", "--out", tmp_path)
    before = contents(tmp_path)
    assert "already there" in refused("new", "family", "twice", "--out", tmp_path)
    assert "a built-in family" in refused("new", "family", "matmul", "--out", tmp_path)
    assert contents(tmp_path) == before


# -- check -------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("old", "new", "code", "status", "name"),
    [
        ("", "", 0, "SUCCESS", ""),
        ("mask=mask) * 2", "mask=mask) * 3", 1, "SUCCESS", "numerics"),
        ("return out", "return torch.mul(x, 2)", 1, "SUCCESS", "honesty"),
        ("def wrapper", "import os\n\n\ndef wrapper", 1, "FAILED", "static"),
        ("def wrapper(x):", "def wrapper(x:", 1, "FAILED", "form"),
        ("torch.mul(x, 2)", "1 / 0", 1, "FAILED", "reference"),
    ],
)
def test_check_prints_one_line_of_json(tmp_path, old, new, code, status, name):
    path = tmp_path / "candidate.py"
    path.write_text(RIGHT.replace(old, new) if old else RIGHT)
    result = run("check", path, "--device", "cpu")
    (line,) = result.stdout.splitlines()
    found = json.loads(line)
    assert (result.exit_code, found["status"], found["check"]) == (code, status, name)
    assert found["correct"] is (code == 0)
    assert (found["reason"] == "") is (code == 0)
    assert list(found) == [
        *("status", "correct", "reason", "check", "witness", "coverage", "evidence", "isolation"),
        *("python_ms", "triton_ms", "speedup", "kernels_python", "kernels_triton", "environment"),
    ]


def test_check_as_a_process_keeps_stdout_clean(tmp_path):
    path = tmp_path / "candidate.py"
    noise = "print('noise')\nprint(1)\n\n\n"
    text = RIGHT.replace("def twice", noise + "def twice").replace("@triton", noise + "@triton")
    path.write_text(text)
    for options in ((), ("--trust",)):
        result = process("check", path, "--device", "cpu", *options)
        (line,) = result.stdout.splitlines()
        assert json.loads(line)["correct"] is True
        assert result.returncode == 0


def test_check_takes_the_seed_of_an_earlier_verdict(tmp_path):
    path = tmp_path / "candidate.py"
    path.write_text(RIGHT.replace("* 2, mask", "* 3, mask"))
    first, second = [
        json.loads(run("check", path, "--device", "cpu", "--seed", "5").stdout) for _ in range(2)
    ]
    assert first["witness"] == second["witness"]
    assert first["coverage"]["seed"] == 5


@pytest.mark.parametrize(
    ("text", "message"),
    [
        (RIGHT[: RIGHT.index("def wrapper")], "blocks are missing: TRITON (not closed), TEST"),
        (RIGHT.replace("def wrapper(x):", "def wrapper(x:"), "TRITON does not parse (line 13"),
        ("", "blocks are missing: PYTHON, TRITON, TEST"),
    ],
)
def test_check_says_what_a_half_written_file_lacks(tmp_path, text, message):
    path = tmp_path / "candidate.py"
    path.write_text(text)
    result = run("check", path, "--device", "cpu")
    found = json.loads(result.stdout)
    assert (result.exit_code, found["status"], found["check"]) == (1, "FAILED", "form")
    assert message in found["reason"]


@pytest.mark.parametrize("options", [("--device", "tpu"), ("--timeout", "0"), ("--seed", "-1"), ()])
def test_check_ends_with_two_for_bad_usage(tmp_path, options):
    path = tmp_path / "candidate.py"
    if options:
        path.write_text(RIGHT)
    result = run("check", path, *options)
    assert (result.exit_code, result.stdout) == (2, "")


# -- bad input ---------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("args", "message"),
    [
        (("expand", "--family", "sofmax"), "family: unknown family: 'sofmax'; did you mean 'softm"),
        (("show", "sofmax"), "unknown family: 'sofmax'; did you mean 'softmax'?; known: "),
        (("expand", "--family", "softmax", "--strategy", "onlin"), "did you mean 'online'?"),
        (
            ("expand", "--where", "op=gleu", "--family", "elementwise"),
            "'gleu'; did you mean 'gelu'",
        ),
        (("expand", "--where", "dtype=float8", "--family", "elementwise"), "known: float32"),
        (("expand", "--where", "otype=x", "--family", "elementwise"), "unknown axis: 'otype'"),
        (("expand", "--where", "op"), "--where: AXIS=VALUE,VALUE is expected: 'op'"),
        (("expand", "--where", "op="), "AXIS=VALUE,VALUE is expected"),
        (("expand", "--out", "somewhere"), "writing a whole space needs a limit; add --limit N"),
        (("expand", "--templates", "nowhere"), "the template folder does not exist: 'nowhere'"),
        (("list", "--templates", "nowhere"), "the template folder does not exist: 'nowhere'"),
        (("lint", "--templates", "nowhere"), "the template folder does not exist: 'nowhere'"),
        (("check", "nowhere.py"), "nowhere.py: cannot be read"),
        (("check", "."), "cannot be read"),
        (("new", "family", "Twice"), "lower-case letters, digits and _ are expected"),
    ],
)
def test_what_nothing_declares_is_refused_with_what_is_known(tmp_path, monkeypatch, args, message):
    monkeypatch.chdir(tmp_path)
    assert message in refused(*args)
    assert list(tmp_path.iterdir()) == []


TEMPLATES = {
    "template key": ("titel = 'x'\n[axes]", "", "did you mean 'title'"),
    "half-written header": ('[axes]\nfactor = "', "", "the header is not valid TOML"),
    "rule that leaves nothing": ("[where]\n'none' = 'factor > 9'\n[axes]", "", "leave nothing"),
    "rule over an unknown name": (
        "[where]\n'r' = 'fctor > 2'\n[axes]",
        "",
        "unknown name: 'fctor'",
    ),
    "expression outside the language": ("[let]\na = 'lambda: 1'\n[axes]", "", "not allowed"),
    "undefined name": ("", "{{ fctor }}", "undefined name: 'fctor'; did you mean 'factor'"),
    "template error": ("", "{{ 1 // 0 }}", "ZeroDivisionError"),
    "half-written template": ("", "{% if factor", "tiny.py.jinja:"),
}


@pytest.mark.parametrize("name", TEMPLATES)
def test_a_wrong_template_is_refused_and_damages_nothing(make_family, tmp_path, name):
    header, body, message = TEMPLATES[name]
    args = ("expand", "--family", "tiny", "--limit", 4, "--out", tmp_path / "out")
    done(*args, "--templates", make_family())
    before = contents(tmp_path / "out")

    def edit(text: str) -> str:
        return (text.replace("[axes]", header) if header else text) + body

    root = make_family(edit_contract=edit)
    said = refused(*args, "--templates", root)
    assert message in said
    assert f"{root}/python/tiny.py.jinja:" in said or "tiny/flat" in said
    assert contents(tmp_path / "out") == before


def test_a_message_stays_on_one_line_whatever_the_folder_is_called(make_family):
    root = make_family(edit_contract=lambda text: text.replace("title =", "titel ="))
    odd = root.rename(root.parent / "two\nlines")
    assert "two lines/python/tiny.py.jinja:2" in refused("show", "tiny", "--templates", odd)


def test_pairs_written_before_a_fault_are_whole(make_family, tmp_path):
    root = make_family(edit_contract=lambda text: text + "{{ 1 // (5 - factor) }}")
    out = tmp_path / "out"
    result = run(*("expand", "--templates", root, "--family", "tiny", "--limit", 300, "--out", out))
    assert result.exit_code == 2
    assert len(result.stderr.splitlines()) == 1
    files = contents(out)
    assert files
    assert all(name.endswith(".py") for name in files)
    for text in files.values():
        compile(text, "pair", "exec")


def test_a_file_that_cannot_be_written_keeps_its_old_content(make_family, tmp_path, monkeypatch):
    args = ("expand", "--templates", make_family(), "--family", "tiny", "--limit", 2)
    out = tmp_path / "out"
    done(*args, "--out", out)
    before = contents(out)

    def full(path: Path, text: str, **_: object) -> None:
        with path.open("w") as file:
            file.write(text[:10])
        raise OSError(28, "No space left on device", str(path))

    monkeypatch.setattr(Path, "write_text", full)
    assert "No space left on device" in refused(*args, "--out", out)
    assert contents(out) == before


def test_a_folder_that_is_a_file_is_refused(make_family, tmp_path):
    path = tmp_path / "out"
    path.write_text("my work")
    args = ("expand", "--templates", make_family(), "--family", "tiny", "--limit", 1)
    assert str(path) in refused(*args, "--out", path)
    assert path.read_text() == "my work"


def config(folder: Path, text: str | bytes) -> Path:
    path = folder / "config.toml"
    path.write_bytes(text.encode() if isinstance(text, str) else text)
    return path


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("cuont = 3\n", "unknown key: 'cuont'; did you mean 'count'"),
        ("[verify]\ndevise = 'cpu'\n", "did you mean 'device'"),
        ("count = 'many'\n", "count"),
        ("count = 3\nfamilies = ['sofmax']\n", "'sofmax'; did you mean 'softmax'"),
        ("count = 3\n[where]\ndtype = ['float8']\n", "unknown dtype: 'float8'"),
        ("count = 3\n[where]\nop = ['gleu']\n", "'gleu'"),
        ("count = 3\ntemplates = ['nowhere']\n", "the template folder does not exist"),
        ("count = \n", "config.toml: is not whole TOML"),
        (b"name = '\xff'\n", "config.toml: is not text in UTF-8"),
    ],
)
def test_a_wrong_configuration_is_refused_and_damages_nothing(tmp_path, text, message):
    pytest.importorskip("pydantic")
    out = tmp_path / "dataset"
    (out / "train").mkdir(parents=True)
    (out / "train/part.parquet").write_bytes(b"already written")
    before = contents(out)
    whole = text if isinstance(text, bytes) else f"out = '{out}'\n{text}"
    assert message in refused("build", config(tmp_path, whole))
    assert contents(out) == before


def test_a_missing_configuration_is_named(tmp_path):
    pytest.importorskip("pydantic")
    assert "there is no such file" in refused("build", tmp_path / "none.toml")


def test_a_missing_gpu_is_said(tmp_path, monkeypatch):
    monkeypatch.setattr(import_module("tritongen.verify.device"), "has_gpu", lambda: False)
    path = tmp_path / "candidate.py"
    path.write_text(RIGHT)
    said = refused("check", path, "--device", "cuda")
    assert "no GPU" in said
    assert "known: auto, cpu" in said


def test_a_missing_gpu_stops_a_build_before_it_writes(tmp_path, monkeypatch, make_family):
    pytest.importorskip("pydantic")
    monkeypatch.setattr(import_module("tritongen.verify.device"), "has_gpu", lambda: False)
    out = tmp_path / "dataset"
    text = f"out = '{out}'\ncount = 4\nfamilies = ['tiny']\ntemplates = ['{make_family()}']\n"
    said = refused("build", config(tmp_path, text + "[verify]\ndevice = 'cuda'\n"))
    assert "no GPU" in said
    assert not list(out.rglob("*.parquet"))


# -- as processes ------------------------------------------------------------------------------------


def test_a_process_prints_records_and_nothing_else(make_family):
    result = process(
        *("expand", "--templates", make_family(), "--family", "tiny", "--limit", 3),
        *("--format", "json"),
    )
    assert (result.returncode, result.stderr) == (0, "")
    assert [json.loads(line)["family"] for line in result.stdout.splitlines()] == ["tiny"] * 3


def test_a_process_ends_with_two_and_one_line_on_bad_input():
    result = process("expand", "--family", "sofmax")
    assert (result.returncode, result.stdout) == (2, "")
    assert len(result.stderr.splitlines()) == 1
    assert result.stderr.startswith(
        "error: family: unknown family: 'sofmax'; did you mean 'softmax'?"
    )


def test_a_reader_that_goes_away_is_no_error():
    command = f"{sys.executable} -m tritongen.cli expand --family elementwise | head -n 1"
    result = subprocess.run(["bash", "-c", command], capture_output=True, text=True, timeout=120)
    assert result.stdout.startswith("# ")
    assert "Traceback" not in result.stderr


def test_the_catalogue_of_a_folder_is_not_changed_by_looking_at_it(make_family):
    root = make_family()
    before = contents(root)
    done("show", "tiny", "--templates", root)
    assert contents(root) == before
    assert "tiny" in catalog(root).families
