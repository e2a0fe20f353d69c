"""Naming styles: injective, no reserved names, constants alike in both scopes; faults name file and key."""

from __future__ import annotations

from pathlib import Path

import pytest

from tritongen.errors import TemplateError
from tritongen.naming import HOST, KERNEL, RESERVED, Style, load_styles

STYLES = Path(__file__).parent.parent / "templates" / "styles"
MADE = load_styles([STYLES])


@pytest.mark.parametrize("style", MADE)
def test_styles_are_injective_and_give_no_reserved_name(style: str) -> None:
    for scope in (HOST, KERNEL):
        names = MADE[style].names[scope]
        assert len(set(names.values())) == len(names) > 2000
        assert not RESERVED & set(names.values())
        assert all(final.isidentifier() for final in names.values())


@pytest.mark.parametrize("style", MADE)
def test_constants_are_named_alike_on_the_host_and_in_kernels(style: str) -> None:
    host, kernel = MADE[style].names
    assert {w: host[w] for w in host if w.isupper()} == {
        w: kernel[w] for w in kernel if w.isupper()
    }


# -- style files -----------------------------------------------------------------------------------

GOOD = """
[functions]
reference = "torch_{name}"
module = "Torch{Name}"
wrapper = "triton_{name}"
kernel = "{name}_kernel"
kernel_part = "{name}_{part}_kernel"
helper = "{part}_helper"
test = "test_{name}"
"""


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    (tmp_path / "_vocabulary.toml").write_text(
        'tensors = ["x", "out"]\npointed = ["mean"]\ndims = ["m"]\naxes = ["M"]\nwords = ["row", "mask"]\nconstants = ["N"]'
    )
    return tmp_path


def load(folder: Path, text: str) -> Style:
    (folder / "own.toml").write_text(text)
    return load_styles([folder])["own"]


@pytest.mark.parametrize(
    ("text", "words"),
    [
        (GOOD + '[words]\nrow = "mask"', ["own.toml", "'mask'", "'row' has the same name"]),
        (GOOD + '[words]\nrow = "x_ptr"', ["'x_ptr'"]),
        (GOOD + '[patterns]\npointer = "{tensor}"', ["'x'", "same name"]),
        (GOOD + '[words]\nrow = "max"', ["'row'", "'max'"]),
        (GOOD + '[words]\nrow = "for"', ["'for'"]),
        (GOOD + '[words]\nrow = "two words"', ["two words"]),
        (GOOD + '[words]\nrow = "torch_row"', ["function of a pair"]),
        (GOOD + '[words]\nrows = "lines"', ["unknown key", "did you mean 'row'"]),
        (GOOD + '[words.kernel]\nN = "COLS"', ["one name on the host and in kernels", "'N'"]),
        (GOOD + '[words]\nrow = 3', ["words.row", "must be a string"]),
        (GOOD + '[patterns]\npointer = "ptr"', ["patterns.pointer", "{tensor}"]),
        (GOOD + '[pattern]\npointer = "ptr"', ["unknown key", "did you mean 'patterns'"]),
        (GOOD.replace('"triton_{name}"', '"{name}"'), ["function of a pair"]),
        (GOOD.replace('"triton_{name}"', '"torch_{name}"'), ["functions.wrapper"]),
        (GOOD.replace('"{part}_helper"', '"helper_fn"'), ["functions.helper", "wrong placeholders"]),
        (GOOD.replace("test_{name}", "check_{name}"), ["functions.test"]),
        (GOOD.replace('test = "test_{name}"', ""), ["functions.test", "is missing"]),
        ("title = ", ["own.toml", "cannot be read"]),
    ],
)  # fmt: skip
def test_faults_in_a_style_file_name_file_and_key(
    folder: Path, text: str, words: list[str]
) -> None:
    with pytest.raises(TemplateError) as caught:
        load(folder, text)
    assert all(word in str(caught.value) for word in ["own.toml", *words]), str(caught.value)


def test_later_folders_come_first_and_add_to_the_vocabulary(tmp_path: Path) -> None:
    (tmp_path / "_vocabulary.toml").write_text('words = ["gate"]')
    text = (STYLES / "terse.toml").read_text().replace("acc = ", "acc = ")
    (tmp_path / "terse.toml").write_text(text.replace("[words]", '[words]\ngate = "gt"'))
    styles = load_styles([STYLES, tmp_path, tmp_path / "missing"])
    assert list(styles) == list(MADE)
    assert styles["terse"].rename("gate") == "gt"
    assert styles["library"].rename("gate") == "gate"
    assert styles["terse"].name == "terse"
