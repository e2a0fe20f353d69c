"""The code in what a model wrote."""

from __future__ import annotations

import pytest
from foreign_sources import TEST, TRITON, blocks

from tritongen.verify.foreign.completion import triton_code

KERNEL, WRAPPER = TRITON.split("\n\n\n")
WHOLE = "import torch\nimport triton\nimport triton.language as tl\n\n\n" + TRITON
OTHER = "def other(x):\n    return x + 1\n"


@pytest.mark.parametrize(
    "completion",
    [
        WHOLE,
        f"```python\n{WHOLE}```",
        f"```\n{WHOLE}```\n",
        f"Here is the kernel:\n\n```python\n{WHOLE}```\n\nIt runs like this:\n\n```bash\npython it.py\n```",
        f"```python\n{WHOLE}",
        f"~~~python\n{WHOLE}~~~\n",
        f"````py\n{WHOLE}````\nDone.",
        f"```python\n{OTHER}```\nNo, better:\n```python\n{WHOLE}```\nUse it so:\n```python\nprint(1)\n```",
        f"```python\n{WHOLE.replace('* 2', '* 9')}```\nThat is wrong. Corrected:\n```python\n{WHOLE}```",
        f"<think>\n```python\n{WHOLE.replace('* 2', '* 9')}```\n</think>\n```python\n{WHOLE}```",
        f"<thinking>Not ```this```.</thinking>\n{WHOLE}",
        f"Words before.\n{WHOLE}",
        f"```python\r\n{WHOLE}```".replace("\n", "\r\n").replace("\r\r", "\r"),
        blocks(triton=WHOLE),
        f"Sure!\n```python\n{blocks(triton=WHOLE)}\n```",
        f"# <TRITON>\n{WHOLE}# </TRITON>",
        f"- a list\n\n  ```python\n{WHOLE}  ```\n",
    ],
)
def test_the_code_is_found_among_words(completion):
    assert triton_code(completion).strip() == WHOLE.strip()


def test_code_in_several_fences_is_put_together():
    head = WHOLE.split("\n\n\n")[0] + "\n"
    text = (
        f"First\n```python\n{head}```\nthen\n```python\n{KERNEL}\n```\nand\n```python\n{WRAPPER}```"
    )
    found = triton_code(text)
    assert (
        found.index("import torch")
        < found.index("def twice_kernel")
        < found.index("def twice_triton")
    )


@pytest.mark.parametrize(
    "text", ["", "no code", "```", "``````", "<think>", "```python\n```", "\0"]
)
def test_what_has_no_code_gives_something_that_the_form_refuses(text):
    assert isinstance(triton_code(text), str)


def test_only_the_triton_block_of_a_completion_is_read():
    assert "get_test_inputs" not in triton_code(blocks(triton=WHOLE, test=TEST))


def test_a_very_long_text_is_read_from_its_end():
    assert triton_code("x" * 3_000_000 + f"\n```python\n{WHOLE}```").strip() == WHOLE.strip()
