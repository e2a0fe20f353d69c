"""The configuration: what is read, and how faults are told."""

from __future__ import annotations

from pathlib import Path

import pytest

from tritongen.errors import ConfigError
from tritongen.pipeline.config import BuildConfig, load_config


@pytest.mark.parametrize(
    ("values", "message"),
    [
        (
            {"cuont": 3},
            r"^config: cuont: unknown key: 'cuont'; did you mean 'count'\?; known: ",
        ),
        ({"verify": {"devise": 1}}, r"verify.devise: unknown key: .*'device'\?; known: device,"),
        (
            {"verify": {"device": "gpu"}},
            r"verify.device: .*: 'gpu'; did you mean 'cpu'\?; known",
        ),
        ({"families": {"softmax": {"wieght": 2}}}, r"families.softmax.wieght: .*'weight'\?"),
        ({"families": {"softmax": {"weight": 0}}}, r"families.softmax.weight: .*greater than 0: 0"),
        ({"families": {"a": {"where": {"op": [{}]}}}}, r"families.a.where.op\[0\]: "),
        ({"families": ["a", "a"]}, r"families: the family 'a' stands twice"),
        ({"families": [3]}, r"families: a family's name must be a string, not 3"),
        ({"families": []}, r"families: "),
        ({"where": {"op": []}}, r"where.op: "),
        ({"split": {"train": 0.5}}, r"split: train \+ validation \+ test is 0.6, not 1"),
        (
            {"split": {"train": 0, "test": 1}},
            r"split.train: .*greater than 0: 0; wrong as",
        ),
        ({"count": "7"}, r"count: .*integer: '7'"),
        ({"count": 0}, r"count: .*greater than or equal to 1: 0"),
        ({"count": True}, r"count: .*integer: True"),
        ({"format": "csv", "seed": -1}, r"seed: .*-1; wrong as well: format"),
        ({"verify": 3}, r"verify: .*: 3"),
        ({"templates": "mine"}, r"templates: .*list: 'mine'"),
    ],
)
def test_a_fault_is_told_with_its_field_its_value_and_what_is_known(values, message):
    with pytest.raises(ConfigError, match=message):
        load_config(values)


def test_a_file_gives_its_fields_and_templates_beside_it(tmp_path):
    (tmp_path / "build.toml").write_text(
        'out = "here"\ncount = 7\nfamilies = ["softmax"]\ntemplates = ["mine"]\n'
        '[where]\ndtype = "float16"\n[verify]\ndevice = "none"\n'
    )
    config = load_config(tmp_path / "build.toml")
    assert config.count == 7
    assert config.out == Path("here")
    assert config.templates == [tmp_path / "mine"]
    assert config.where == {"dtype": ["float16"]}
    assert list(config.families or {}) == ["softmax"]
    assert load_config(str(tmp_path / "build.toml")) == config
    assert load_config(config) is config


@pytest.mark.parametrize(
    ("content", "message"),
    [
        (None, r"build.toml: there is no such file; examples/"),
        (b"count = 3\n[verify\n", r"build.toml: is not whole TOML: .*line 2"),
        (b"count = ", r"build.toml: is not whole TOML"),
        (b"name = '\xff'", r"build.toml: is not text in UTF-8"),
    ],
)
def test_a_file_that_cannot_be_read_is_named(tmp_path, content, message):
    path = tmp_path / "build.toml"
    if content is not None:
        path.write_bytes(content)
    with pytest.raises(ConfigError, match=message):
        load_config(path)


def test_a_folder_in_place_of_a_file_is_named(tmp_path):
    with pytest.raises(ConfigError, match="cannot be read"):
        load_config(tmp_path)


def test_values_of_a_filter_keep_their_type():
    config = load_config({"where": {"a": [1, True, 2.5, "x"], "b": False}})
    assert [type(v) for v in config.where["a"]] == [int, bool, float, str]
    assert config.where["b"] == [False]


def test_the_hash_follows_the_content_and_not_the_place_or_the_workers():
    base = BuildConfig()
    same = {"out": "elsewhere", "verify": {"workers": 7}}
    assert load_config(same).digest() == base.digest()
    for other in ({"seed": 1}, {"verify": {"device": "cpu"}}, {"where": {"a": 1}}, {"tuning": 2}):
        assert load_config(other).digest() != base.digest()


def test_oversampling_adds_to_the_attempts():
    assert load_config({"count": 300, "oversample": 0.1}).attempts == 330


@pytest.mark.parametrize("name", ["full", "million", "demo"])
def test_the_examples_are_valid(name):
    path = Path(__file__).parents[2] / "examples" / f"{name}.toml"
    config = load_config(path)
    assert config.count >= (10**6 if name == "million" else 300)


def test_the_full_example_shows_every_field():
    text = (Path(__file__).parents[2] / "examples" / "full.toml").read_text()
    from tritongen.pipeline import config as module

    for model in (BuildConfig, module.VerifyConfig, module.SplitConfig, module.FamilyConfig):
        for field in model.model_fields:
            assert field in text, f"{model.__name__}.{field}"


def test_fields_that_are_none_are_as_if_left_out():
    given = {"families": None, "verify": {"targets": None, "workers": None}}
    assert load_config(given) == load_config({})
    assert load_config({"families": {"softmax": {"strategies": None}}}) == load_config(
        {"families": ["softmax"]}
    )
