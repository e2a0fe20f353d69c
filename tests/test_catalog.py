from __future__ import annotations

import os

import pytest

import tritongen
from tritongen.catalog import builtin_root, catalog
from tritongen.errors import TemplateError, UnknownNameError


def strategy_text(root):
    return (root / "triton/tiny/flat.py.jinja").read_text()


def test_a_family_is_found_by_the_path_of_its_files(make_family):
    found = catalog(make_family("scale")).family("scale")
    assert (found.name, list(found.strategies), found.builtin) == ("scale", ["flat"], False)
    assert found.contract.name == "python/scale.py.jinja"
    assert found.judge.name == "pytest/_default.py.jinja"


def test_built_in_families_are_there_beside_those_of_the_user(make_family):
    families = catalog(make_family()).families
    assert {"tiny", "elementwise", "reduction", "softmax", "layernorm", "matmul"} <= set(families)


def test_names_that_begin_with_an_underscore_are_private(make_family):
    root = make_family()
    for path in ("python/_draft", "triton/tiny/_draft", "triton/_draft/flat", "pytest/_draft"):
        (root / path).parent.mkdir(parents=True, exist_ok=True)
        (root / f"{path}.py.jinja").write_text("no header")
    known = catalog(root)
    assert "_draft" not in known.families
    assert list(known.family("tiny").strategies) == ["flat"]
    assert not known.broken


def test_a_new_strategy_is_one_file(make_family):
    root = make_family()
    (root / "triton/tiny/again.py.jinja").write_text(strategy_text(root))
    assert tritongen.families(root)["tiny"] == ("again", "flat")


def test_one_file_adds_a_strategy_to_a_built_in_family(tmp_path):
    text = (builtin_root() / "triton/elementwise/flat.py.jinja").read_text()
    path = tmp_path / "triton/elementwise/mine.py.jinja"
    path.parent.mkdir(parents=True)
    path.write_text(text.replace('title = "flat masked 1-D"', 'title = "mine"'))
    known = catalog(tmp_path)
    assert "mine" in known.families["elementwise"].strategies
    assert "mine" not in catalog().families["elementwise"].strategies
    pair = next(tritongen.expand("elementwise", strategy="mine", limit=1, templates=tmp_path))
    assert pair.strategy == "mine"


def test_the_first_root_wins(make_family, tmp_path):
    root = make_family(title="first")
    other = tmp_path / "other"
    (other / "python").mkdir(parents=True)
    text = (root / "python/tiny.py.jinja").read_text()
    (other / "python/tiny.py.jinja").write_text(text.replace('"first"', '"second"'))
    assert catalog([root, other]).family("tiny").contract.header.title == "first"
    assert catalog([other, root]).family("tiny").contract.header.title == "second"


def test_a_root_of_the_user_comes_before_the_built_in_one(tmp_path):
    text = (builtin_root() / "triton/elementwise/flat.py.jinja").read_text()
    path = tmp_path / "triton/elementwise/flat.py.jinja"
    path.parent.mkdir(parents=True)
    path.write_text(text.replace('title = "flat masked 1-D"', 'title = "my flat"'))
    found = catalog(tmp_path).strategy("elementwise", "flat")
    assert (found.header.title, found.path) == ("my flat", path)


def test_an_op_table_of_the_user_serves_the_axes_of_the_user(make_family):
    root = make_family(axes='op = {table = "mine"}')
    (root / "ops").mkdir()
    (root / "ops/mine.toml").write_text('[twice]\ntorch = "2 * {0}"\n')
    axis = next(a for a in catalog(root).space("tiny", "flat").axes if a.name == "op")
    assert [str(cell.seen) for cell in axis.cells] == ["twice"]


def test_a_broken_family_is_reported_and_breaks_no_other(make_family):
    root = make_family("wrong", edit_contract=lambda text: text.replace("title =", "titel ="))
    make_family("right")
    known = catalog(root)
    assert "right" in known.families
    assert "wrong" not in known.families
    with pytest.raises(TemplateError, match=r"wrong\.py\.jinja:2: .*'titel'; did you mean 'title'"):
        known.family("wrong")
    assert len(list(tritongen.expand("right", limit=2, templates=root))) == 2


