from __future__ import annotations

import re
from dataclasses import replace
from pathlib import Path

import pytest

from tritongen.catalog import catalog
from tritongen.lint import lint


def findings(root: Path) -> list[str]:
    """What lint says of a folder, its own paths only."""
    return [text for text in lint(ours(root)) if str(root) in text]


def ours(root: Path):
    """The catalogue of a folder without the built-in families, which take seconds to count."""
    whole = catalog(root)
    own = {name: family for name, family in whole.families.items() if not family.builtin}
    return replace(whole, families=own, made={})


def only(root: Path) -> str:
    found = findings(root)
    assert len(found) == 1, found
    assert re.match(rf"{re.escape(str(root))}/[\w/.]+:\d+: ", found[0]), found[0]
    return found[0].removeprefix(f"{root}/")


def before_mask(line: str):
    return lambda text: text.replace("    # Guard the tail\n", f"    {line}\n")


def line_of(root: Path, path: str, text: str) -> int:
    lines = (root / path).read_text().split("\n")
    return next(at for at, line in enumerate(lines, start=1) if text in line)


def flat(root: Path, text: str) -> str:
    return f"triton/tiny/flat.py.jinja:{line_of(root, 'triton/tiny/flat.py.jinja', text)}: "


def contract(root: Path, text: str) -> str:
    return f"python/tiny.py.jinja:{line_of(root, 'python/tiny.py.jinja', text)}: "


def test_sound_templates_have_no_finding(make_family):
    assert findings(make_family()) == []


def test_the_built_in_templates_have_no_finding():
    assert lint(catalog()) == []


def test_an_undeclared_name(make_family):
    root = make_family(edit=before_mask("# {{ BLOK_SIZE }}"))
    found = findings(root)
    assert found[0].startswith(f"{root}/{flat(root, 'BLOK')}undeclared name: 'BLOK_SIZE'")
    assert "did you mean 'BLOCK_SIZE'?" in found[0]


def test_an_undeclared_name_in_a_branch_that_no_sample_takes(make_family):
    root = make_family(edit=before_mask("{% if factor == 77 %}{{ nothing }}{% endif %}"))
    assert only(root).startswith(f"{flat(root, 'nothing')}undeclared name: 'nothing'")


def test_a_name_that_is_asked_for_before_its_use_is_no_finding(make_family):
    line = "{% if extra is defined %}{{ extra }}{% endif %}"
    assert findings(make_family(edit=before_mask(line))) == []


@pytest.mark.parametrize(
    ("key", "text"),
    [
        ("how", '"by {blok}"'),
        ("difficulty", '"blok"'),
    ],
)
def test_an_undeclared_name_in_the_header(make_family, key, text):
    value = f"[{text}]" if key == "how" else text
    root = make_family(
        edit=lambda t: t.replace('how = ["in blocks"]', f"{key} = {value}"),
    )
    found = findings(root)[0].removeprefix(f"{root}/")
    assert found.startswith(f"{flat(root, 'blok')}{key}: undeclared name: 'blok'")


def test_an_undeclared_name_in_a_description_that_is_seldom_drawn(make_family):
    root = make_family(edit_contract=lambda t: t.replace("every element, {factor}", "all {fctor}"))
    assert only(root).startswith(
        f"{contract(root, 'fctor')}description: undeclared name: 'fctor'; did you mean 'factor'"
    )


def test_a_macro_file_that_uses_a_name_of_nobody(make_family):
    root = make_family()
    (root / "triton/_lib").mkdir()
    (root / "triton/_lib/mine.jinja").write_text("{% macro f(x) %}\n{{ x }}{{ y }}\n{% endmacro %}")
    assert only(root).startswith("triton/_lib/mine.jinja:2: undeclared name: 'y'")


def test_a_macro_file_that_does_not_parse(make_family):
    root = make_family()
    (root / "triton/_lib").mkdir()
    (root / "triton/_lib/mine.jinja").write_text("\n{% macro f( %}\n")
    assert only(root).startswith("triton/_lib/mine.jinja:2: ")


def test_an_unused_axis_of_a_strategy(make_family):
    root = make_family(edit=lambda text: text.replace("[tuning]", 'loop = ["a"]\n\n[tuning]'))
    assert only(root).startswith(f"{flat(root, 'loop = ')}unused axis: 'loop'")


def test_an_unused_axis_of_the_contract(make_family):
    root = make_family(axes="extra = [1]")
    assert only(root).startswith(f"{contract(root, 'extra = ')}unused axis: 'extra'")


