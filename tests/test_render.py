from __future__ import annotations

import os
import shutil
from pathlib import Path

import pytest

import tritongen
from tritongen.catalog import builtin_root, catalog
from tritongen.errors import RenderError, TritongenError
from tritongen.render import difficulty
from tritongen.sample import renderer_of


def render(root: Path, index: int = 0):
    known = catalog(root)
    return renderer_of(known, "tiny", "flat").pair(known.space("tiny", "flat")[index])


def after(line: str):
    """An edit of the strategy that puts a line before the mask, which is line 34."""
    return lambda text: text.replace("    # Guard the tail\n", f"    {line}\n")


def ids(root: Path, family: str = "tiny") -> list[tuple[str, str]]:
    return [
        (pair.id, pair.program_id) for pair in tritongen.expand(family, limit=12, templates=root)
    ]


def edit(path: Path, old: str, new: str) -> None:
    text = path.read_text()
    assert old in text
    path.write_text(text.replace(old, new))
    os.utime(path, ns=(1, path.stat().st_mtime_ns + 1))


def test_an_undefined_name_has_file_line_and_the_known_names(make_family):
    root = make_family(edit=after("stride = {{ BLOK_SIZE }}"))
    line = (root / "triton/tiny/flat.py.jinja").read_text().split("\n").index(
        "    stride = {{ BLOK_SIZE }}"
    ) + 1
    with pytest.raises(RenderError) as caught:
        render(root)
    message = str(caught.value)
    assert message.startswith(f"{root}/triton/tiny/flat.py.jinja:{line}: undefined name")
    assert "'BLOK_SIZE'; did you mean 'BLOCK_SIZE'?" in message
    assert "known: BLOCK_SIZE, alloc, " in message
    assert "[let]" in message


def test_an_undefined_name_of_the_contract_names_the_contract(make_family):
    root = make_family(edit_contract=lambda text: text.replace("* {{ factor", "* {{ factr"))
    with pytest.raises(RenderError, match=r"python/tiny\.py\.jinja:\d+: .*'factr'"):
        render(root)


def test_a_missing_field_is_said_with_its_line(make_family):
    with pytest.raises(RenderError, match=r"flat\.py\.jinja:\d+: .*has no attribute 'nmes'"):
        render(make_family(edit=after("{{ dtype.nmes }}")))


@pytest.mark.parametrize(
    ("line", "message"),
    [
        ("{{ 1 // 0 }}", "ZeroDivisionError"),
        ("{{ dtypes[9] + 1 }}", "undefined"),
        ("{{ factor + 'x' }}", "TypeError"),
        ("{{ none_such('x') }}", "'none_such'"),
        ("{% include 'nothing.jinja' %}", "TemplateNotFound"),
    ],
)
def test_a_template_that_fails_has_file_and_line(make_family, line, message):
    with pytest.raises(RenderError, match=rf"flat\.py\.jinja:\d+: .*{message}"):
        render(make_family(edit=after(line)))


@pytest.mark.parametrize("line", ["{% if x %}", "{{ x", "{% nonsense %}", "{{ x | nonsense }}"])
def test_a_template_that_does_not_parse_has_file_and_line(make_family, line):
    with pytest.raises(RenderError, match=r"flat\.py\.jinja:\d+: "):
        render(make_family(edit=after(line)))


def test_a_library_that_does_not_parse_has_its_own_file_and_line(make_family):
    root = make_family(edit=after('{% from "triton/_lib/mine.jinja" import load %}'))
    (root / "triton/_lib").mkdir()
    (root / "triton/_lib/mine.jinja").write_text("{# mine #}\n{% macro load( %}\n")
    with pytest.raises(RenderError, match=r"_lib/mine\.jinja:2: "):
        render(root)


@pytest.mark.parametrize(
    "text",
    [
        "{{ factor.__class__ }}",
        "{{ dtype.__class__.__mro__ }}",
        "{{ dtype.names.__class__ }}",
        "{{ inputs[0].__init__.__globals__ }}",
        "{{ ''.__class__.__mro__[1].__subclasses__() }}",
        "{{ ('%s' | attr('__class__')) }}",
        "{{ inputs.__len__() }}",
        "{% set copied = {} %}{{ copied.update(a=1) }}",
        "{{ [].append(1) }}",
        "{{ range(10 ** 9) }}",
    ],
)
def test_the_sandbox_refuses_private_attributes_and_changes(make_family, text):
    with pytest.raises(TritongenError, match=r"flat\.py\.jinja:\d+"):
        render(make_family(edit=after(text)))


def test_public_fields_of_records_may_be_read(make_family):
    root = make_family(edit=after("# {{ dtype.kind }} {{ inputs[0].name }} {{ dims[0] }}"))
    known = catalog(root)
    point = known.space("tiny", "flat")[0]
    assert "# float x N" in renderer_of(known, "tiny", "flat").program(point).triton.text


STRATEGY = """how = ["in blocks"]
tags = ["b", "c"]
atomics = true
requires = ["descriptors"]
targets = ["cuda:90"]"""


def test_metadata_tells_what_the_pair_is(make_family):
    root = make_family(
        edit=lambda text: text.replace('how = ["in blocks"]', STRATEGY),
        edit_contract=lambda text: text.replace('name = "', 'tags = ["a", "b"]\nname = "', 1),
    )
    pair = render(root)
    metadata = pair.metadata
    assert metadata["tags"] == ["a", "b", "c", "atomics"]
    assert metadata["atomics"] is True
    assert metadata["requires"] == ["descriptors"]
    assert metadata["targets"] == ["cuda:90"]
    assert (metadata["family"], metadata["strategy"]) == ("tiny", "flat")
    assert metadata["operation_type"] == "tiny"
    assert metadata["dtypes"] == ["float32", "float16"]
    assert pair.description.endswith(", in blocks.")