def test_expanding_everything_does_not_pass_over_a_broken_family(make_family):
    root = make_family("wrong", edit_contract=lambda text: text.replace("title =", "titel ="))
    with pytest.raises(TemplateError, match="titel"):
        tritongen.expand(limit=1, templates=root)


def test_a_broken_strategy_names_its_file(make_family):
    root = make_family(edit=lambda text: text.replace("[tuning]", "[tunings]"))
    with pytest.raises(TemplateError, match=r"triton/tiny/flat\.py\.jinja:8: .*'tunings'"):
        catalog(root).family("tiny")


def test_strategies_without_a_contract_are_reported(make_family):
    root = make_family()
    (root / "python/tiny.py.jinja").unlink()
    with pytest.raises(TemplateError, match=r"flat\.py\.jinja:1: strategies without a contract"):
        catalog(root).family("tiny")


def test_a_contract_without_a_strategy_says_which_file_is_missing(make_family):
    root = make_family()
    (root / "triton/tiny/flat.py.jinja").unlink()
    with pytest.raises(TemplateError, match=r"no strategy; add triton/tiny/<strategy>\.py\.jinja"):
        catalog(root).family("tiny")


def test_a_judge_of_its_own_comes_before_the_default(make_family):
    root = make_family()
    (root / "pytest").mkdir()
    (root / "pytest/tiny.py.jinja").write_text("import torch\n")
    assert catalog(root).family("tiny").judge.name == "pytest/tiny.py.jinja"


def test_a_missing_folder_is_named(tmp_path):
    with pytest.raises(TemplateError, match=r"the template folder does not exist: '.*nowhere'"):
        catalog(tmp_path / "nowhere")


def test_an_unknown_family_or_strategy_names_a_near_one(make_family):
    known = catalog(make_family())
    with pytest.raises(UnknownNameError, match=r"unknown family: 'tinny'; did you mean 'tiny'"):
        known.family("tinny")
    with pytest.raises(UnknownNameError, match=r"unknown strategy: 'flatt'; did you mean 'flat'"):
        known.strategy("tiny", "flatt")


def test_an_unreadable_template_is_named(make_family):
    root = make_family()
    (root / "python/tiny.py.jinja").write_bytes(b"{#---\n\xff\n---#}")
    with pytest.raises(TemplateError, match=r"tiny\.py\.jinja: cannot be read"):
        catalog(root).family("tiny")


def test_an_edited_file_is_read_again(make_family):
    root = make_family(title="before")
    assert catalog(root).family("tiny").contract.header.title == "before"
    make_family(title="after")
    path = root / "python/tiny.py.jinja"
    os.utime(path, ns=(1, path.stat().st_mtime_ns + 1))
    assert catalog(root).family("tiny").contract.header.title == "after"


@pytest.mark.parametrize(
    ("where", "strategy", "message"),
    [
        ("", "[when]\nnothing = 'factor > 2'", r"flat\.py\.jinja:\d+: unknown axis: 'nothing'"),
        ("alloc = [1]", "", r"flat\.py\.jinja:6: axis declared twice: 'alloc'; it is an axis of"),
        ("extra = []", "", r"tiny\.py\.jinja:11: extra: axis 'extra' needs a list of values"),
        ("[presentation]\nstile = ['terse']", "", r"jinja:12: presentation: unknown axis: 'stile'"),
        ("[presentation]\nstyle = ['terze']", "", "no such value: 'terze'; did you mean 'terse'"),
        ("[presentation]\nstyle = 3", "", "a list of values is expected: 3"),
    ],
)
def test_a_wrong_axis_names_file_and_line(make_family, where, strategy, message):
    root = make_family(axes=where, strategy=strategy)
    with pytest.raises(TemplateError, match=message):
        catalog(root).space("tiny", "flat")


def test_presentation_axes_may_be_restricted(make_family):
    root = make_family(axes='[presentation]\nstyle = ["terse"]\ncomments = [true]')
    points = list(catalog(root).space("tiny", "flat"))
    assert {point.values["style"] for point in points} == {"terse"}
    assert {point.values["comments"] for point in points} == {True}
