from __future__ import annotations

from dataclasses import replace

import pytest

import tritongen
from tritongen.catalog import catalog
from tritongen.errors import ConfigError
from tritongen.lint import lint
from tritongen.scaffold import new_family


def test_a_new_family_is_two_files(tmp_path):
    assert new_family("twice", tmp_path) == [
        tmp_path / "python/twice.py.jinja",
        tmp_path / "triton/twice/flat.py.jinja",
    ]
    assert tritongen.families(tmp_path)["twice"] == ("flat",)


def test_the_files_of_a_new_family_lint_clean(tmp_path):
    new_family("twice", tmp_path)
    known = catalog(tmp_path)
    assert lint(replace(known, families={"twice": known.family("twice")}, made={})) == []


def test_a_new_family_expands_without_repetition(tmp_path):
    new_family("twice", tmp_path)
    whole = tritongen.space("twice", templates=tmp_path)
    pairs = list(tritongen.expand("twice", templates=tmp_path))
    assert len({pair.id for pair in pairs}) == len(pairs) == whole.count
    for pair in pairs[:: len(pairs) // 8]:
        compile(pair.joined, pair.id, "exec")
        assert pair.family == "twice"


def test_a_pair_of_a_new_family_is_verified(tmp_path):
    new_family("twice", tmp_path)
    (pair,) = tritongen.expand("twice", limit=1, templates=tmp_path)
    verdict = tritongen.verify(pair, device="cpu")
    assert (verdict.status, verdict.reason) == ("passed", "")
    assert verdict.evidence == "interpreted"


def test_verification_sees_a_fault_put_into_a_new_family(tmp_path):
    strategy = new_family("twice", tmp_path)[1]
    text = strategy.read_text()
    strategy.write_text(text.replace("x * {{ factor }}", "x + {{ factor }}"))
    assert strategy.read_text() != text
    (pair,) = tritongen.expand("twice", limit=1, templates=tmp_path)
    assert tritongen.verify(pair, device="cpu").status == "failed"


@pytest.mark.parametrize("name", ["Twice", "2x", "a-b", "", "_mine", "../up", "lambda", "a b"])
def test_a_name_that_cannot_be_one_is_refused(tmp_path, name):
    with pytest.raises(ConfigError, match="family name: lower-case letters"):
        new_family(name, tmp_path)
    assert list(tmp_path.iterdir()) == []


def test_the_name_of_a_built_in_family_is_refused(tmp_path):
    with pytest.raises(ConfigError, match="a built-in family has this name: 'softmax'"):
        new_family("softmax", tmp_path)
    assert list(tmp_path.iterdir()) == []


@pytest.mark.parametrize("at", [0, 1])
def test_files_that_are_there_are_left_alone(tmp_path, at):
    path = new_family("twice", tmp_path)[at]
    path.write_text("my work")
    for other in tmp_path.rglob("*.jinja"):
        if other != path:
            other.unlink()
    with pytest.raises(ConfigError, match=rf"{path.name}: the file is already there"):
        new_family("twice", tmp_path)
    assert path.read_text() == "my work"
    assert list(tmp_path.rglob("*.jinja")) == [path]
