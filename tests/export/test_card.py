"""The dataset card."""

from __future__ import annotations

import pytest
import yaml

from tritongen.export.card import _size
from tritongen.export.parquet import SCHEMA


def card(out):
    text = (out / "README.md").read_text()
    _, front, body = text.split("---\n", 2)
    return yaml.safe_load(front), body


def test_the_front_matter_names_the_splits_the_licence_and_the_size(build_fake):
    front, body = card(build_fake(license="mit", name='A "quoted": name'))
    assert front["license"] == "mit"
    assert front["pretty_name"] == 'A "quoted": name'
    assert front["size_categories"] == ["n<1K"]
    assert front["configs"] == [
        {
            "config_name": "default",
            "data_files": [
                {"split": split, "path": f"{split}/*.parquet"}
                for split in ("train", "validation", "test")
            ],
        }
    ]
    assert body.startswith('\n# A "quoted": name\n')


def test_a_split_with_ratio_zero_is_not_in_the_card(build_fake):
    front, body = card(build_fake(split={"train": 0.8, "validation": 0.2, "test": 0.0}))
    files = front["configs"][0]["data_files"]
    assert [item["split"] for item in files] == ["train", "validation"]
    assert "| family | train | validation | all |" in body


def test_an_unverified_dataset_says_so(build_fake):
    _, body = card(build_fake())
    assert "**Not verified.**" in body
    assert "passed and entered" not in body


def test_the_features_for_jsonl_are_those_of_the_parquet_schema(build_fake):
    datasets = pytest.importorskip("datasets")
    front, _ = card(build_fake(format="jsonl"))
    features = datasets.Features._from_yaml_list(front["dataset_info"]["features"])
    assert features == datasets.Features.from_arrow_schema(SCHEMA)


@pytest.mark.parametrize(
    ("n", "name"),
    [(0, "n<1K"), (999, "n<1K"), (1000, "1K<n<10K"), (10**6, "1M<n<10M"), (10**12, "n>1T")],
)
def test_size_categories_are_those_of_the_hub(n, name):
    assert _size(n) == name


def test_the_card_does_not_change_between_builds(build_fake, tmp_path):
    first = (build_fake() / "README.md").read_bytes()
    second = (build_fake(out=str(tmp_path / "other")), tmp_path / "other" / "README.md")[1]
    assert first == second.read_bytes()
