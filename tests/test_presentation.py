"""Presenting programs: valid, formatted, free of comments when asked; what is renamed in a line, and what is not."""

from __future__ import annotations

import ast
import io
import subprocess
import sys
import tokenize
from collections.abc import Iterable, Iterator
from itertools import product
from pathlib import Path

import pytest

from tritongen.errors import RenderError
from tritongen.presentation import (
    DOCSTRINGS,
    Docstring,
    Program,
    Style,
    entry_names,
    load_styles,
    present,
)

Choice = tuple[str, str, bool, Docstring]
STYLES = Path(__file__).parent.parent / "templates" / "styles"
PROGRAMS = {
    p.stem: p.read_text() for p in sorted((Path(__file__).parent / "programs").glob("*.txt"))
}
MADE = load_styles([STYLES])
CHOICES: list[Choice] = list(product(PROGRAMS, MADE, (True, False), DOCSTRINGS))


def shown(
    program: str, style: str, comments: bool, docstring: Docstring, name: str = "row_softmax"
) -> str:
    text = PROGRAMS[program]
    return present(Program(text), MADE[style], name, comments=comments, docstring=docstring)


@pytest.fixture(scope="module")
def texts() -> dict[Choice, str]:
    return {choice: shown(*choice) for choice in CHOICES}


@pytest.fixture(scope="module")
def trees(texts: dict[Choice, str]) -> dict[Choice, ast.Module]:
    return {choice: ast.parse(text) for choice, text in texts.items()}


def assert_formatted(sources: Iterable[str], folder: Path) -> None:
    """`ruff format` finds nothing to change."""
    for number, text in enumerate(sources):
        (folder / f"{number}.py").write_text(text)
    command = [sys.executable, "-m", "ruff", "format", "--isolated", "--target-version", "py311"]
    done = subprocess.run([*command, "--diff", str(folder)], capture_output=True, text=True)
    assert done.returncode == 0, done.stdout[:3000]


OWN = """
[functions]
reference = "{name}_reference"
module = "{Name}Reference"
wrapper = "{name}_forward"
kernel = "_{name}_kernel"
kernel_part = "_{name}_{part}_kernel"
helper = "_{part}_fn"
test = "test_{name}"

[patterns]
block = "BLOCK_SIZE_{axis}"

[tensors]
x = "input"
y = "other_input"
out = "output"

[words]
mask = "in_range"
row = "row_idx"
n_elements = "numel"
GROUP_M = "GROUP_SIZE_M"
"""


@pytest.fixture(scope="module")
def own(tmp_path_factory: pytest.TempPathFactory) -> Style:
    """A style that these tests know, whatever the styles of the package become."""
    folder = tmp_path_factory.mktemp("styles")
    (folder / "own.toml").write_text(OWN)
    return load_styles([STYLES, folder])["own"]


def line(text: str, style: Style, name: str = "add") -> str:
    """A line of host code as a style shows it."""
    return present(Program(f"{text}\n"), style, name).rstrip("\n")


def in_kernel(text: str, style: str) -> str:
    """A line of a kernel as a style shows it."""
    program = Program(f"@triton.jit\ndef kernel(x_ptr):\n    {text}\n")
    return present(program, MADE[style], "add").split("\n", 2)[2].strip()


# -- all programs under all presentations ----------------------------------------------------------


def test_ruff_finds_nothing_to_change(texts: dict[Choice, str], tmp_path: Path) -> None:
    assert_formatted(texts.values(), tmp_path)


@pytest.mark.parametrize(
    "name", ["a", "sum", "exp_mul_add_of_a_very_long_chain_of_many_operations"]
)
def test_the_text_is_formatted_for_names_of_any_length(name: str, tmp_path: Path) -> None:
    pairs = product(PROGRAMS, MADE)
    assert_formatted(
        [shown(program, style, True, "full", name) for program, style in pairs], tmp_path
    )


def test_every_text_compiles(trees: dict[Choice, ast.Module]) -> None:
    for choice, tree in trees.items():
        compile(tree, str(choice), "exec")


def test_the_code_is_the_same_under_all_comments_and_docstrings(texts: dict[Choice, str]) -> None:
    for program, style in product(PROGRAMS, MADE):
        presentations = product((True, False), DOCSTRINGS)
        codes = {
            _code(texts[program, style, comments, docstring])
            for comments, docstring in presentations
        }
        assert len(codes) == 1, (program, style)