def test_an_axis_that_only_another_strategy_uses_is_unused(make_family):
    root = make_family()
    text = (root / "triton/tiny/flat.py.jinja").read_text()
    other = text.replace('{{ allocate("out", "x", alloc) }}', "out = torch.zeros_like(x)")
    (root / "triton/tiny/zeros.py.jinja").write_text(other)
    found = [text for text in findings(root) if "unused" in text]
    assert len(found) == 1
    assert found[0].startswith(f"{root}/triton/tiny/zeros.py.jinja:6: unused axis: 'alloc'")


def test_an_unused_derived_name(make_family):
    root = make_family(strategy="[let]\ntwice = '2 * factor'")
    assert only(root).startswith(f"{flat(root, 'twice')}unused name: 'twice'")


def test_an_empty_space_names_the_rules(make_family):
    root = make_family(strategy='[where]\n"too large" = "factor > 5"')
    found = only(root)
    assert found.startswith(
        f"{flat(root, '[where]')}tiny/flat: the rules and filters leave nothing"
    )
    assert "too large (drops" in found


def test_an_unknown_field_of_an_op(make_family):
    root = make_family(
        axes='op = {table = "pointwise", ops = ["relu", "exp"]}',
        edit=before_mask("# {{ op.triton }} {% if factor == 77 %}{{ op.tritn }}{% endif %}"),
    )
    found = only(root)
    assert found.startswith(f"{flat(root, 'op.tritn')}unknown field, op.tritn: 'tritn'")
    assert "did you mean 'triton'?" in found


@pytest.mark.parametrize(
    ("line", "field"),
    [
        ("{{ op.foo }}", "foo"),
        ("{{ op.title }}{{ op.nested('x').upper() }}{{ op.operands[0].nme }}", "nme"),
        ("{% for o in op.operands %}{{ o.domain.low }}{% endfor %}", "low"),
        ("{% for s in op.steps('x', 'y') %}{{ s.triton }}{{ s.tritn }}{% endfor %}", "tritn"),
        (
            "{% for s in op.steps() %}{{ s.op.extra.scale }}{{ s.op.extra.scal }}{% endfor %}",
            "scal",
        ),
        ("{% for s in op.steps() %}{{ s.op.extra['scal'] }}{% endfor %}", "scal"),
        ("{% for t in tensors | reverse | list %}{{ t.shap }}{% endfor %}", "shap"),
        ("{{ (inputs | first).nam }}", "nam"),
        ("{% set o = op %}{{ o.titel }}", "titel"),
        ("{{ dtype.kinds }}", "kinds"),
    ],
)
def test_unknown_fields_are_found_through_loops_and_assignments(make_family, line, field):
    root = make_family(
        axes='op = {chain = "pointwise", ops = ["add"], kinds = ["float"]}',
        edit=before_mask("# {{ op }} {% if factor == 77 %}" + line + "{% endif %}"),
    )
    assert re.match(
        rf"{re.escape(flat(root, 'factor == 77'))}unknown field, .*'{field}'", only(root)
    )


@pytest.mark.parametrize(
    "line",
    [
        "{% macro say(op) %}{{ op.anything }}{% endmacro %}",
        "{% for op in [1, 2] %}{{ op.real }}{% endfor %}",
        "{{ op.extra.items() | list | length }}{{ op.extra.scale }}{{ op.extra['ties'] }}",
        "{% for t in tensors %}{{ loop.first }}{{ t.domain.lo }}{% endfor %}",
    ],
)
def test_fields_that_are_there_and_names_that_are_others_are_no_finding(make_family, line):
    root = make_family(
        axes='op = {table = "pointwise", ops = ["relu", "exp"]}',
        edit=before_mask("# {{ op.title }} " + line),
    )
    assert findings(root) == []


def test_an_unknown_field_in_an_expression_of_the_header(make_family):
    root = make_family(
        axes='op = {table = "pointwise", ops = ["relu", "exp"]}',
        strategy='[let]\nsaid = "op.title if factor < 77 else op.titel"',
        edit=before_mask("# {{ said }}"),
    )
    assert only(root).startswith(f"{flat(root, 'said = ')}said: unknown field, op.titel: 'titel'")


def test_a_rule_over_an_unknown_name(make_family):
    root = make_family(strategy='[where]\n"some rule" = "blok > 2"')
    found = only(root)
    assert found.startswith(f"{flat(root, 'some rule')}the rule 'some rule' uses an unknown name")
    assert "'blok'" in found


