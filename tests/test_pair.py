from __future__ import annotations

import json

import pytest

from tritongen import Pair, expand
from tritongen.errors import InputFileError


@pytest.fixture(scope="module")
def pair() -> Pair:
    return next(expand("elementwise", limit=1))


def test_a_record_round_trips_through_json(pair):
    assert Pair.from_record(json.loads(json.dumps(pair.to_record()))) == pair


def test_a_record_without_a_key_names_it(pair):
    record = pair.to_record()
    del record["triton_code"]
    with pytest.raises(InputFileError, match="triton_code"):
        Pair.from_record(record)


def test_blocks_round_trip(pair):
    again = Pair.from_blocks(pair.to_blocks())
    assert (again.python_code, again.triton_code, again.test_code) == (
        pair.python_code,
        pair.triton_code,
        pair.test_code,
    )


def test_the_joined_sources_are_one_module_and_each_compiles_alone(pair):
    for source in (pair.python_code, pair.triton_code, pair.test_code, pair.joined):
        compile(source, "pair", "exec")
    assert pair.metadata["entry"]["reference"] != pair.metadata["entry"]["wrapper"]


BLOCKS = """# <PYTHON>
def f(x):
    return torch.relu(x) * math.pi
# </PYTHON>
# <TRITON>
@triton.jit
def k(x_ptr, n: tl.constexpr):
    pass
# </TRITON>
# <TEST>
def get_test_inputs():
    return (torch.ones(3, device='cuda'),)
# </TEST>
"""


@pytest.mark.parametrize("end", ["\r\n", "\r"])
def test_line_ends_of_other_systems_are_read(end):
    assert Pair.from_blocks(BLOCKS.replace("\n", end)) == Pair.from_blocks(BLOCKS)
    assert Pair.from_blocks("\ufeff" + BLOCKS) == Pair.from_blocks(BLOCKS)


def test_missing_imports_are_supplied_once():
    pair = Pair.from_blocks(BLOCKS)
    assert pair.python_code.startswith("import torch\nimport math\n")
    assert pair.triton_code.startswith("import triton\nimport triton.language as tl\n")
    assert Pair.from_blocks(pair.to_blocks()).python_code == pair.python_code


def test_an_import_that_is_there_is_not_supplied_again():
    text = BLOCKS.replace(
        "# <PYTHON>\n", "# <PYTHON>\nimport torch.nn.functional as F, math\nfrom x import torch\n"
    )
    assert Pair.from_blocks(text).python_code.count("import torch\n") == 1


def test_all_missing_blocks_are_named_in_one_message():
    with pytest.raises(InputFileError, match=r"\['PYTHON', 'TEST'\]"):
        Pair.from_blocks("# <TRITON>\npass\n# </TRITON>\n")


def test_a_test_block_without_inputs_is_refused():
    with pytest.raises(InputFileError, match="get_test_inputs"):
        Pair.from_blocks(BLOCKS.replace("get_test_inputs", "inputs"))
