from __future__ import annotations

import subprocess
import sys

import pytest

import tritongen
from tritongen.errors import UnknownNameError


def run(code: str, **env: str) -> str:
    import os

    result = subprocess.run(
        [sys.executable, "-c", code],
        capture_output=True,
        text=True,
        env={**os.environ, **env},
        check=True,
    )
    return result.stdout


def test_importing_and_expanding_load_neither_torch_nor_triton():
    code = (
        "import sys, tritongen; list(tritongen.expand('elementwise', limit=3));"
        "print(sorted({'torch', 'triton', 'pydantic', 'pyarrow', 'numpy'} & set(sys.modules)))"
    )
    assert run(code).strip() == "[]"


def test_bytes_do_not_depend_on_the_hash_seed():
    code = (
        "import tritongen, hashlib, json; print(hashlib.sha256(json.dumps("
        "[p.to_record() for p in tritongen.expand(limit=60)]).encode()).hexdigest())"
    )
    assert run(code, PYTHONHASHSEED="1") == run(code, PYTHONHASHSEED="2")


def test_expand_is_lazy():
    pairs = tritongen.expand("elementwise")
    assert next(pairs).family == "elementwise"


def test_where_filters_what_is_expanded():
    pairs = list(
        tritongen.expand("elementwise", where={"op": ["gelu"], "dtype": ["float16"]}, limit=6)
    )
    assert {pair.metadata["op"] for pair in pairs} == {"gelu"}
    assert {tuple(pair.metadata["dtypes"]) for pair in pairs} == {("float16",)}
    assert all(
        "float32" not in pair.test_code.split("DTYPES = ")[1].split("\n")[0] for pair in pairs
    )


@pytest.mark.parametrize(
    "arguments",
    [
        {"family": "sofmax"},
        {"family": "elementwise", "strategy": "flt"},
        {"family": "elementwise", "where": {"op": ["gleu"]}},
        {"family": "elementwise", "limit": -1},
    ],
)
def test_bad_arguments_are_refused_at_the_call(arguments):
    with pytest.raises(UnknownNameError):
        tritongen.expand(**arguments)


def test_a_filter_on_an_op_keeps_all_its_kinds():
    pairs = list(tritongen.expand("elementwise", where={"op": ["neg"]}, limit=30))
    assert {pair.metadata["dtypes"][0] for pair in pairs} == {"float32", "int32"}


def test_families_name_their_strategies():
    assert "flat" in tritongen.families()["elementwise"]


def test_space_answers_by_index_and_by_sample():
    whole = tritongen.space("elementwise")
    assert whole[whole.count - 1].values == whole[-1].values
    texts = [p.program + p.presentation for p in whole.sample(50, 3)]
    assert len(set(texts)) == 50


def test_descriptions_are_sentences_of_several_makes():
    pairs = list(tritongen.expand("elementwise", limit=60))
    assert all(pair.description[0].isupper() and pair.description.endswith(".") for pair in pairs)
    assert len({pair.description.split()[0] for pair in pairs}) > 4