def test_a_rule_too_wide_to_count(make_family):
    values = list(range(110))
    root = make_family(
        axes=f"a = {values}\nb = {values}\nc = {values}",
        strategy='[where]\n"wide" = "a + b + c < factor"',
    )
    found = [text for text in findings(root) if "unused" not in text]
    assert found[0].startswith(f"{root}/{flat(root, 'wide')}rules connect ")
    assert "split the rule" in found[0]


def test_a_strategy_without_a_contract(make_family):
    root = make_family()
    (root / "python/tiny.py.jinja").unlink()
    assert only(root).startswith("triton/tiny/flat.py.jinja:1: strategies without a contract")


def test_a_contract_without_a_strategy(make_family):
    root = make_family()
    (root / "triton/tiny/flat.py.jinja").unlink()
    assert only(root).startswith("python/tiny.py.jinja:1: the family has no strategy")


def test_a_broken_header(make_family):
    root = make_family(edit_contract=lambda text: text.replace("title =", "titel ="))
    assert only(root).startswith("python/tiny.py.jinja:2: unknown key of a contract: 'titel'")


def test_a_template_that_does_not_parse(make_family):
    root = make_family(edit=before_mask("{% if %}"))
    assert only(root).startswith(flat(root, "{% if %}"))


def test_two_values_of_an_axis_that_give_one_program(make_family):
    root = make_family(
        edit=lambda text: text.replace('"empty"]', '"empty", "vacant"]'),
    )
    found = only(root)
    assert found.startswith(
        f"{flat(root, 'alloc = ')}alloc=empty_like and alloc=vacant give one program"
    )
    assert "factor=2" in found


def test_two_values_of_a_tuning_axis_that_give_one_program(make_family):
    root = make_family(
        edit=lambda text: text.replace(
            "num_warps={{ num_warps }}", "num_warps={{ [num_warps, 4] | max }}"
        )
    )
    found = findings(root)
    assert all(text.startswith(f"{root}/{flat(root, 'num_warps = ')}num_warps=") for text in found)
    assert {"num_warps=1 and num_warps=4", "num_warps=1 and num_warps=2"} & {
        text.split(": ")[1].split(" give")[0] for text in found
    }


def test_two_values_of_the_contract_that_give_one_program(make_family):
    root = make_family(edit_contract=lambda text: text.replace('"function"]', '"function", "f"]'))
    assert only(root).startswith(
        f"{contract(root, 'torch_form = ')}torch_form=f and torch_form=function give one program"
    )


def test_values_that_a_rule_keeps_apart_are_no_finding(make_family):
    root = make_family(
        strategy='[where]\n"vacant is empty" = "alloc != \'vacant\' or factor > 77"',
        edit=lambda text: text.replace('"empty"]', '"empty", "vacant"]'),
    )
    assert findings(root) == []


def test_values_that_collapse_are_no_finding(make_family):
    root = make_family(
        strategy='[when]\nnum_warps = "BLOCK_SIZE > 64"',
        edit=lambda text: text.replace(
            "num_warps={{ num_warps }}", "num_warps={{ num_warps if BLOCK_SIZE > 64 else 1 }}"
        ),
    )
    assert findings(root) == []


def test_two_strategies_that_give_one_program(make_family):
    root = make_family()
    text = (root / "triton/tiny/flat.py.jinja").read_text()
    (root / "triton/tiny/again.py.jinja").write_text(text)
    found = only(root)
    assert found.startswith("triton/tiny/flat.py.jinja:1: this strategy gives the programs of ")
    assert "again.py.jinja" in found


def test_a_dimension_that_nothing_declares(make_family):
    root = make_family(contract='y = {shape = ["N", "K"]}')
    assert only(root).startswith(
        f"{contract(root, 'y = {')}unknown dimension; add it to [dims]: 'K'"
    )


def test_a_point_that_cannot_be_rendered(make_family):
    root = make_family(edit=before_mask("# {{ 6 // (factor - 2) }}"))
    assert findings(root)[0].startswith(f"{root}/{flat(root, 'factor - 2')}ZeroDivisionError")


def test_one_family_with_findings_hides_no_other(make_family):
    root = make_family("first", axes="extra = [1]")
    make_family("second", axes="extra = [1]")
    assert {text.split("/python/")[1].split(".")[0] for text in findings(root)} == {
        "first",
        "second",
    }