def test_no_comment_remains_without_comments_and_none_is_lost_with_them(
    texts: dict[Choice, str],
) -> None:
    wanted = {program: _comments(text) for program, text in PROGRAMS.items()}
    for (program, _, comments, _), text in texts.items():
        assert _comments(text) == (wanted[program] if comments else 0)


def test_docstrings_are_full_one_line_or_gone(trees: dict[Choice, ast.Module]) -> None:
    wanted = {program: len(_docstrings(ast.parse(text))) for program, text in PROGRAMS.items()}
    for (program, _, _, docstring), tree in trees.items():
        found = _docstrings(tree)
        assert len(found) == (0 if docstring == "none" else wanted[program])
        if docstring == "brief":
            assert not any("\n" in text for text in found)
        if docstring == "numpy":
            assert not any("Args:" in text or "Returns:" in text for text in found)


def test_canonical_function_names_are_gone(trees: dict[Choice, ast.Module]) -> None:
    canonical = {
        "reference",
        "Reference",
        "wrapper",
        "kernel",
        "kernel_partial",
        "kernel_final",
        "test_pair",
    }
    for choice, tree in trees.items():
        names = {node.id for node in ast.walk(tree) if isinstance(node, ast.Name)}
        names |= {
            node.name for node in ast.walk(tree) if isinstance(node, ast.FunctionDef | ast.ClassDef)
        }
        assert not names & canonical, choice


def test_functions_have_as_many_names_under_every_style(trees: dict[Choice, ast.Module]) -> None:
    for program in PROGRAMS:
        counts = {tuple(_name_counts(trees[program, style, True, "none"])) for style in MADE}
        assert len(counts) == 1, program


def test_presenting_again_gives_the_same_text(texts: dict[Choice, str]) -> None:
    again = load_styles([STYLES])
    for choice in CHOICES[:: len(CHOICES) // 60]:
        program, style, comments, docstring = choice
        made = Program(PROGRAMS[program])
        text = present(made, again[style], "row_softmax", comments=comments, docstring=docstring)
        assert text == texts[choice]


def test_names_of_one_length_give_texts_that_differ_in_the_name_alone() -> None:
    first, second = (
        shown("softmax", "library", True, "full", name) for name in ("row_softmax", "col_softmax")
    )
    assert "col_softmax" not in first
    assert first.replace("row_softmax", "col_softmax") == second


# -- rules of renaming -----------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("before", "after"),
    [
        ("x = a.x + x.out", "input = a.x + input.out"),
        ("f(mask=mask, out=out)", "f(mask=in_range, out=output)"),
        ("f(GROUP_M=GROUP_M, n=GROUP_M == 8)", "f(GROUP_SIZE_M=GROUP_SIZE_M, n=GROUP_SIZE_M == 8)"),
        ('meta["GROUP_M"] + x["out"]', 'meta["GROUP_SIZE_M"] + input["out"]'),
        ('f({"BLOCK_M": 64}, "out")', 'f({"BLOCK_SIZE_M": 64}, "out")'),
        ('f(key=["n_elements", "GROUP_M"])', 'f(key=["numel", "GROUP_SIZE_M"])'),
        ('f(reset_to_zero=["out_ptr"])', 'f(reset_to_zero=["output_ptr"])'),
        ('f("two out words", mode="out")', 'f("two out words", mode="out")'),
        ('@pytest.mark.parametrize("x, dtype", CASES)', '@pytest.mark.parametrize("input, dtype", CASES)'),
        ('f"{x[1:row]!r} {{x}} {mask:>{5}}{x.x:.3e}"', 'f"{input[1:row_idx]!r} {{x}} {mask:>{5}}{input.x:.3e}"'),
        ("def f(x, out=None, eps=1e-5):", "def f(input, output=None, eps=1e-5):"),
        ("kernel[grid](x, wrapper, helper_apply(x))", "_add_kernel[grid](input, add_forward, _apply_fn(input))"),
        ("# use x_ptr, `x` and GROUP_M for x of (M, GROUP_M)", "# use input_ptr, `input` and GROUP_SIZE_M for x of (M, GROUP_SIZE_M)"),
        ("unknown_name = other_name(y1e5, 1e-5)", "unknown_name = other_name(y1e5, 1e-5)"),
        ("y = x  # the row of `x`, not x", "other_input = input  # the row of `input`, not x"),
    ],
)  # fmt: skip
def test_what_is_renamed_in_a_line(own: Style, before: str, after: str) -> None:
    assert line(before, own) == after


