from __future__ import annotations

from pathlib import Path

import pytest

from tritongen.errors import TemplateError
from tritongen.header import parse_header

PATH = Path("some.py.jinja")


def read(body: str, role: str = "contract"):
    return parse_header(PATH, "{#---\n" + body + "\n---#}\ntext", role)


def test_keys_keep_their_declared_order():
    header = read('[axes]\nb = [1]\na = [2]\n[where]\n"r2" = "a"\n"r1" = "b"')
    assert list(header.axes) == ["b", "a"]
    assert list(header.where) == ["r2", "r1"]


def test_a_missing_header_says_how_to_begin():
    with pytest.raises(TemplateError, match="begin the file with"):
        parse_header(PATH, "import torch\n", "contract")


def test_a_judge_needs_no_header():
    assert parse_header(PATH, "import torch\n", "judge").role == "judge"


def test_an_unknown_key_names_its_line_and_a_near_one():
    with pytest.raises(TemplateError, match=r"some.py.jinja:3.*'titel'.*did you mean 'title'"):
        read('tags = ["a"]\ntitel = "x"')


def test_a_key_of_another_role_is_refused():
    with pytest.raises(TemplateError, match="unknown key of a contract"):
        read("[tuning]\nBLOCK_SIZE = [1]")


def test_broken_toml_names_the_line_in_the_file():
    with pytest.raises(TemplateError, match=r"some.py.jinja:3.*not valid TOML"):
        read('title = "x"\ntags = = 3')


def test_a_value_of_the_wrong_type_is_refused():
    with pytest.raises(TemplateError, match="title has the wrong type"):
        read("title = 3")


def test_an_unknown_key_of_an_input_is_refused():
    with pytest.raises(TemplateError, match=r"'shap'.*did you mean 'shape'"):
        read('[inputs]\nx = {shap = ["N"]}')
