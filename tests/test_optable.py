"""The loader of op tables and domains. The built-in tables have tests of their own in test_optables.py."""

from __future__ import annotations

from pathlib import Path

import pytest

from tritongen.errors import TemplateError
from tritongen.optable import Domain, fill, fill_words, is_compound, load_domains, load_table

DOMAINS = {
    "real": Domain("real", -4.0, 4.0),
    "unit": Domain("unit", 0.0, 1.0),
    "positive": Domain("positive", 0.25, 4.0, 0.25),
}


@pytest.fixture
def load(tmp_path: Path):
    def read(text: str):
        path = tmp_path / "some.toml"
        path.write_text(text)
        return load_table(path, DOMAINS)

    return read


def test_a_record_without_keys_is_a_unary_float_op_over_reals(load):
    op = load("[leaky_relu]\n")["leaky_relu"]
    assert (op.table, op.arity, op.title, op.dtypes) == ("some", 1, "leaky relu", ("float",))
    assert op.accepts == op.draws == (DOMAINS["real"],)


def test_an_unknown_key_names_file_line_op_and_a_near_key(load):
    with pytest.raises(TemplateError, match=r"some\.toml:4: \[b\].*'trch'; did you mean 'torch'"):
        load('[a]\ntorch = "{0}"\n\n[b]\ntrch = "{0}"\n')


@pytest.mark.parametrize(
    ("line", "key"),
    [
        ("torch = 3", "torch"),
        ('arity = "2"', "arity"),
        ('dtypes = "float"', "dtypes"),
        ("exact = 1", "exact"),
        ('ulps = "2"', "ulps"),
        ("params = [1]", "params"),
    ],
)
def test_a_value_of_the_wrong_type_names_the_key(load, line, key):
    with pytest.raises(TemplateError, match=rf"some\.toml:1: \[a\] {key}: value of the wrong type"):
        load(f"[a]\n{line}\n")


@pytest.mark.parametrize(
    "line",
    [
        'accepts = "reel"',
        'draws = "reel"',
        'image = "reel"',
        'image = { unit = "reel", default = "real" }',
        'image = { reel = "unit", default = "real" }',
        'identity_on = "reel"',
    ],
)
def test_an_unknown_domain_names_the_known_ones(load, line):
    with pytest.raises(
        TemplateError, match=r"unknown domain: 'reel'; did you mean 'real'\?; known: real, unit"
    ):
        load(f"[a]\n{line}\n")


def test_a_domain_that_is_no_name_is_refused(load):
    with pytest.raises(TemplateError, match="unknown domain"):
        load('[a]\naccepts = [["real"]]\n')


def test_domains_are_one_for_all_arguments_or_one_for_each(load):
    ops = load(
        '[a]\narity = 2\naccepts = "unit"\n[b]\narity = 2\naccepts = ["unit", "real"]\n'
        'draws = ["positive", "unit"]\n'
    )
    assert [str(domain) for domain in ops["a"].accepts] == ["unit", "unit"]
    assert [str(domain) for domain in ops["b"].accepts] == ["unit", "real"]
    assert [str(domain) for domain in ops["b"].draws] == ["positive", "unit"]


def test_too_few_domains_for_the_arguments_are_refused(load):
    with pytest.raises(TemplateError, match="one domain for each of 3 arguments"):
        load('[a]\narity = 3\naccepts = ["unit", "real"]\n')


def test_an_image_is_the_first_that_the_argument_fits_in(load):
    op = load('[a]\nimage = { positive = "positive", unit = "unit", default = "real" }\n')["a"]
    inside = Domain("inside", 0.5, 1.0, 0.5)
    assert str(op.image_of(inside)) == "positive"
    assert str(op.image_of(DOMAINS["unit"])) == "unit"
    assert str(op.image_of(DOMAINS["real"])) == "real"


def test_the_default_image_comes_last_wherever_it_stands(load):
    op = load('[a]\nimage = { default = "real", unit = "unit" }\n')["a"]
    assert str(op.image_of(DOMAINS["unit"])) == "unit"


def test_a_table_of_images_needs_a_default(load):
    with pytest.raises(TemplateError, match="needs `default`"):
        load('[a]\nimage = { unit = "unit" }\n')


def test_an_unknown_kind_of_values_is_refused(load):
    with pytest.raises(TemplateError, match=r"unknown kind: 'flot'; did you mean 'float'"):
        load('[a]\ndtypes = ["flot"]\n')