def test_kernels_and_host_may_name_one_identifier_differently() -> None:
    assert line("x = 1", MADE["cuda"]) == "x = 1"
    assert in_kernel("x = tl.load(x_ptr)", "cuda") == "r_x = tl.load(d_x)"


def test_decorators_and_helpers_of_a_kernel_are_in_its_scope() -> None:
    text = present(Program(PROGRAMS["matmul_grouped"]), MADE["cuda"], "gemm")
    assert 'reset_to_zero=["d_c"]' in text
    assert "r_a = tl.load(" in text


def test_a_trailing_comment_that_does_not_fit_goes_above_its_line() -> None:
    text = "x = f(row_start, row_start, row_start, row_start, row_start)  # so that every row starts there"
    code, comment = text.split("  #")
    course = MADE["course"]
    assert line(text, course) == f"#{comment}\n" + line(code, course)
    assert (
        line(text, MADE["terse"]) == "x = f(r0, r0, r0, r0, r0)  # so that every row starts there"
    )


def test_entry_names_are_those_of_the_text() -> None:
    for style in MADE.values():
        names = entry_names(style, "row_softmax")
        text = present(
            Program("reference(Reference, wrapper, kernel, test_pair)\n"), style, "row_softmax"
        )
        assert "".join(text.split()).rstrip(",)").replace(",)", ")") == (
            "{reference}({module},{wrapper},{kernel},{test}".format(**names)
        )
        assert len(set(names.values())) == 5


def test_numpy_sections() -> None:
    text = shown("vector_add", "tutorial", True, "numpy")
    assert (
        "    Parameters\n    ----------\n    x : torch.Tensor\n        contiguous input\n    y : torch.Tensor\n"
        in text
    )
    assert (
        "        contiguous input\n        of the same shape as `x`\n\n    Returns\n    -------\n"
        in text
    )
    assert (
        "    torch.Tensor\n        a tensor like `x`\n\n    Raises\n    ------\n    ValueError\n        if the"
        in text
    )


@pytest.mark.parametrize("name", ["", "Softmax", "row-softmax", "1d", "größe"])
def test_names_that_no_identifier_can_hold_are_refused(name: str) -> None:
    with pytest.raises(RenderError, match="pair's name"):
        present(Program("x = 1\n"), MADE["library"], name)


# -- never capture ---------------------------------------------------------------------------------


def test_a_name_of_the_program_is_not_captured(own: Style) -> None:
    program = Program("def f(x, numel):\n    n_elements = x\n    return numel + n_elements\n")
    assert present(program, own, "add") == program.text
    assert present(program, MADE["tutorial"], "add") == program.text


def test_a_name_that_only_looks_like_one_of_the_style_changes_nothing_else(own: Style) -> None:
    program = Program("def f(x, numel):\n    return numel + x\n")
    assert present(program, own, "add") == "def f(input, numel):\n    return numel + input\n"


def test_a_function_that_the_program_has_already_is_refused(own: Style) -> None:
    program = Program("def wrapper(x):\n    return add_forward(x)\n")
    assert "mul_forward" in present(program, own, "mul")
    with pytest.raises(RenderError, match="add_forward"):
        present(program, own, "add")


def test_styles_differ() -> None:
    assert len(MADE) >= 10
    for text in ("softmax", "matmul_grouped", "vector_add"):
        assert len({shown(text, style, True, "full") for style in MADE}) == len(MADE)


def _code(text: str) -> str:
    tree = ast.parse(text)
    for node in ast.walk(tree):
        if (
            isinstance(node, ast.Module | ast.FunctionDef | ast.ClassDef)
            and ast.get_docstring(node) is not None
        ):
            del node.body[0]
    return ast.dump(tree)


def _docstrings(tree: ast.Module) -> list[str]:
    nodes = [
        n for n in ast.walk(tree) if isinstance(n, ast.Module | ast.FunctionDef | ast.ClassDef)
    ]
    return [doc for doc in map(ast.get_docstring, nodes) if doc is not None]


def _comments(text: str) -> int:
    tokens = tokenize.generate_tokens(io.StringIO(text).readline)
    return sum([token.type == tokenize.COMMENT for token in tokens])


def _name_counts(tree: ast.Module) -> Iterator[int]:
    for node in ast.walk(tree):
        if isinstance(node, ast.FunctionDef):
            names = {n.id for n in ast.walk(node) if isinstance(n, ast.Name)}
            yield len(names | {n.arg for n in ast.walk(node) if isinstance(n, ast.arg)})