def test_params_hold_every_axis_as_plain_values(make_family):
    pair = render(make_family())
    params = pair.metadata["params"]
    point = catalog(make_family()).space("tiny", "flat")[0]
    assert set(params) == set(point.values)
    assert params["factor"] == 2
    assert params["dtype"] == "float32|float16"
    assert all(isinstance(value, str | int | float) for value in params.values())


def test_the_entry_names_are_those_of_the_code(make_family):
    for pair in tritongen.expand("tiny", limit=30, templates=make_family()):
        entry = pair.metadata["entry"]
        assert f"def {entry['reference']}(" in pair.python_code
        assert f"def {entry['wrapper']}(" in pair.triton_code


@pytest.mark.parametrize(
    ("points", "word"),
    [(0, "easy"), (2, "easy"), (2.5, "medium"), (4, "medium"), (4.5, "hard"), (9, "hard")],
)
def test_difficulty_follows_from_points(points, word):
    assert difficulty(points) == word


@pytest.mark.parametrize(("own", "word"), [("0", "easy"), ("2", "medium"), ("'5'", "hard")])
def test_contract_and_strategy_add_up_their_points(make_family, own, word):
    title = 'title = "flat"'
    root = make_family(edit=lambda text: text.replace(title, f"{title}\ndifficulty = {own}"))
    assert render(root).metadata["difficulty"] == word


def test_difficulty_may_depend_on_the_point(make_family):
    root = make_family(
        edit_contract=lambda t: t.replace("difficulty = 1", "difficulty = '1 if factor < 3 else 5'")
    )
    found = {
        (pair.metadata["params"]["factor"], pair.metadata["difficulty"])
        for pair in tritongen.expand("tiny", templates=root)
    }
    assert found == {(2, "easy"), (3, "hard"), (5, "hard")}


def test_ids_stay_while_templates_stay(make_family):
    assert ids(make_family()) == ids(make_family())


@pytest.mark.parametrize("path", ["python/tiny.py.jinja", "triton/tiny/flat.py.jinja"])
def test_ids_change_with_a_template_of_the_family(make_family, path):
    root = make_family()
    before = ids(root)
    edit(root / path, 'title = "', 'title = "another ')
    assert not {i for pair in before for i in pair} & {i for pair in ids(root) for i in pair}


def test_ids_change_with_the_judge(make_family):
    root = make_family()
    before = ids(root)
    (root / "pytest").mkdir()
    text = (builtin_root() / "pytest/_default.py.jinja").read_text()
    (root / "pytest/tiny.py.jinja").write_text(text)
    edit(root / "pytest/tiny.py.jinja", "import pytest\n", "import pytest  # again\n")
    assert not set(before) & set(ids(root))


def test_ids_change_with_a_library_that_a_template_uses(make_family):
    root = make_family()
    before = ids(root)
    (root / "triton/_lib").mkdir()
    shutil.copy(builtin_root() / "triton/_lib/kernel.jinja", root / "triton/_lib/kernel.jinja")
    assert ids(root) == before, "the same text under another root"
    edit(root / "triton/_lib/kernel.jinja", "torch.empty(", "torch.zeros(")
    assert not set(before) & set(ids(root))


def test_ids_change_with_the_op_that_a_program_is_made_of(tmp_path):
    def programs() -> dict[str, set[str]]:
        pairs = tritongen.expand(
            "elementwise", where={"op": ["neg", "abs"]}, limit=40, templates=tmp_path
        )
        found: dict[str, set[str]] = {}
        for pair in pairs:
            found.setdefault(pair.metadata["op"], set()).add(pair.program_id)
        return found

    before = programs()
    (tmp_path / "ops").mkdir()
    shutil.copy(builtin_root() / "ops/pointwise.toml", tmp_path / "ops/pointwise.toml")
    edit(tmp_path / "ops/pointwise.toml", 'triton = "-{0}"', 'triton = "0.0 - {0}"')
    now = programs()
    assert now["abs"] == before["abs"]
    assert not now["neg"] & before["neg"]


def test_ids_stay_when_another_family_changes(make_family):
    root = make_family()
    make_family("other")
    before = ids(root)
    edit(root / "python/other.py.jinja", 'title = "', 'title = "another ')
    edit(root / "triton/other/flat.py.jinja", 'title = "', 'title = "another ')
    make_family("third")
    assert ids(root) == before


def test_operation_ids_do_not_depend_on_the_templates_text(make_family):
    root = make_family()
    before = render(root).operation_id
    edit(root / "triton/tiny/flat.py.jinja", 'title = "', 'title = "another ')
    assert render(root).operation_id == before


def test_variants_of_one_program_share_its_id_and_have_their_own(make_family):
    pairs = list(tritongen.expand("tiny", where={"factor": [2]}, templates=make_family()))
    assert len({pair.id for pair in pairs}) == len(pairs)
    assert len({pair.program_id for pair in pairs}) == len(pairs) // 8


def test_the_id_of_a_program_needs_no_rendering(make_family):
    known = catalog(make_family())
    renderer = renderer_of(known, "tiny", "flat")
    for point in known.space("tiny", "flat").sample(20):
        pair = renderer.pair(point)
        assert renderer.program_id(point) == pair.program_id
        assert renderer.operation_id(point) == pair.operation_id