def test_fields_of_a_table_have_its_defaults(load):
    ops = load('[_fields]\nform = "fold"\nscale = 0.0\n[a]\n[b]\nform = "arg"\nscale = 2\n')
    assert dict(ops["a"].extra) == {"form": "fold", "scale": 0.0}
    assert dict(ops["b"].extra) == {"form": "arg", "scale": 2}


def test_a_field_of_a_table_keeps_the_type_of_its_default(load):
    with pytest.raises(TemplateError, match=r"\[a\] form: value of the wrong type: 3"):
        load('[_fields]\nform = "fold"\n[a]\nform = 3\n')


@pytest.mark.parametrize("values", ["1", "[]"])
def test_a_parameter_needs_values(load, values):
    with pytest.raises(TemplateError, match="slope needs a list of values"):
        load(f"[a]\nparams = {{ slope = {values} }}\n")


@pytest.mark.parametrize("text", ["[a\n", '[a]\ntorch = "x', "torch = = 1\n"])
def test_a_half_written_table_names_file_and_line(load, text):
    with pytest.raises(TemplateError, match=r"some\.toml:\d+: not valid TOML"):
        load(text)


def test_an_unreadable_table_is_named(tmp_path):
    path = tmp_path / "some.toml"
    path.write_bytes(b"\xff\xfe")
    with pytest.raises(TemplateError, match=r"some\.toml: cannot be read"):
        load_table(path, DOMAINS)
    with pytest.raises(TemplateError, match=r"missing\.toml: cannot be read"):
        load_table(tmp_path / "missing.toml", DOMAINS)


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("[a]\nlo = 0.0\n", "a domain has lo, hi"),
        ("[a]\nlo = 0.0\nhi = 1.0\nleast = 1.0\n", r"\['least'\]"),
        ('[a]\nlo = "0"\nhi = 1.0\n', "bounds are numbers"),
        ("[a]\nlo = 2.0\nhi = 1.0\n", "no value lies within"),
        ("[a]\nlo = -1.0\nhi = 1.0\nmin_abs = 2.0\n", "no value lies within"),
        ("a = 3\n", "a domain is a table"),
    ],
)
def test_a_wrong_domain_names_its_line(tmp_path, text, message):
    path = tmp_path / "_domains.toml"
    path.write_text(text)
    with pytest.raises(TemplateError, match=rf"_domains\.toml:1: \[a\]: .*{message}"):
        load_domains(path)


def test_a_domain_lies_within_another_by_bounds_and_least_size():
    assert DOMAINS["unit"].within(DOMAINS["real"])
    assert DOMAINS["positive"].within(DOMAINS["real"])
    assert not DOMAINS["real"].within(DOMAINS["positive"])
    assert not Domain("a", 0.25, 4.0).within(DOMAINS["positive"])


@pytest.mark.parametrize(
    ("template", "args", "code"),
    [
        ("-{0}", ("x",), "-x"),
        ("-{0}", ("x + y",), "-(x + y)"),
        ("{0} * {1}", ("x + y", "z"), "(x + y) * z"),
        ("{0} * {1}", ("f(x)", "z[0]"), "f(x) * z[0]"),
        ("f({0})", ("x + y",), "f(x + y)"),
        ("f({0}, {1})", ("-x", "y * z"), "f(-x, y * z)"),
        ("{0}.neg()", ("x + y",), "(x + y).neg()"),
        ("f({0}.abs())", ("x + y",), "f((x + y).abs())"),
        ("f({0} > 0)", ("x + y",), "f((x + y) > 0)"),
        ("{0}[1]", ("x + y",), "(x + y)[1]"),
        ("{0}", ("x + y",), "x + y"),
    ],
)
def test_arguments_get_parentheses_exactly_where_they_need_them(template, args, code):
    assert fill(template, args) == code


def test_filling_keeps_the_meaning_of_every_argument():
    scope = {"x": 2.0, "y": 3.0}
    for arg in ("x", "-x", "x + y", "x ** y", "x if y else x", "x < y", "not x", "x, y"):
        if is_compound(arg):
            assert eval(fill("-{0} * 2", (arg,)), scope) == -(eval(arg, scope)) * 2


def test_parameters_are_literals():
    assert fill("f({0}, {slope})", ("x",), {"slope": 0.01}) == "f(x, 0.01)"
    assert fill_words("add {1} to {0}, {n} times", ("x", "y"), {"n": 2}) == "add y to x, 2 times"
