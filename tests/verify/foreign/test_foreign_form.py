"""Reading a candidate: what is tolerated, what is missing, which functions are meant."""

from __future__ import annotations

import textwrap

import pytest

from tritongen.verify.foreign.form import FormError, read_blocks, read_parts

PYTHON = "def twice(x):\n    return x * 2\n"
TRITON = """@triton.jit
def kernel(x_ptr, out_ptr, n, BLOCK: tl.constexpr):
    offsets = tl.program_id(0) * BLOCK + tl.arange(0, BLOCK)
    tl.store(out_ptr + offsets, tl.load(x_ptr + offsets, mask=offsets < n) * 2, mask=offsets < n)


def twice(x):
    out = torch.empty_like(x)
    kernel[(triton.cdiv(x.numel(), 64),)](x, out, x.numel(), BLOCK=64)
    return out
"""
TEST = "def get_test_inputs():\n    return (torch.randn(200),)\n"


def blocks(python: str = PYTHON, triton: str = TRITON, test: str = TEST) -> str:
    sources = {"PYTHON": python, "TRITON": triton, "TEST": test}
    return "\n".join([f"# <{name}>\n{text}# </{name}>" for name, text in sources.items()])


def entries(python: str, triton: str) -> tuple[str, str]:
    form = read_parts(python, triton, TEST)
    return form.reference, form.wrapper


def problem(text: str, **options: str) -> str:
    with pytest.raises(FormError) as caught:
        read_blocks(text, **options)
    return caught.value.problem


@pytest.mark.parametrize(
    "change",
    [
        lambda text: text,
        lambda text: text.replace("\n", "\r\n"),
        lambda text: text.replace("\n", "\r"),
        lambda text: "\ufeff" + text,
        lambda text: textwrap.indent(text, "    "),
        lambda text: f"Here it is:\n\n```python\n{text}\n```\n",
        lambda text: text.replace("# </", "```\n# </").replace(">\n", ">\n```python\n"),
        lambda text: text.replace("# <", "<"),
        lambda text: text.replace("# <", "  ## <").lower().replace("block", "BLOCK"),
    ],
)
def test_blocks_are_found_however_they_are_wrapped(change):
    form = read_blocks(change(blocks()))
    assert (form.reference, form.wrapper) == ("twice", "twice")
    assert "def get_test_inputs" in form.test.text
    assert form.triton.text.lstrip().startswith("@triton.jit")
    assert "```" not in form.python.text + form.triton.text + form.test.text


def test_lines_are_those_of_the_file():
    text = blocks()
    form = read_blocks(text)
    lines = text.split("\n")
    for source in (form.python, form.triton, form.test):
        assert source.text.split("\n")[0] == lines[source.offset]


def test_all_that_is_missing_is_named_in_one_message():
    said = problem("# <PYTHON>\ndef f(x)\n# </PYTHON>\n# <TEST>\nx = 1\n# </TEST>\n# <TRITON>\n")
    assert "blocks are missing: TRITON (not closed)" in said
    assert "PYTHON does not parse (line 2: " in said
    assert "TEST does not define get_test_inputs()" in said


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("", "blocks are missing: PYTHON, TRITON, TEST"),
        (blocks().replace("TRITON>", "OTHER>"), "blocks are missing: TRITON"),
        (blocks()[: blocks().index("kernel[")], "TRITON (not closed), TEST"),
        (blocks(test=" \n"), "TEST (empty)"),
        (blocks() + "\n" + blocks(), "PYTHON (there are two)"),
        (blocks(triton="x = 1\n"), "TRITON has no entry function"),
        (blocks(python="x = 1\n"), "PYTHON has no entry function"),
        (blocks(python="def f(x): ...\ndef g(x): ...\n"), "PYTHON has several functions"),
        (blocks(triton="x = " + "(" * 5000 + "\n"), "TRITON does not parse"),
        (blocks(triton="x = " + "-" * 100_000 + "1\n"), "TRITON does not parse"),
        (blocks(triton="x = " + "1+" * 100_000 + "1\n"), "TRITON does not parse"),
        (blocks(triton="x = '\0'\n"), "TRITON does not parse"),
        ("x" * 500_000, "more than"),
    ],
)
def test_what_is_not_in_the_form_is_refused(text, message):
    assert message in problem(text)


def test_a_shared_name_is_the_entry_on_both_sides():
    more = "\n\ndef other(x):\n    return x\n"
    assert entries(PYTHON + more, TRITON + more.replace("other", "unused")) == ("twice", "twice")


def test_a_shared_helper_is_not_the_entry():
    python = "def scale(x):\n    return x * 2\n\n\ndef reference(x):\n    return scale(x)\n"
    triton = TRITON.replace("def twice", "def scale") + "\n\ndef wrapper(x):\n    return scale(x)\n"
    assert entries(python, triton) == ("reference", "wrapper")


def test_a_shared_name_counts_although_something_of_the_block_calls_it():
    assert entries(PYTHON, TRITON + "\n\ndef use(x):\n    return twice(x)\n") == ("twice", "twice")


def test_kernels_tests_and_benchmarks_are_no_entries():
    triton = TRITON.replace("def twice", "def launch")
    triton += "\n\n@triton.testing.perf_report([])\ndef measured(size):\n    launch(size)\n"
    triton += "\n\ndef test_it():\n    launch(1)\n\n\ndef benchmark():\n    launch(1)\n"
    triton += '\n\nif __name__ == "__main__":\n    benchmark()\n'
    assert entries(PYTHON, triton) == ("twice", "launch")


def test_the_function_that_reaches_a_kernel_is_the_entry():
    triton = TRITON.replace("def twice", "def launch") + "\n\ndef unused(x):\n    return x\n"
    assert entries(PYTHON, triton) == ("twice", "launch")


def test_a_decorator_imported_from_triton_marks_a_kernel():
    triton = "from triton import jit\n" + TRITON.replace("@triton.jit", "@jit")
    assert entries(PYTHON, triton.replace("def twice", "def launch")) == ("twice", "launch")


def test_an_autograd_function_is_entered_by_its_apply():
    triton = TRITON.replace("def twice", "def launch")
    triton += "\n\nclass Twice(torch.autograd.Function):\n    @staticmethod\n"
    triton += "    def forward(ctx, x):\n        return launch(x)\n\n\ndouble = Twice.apply\n"
    assert entries(PYTHON, triton) == ("twice", "double")


def test_a_module_stands_for_a_missing_function():
    python = "class Model(nn.Module):\n    def forward(self, x):\n        return x * 2\n"
    form = read_parts(python + "\n\ndef get_init_inputs():\n    return []\n", TRITON, TEST)
    assert (form.reference, form.wrapper) == ("Model", "twice")
    assert form.python.imports == ("import torch.nn as nn",)


def test_the_entry_that_is_asked_for_is_taken_or_refused():
    python = PYTHON + "\n\ndef other(x):\n    return x\n"
    assert read_parts(python, TRITON, TEST, entry="other:twice").reference == "other"
    assert "TRITON does not define other" in problem(blocks(python), entry="other")


def test_common_imports_are_supplied_where_a_block_lacks_them():
    triton = "from __future__ import annotations\nimport triton.language as tl\n" + TRITON
    triton += "\n\ndef helper(x: Optional[int], F=1) -> 'Tuple[int]':\n    return math.pi, twice\n"
    form = read_parts(PYTHON, triton.replace("def twice", "def launch"), TEST)
    assert set(form.triton.imports) == {
        *("import torch", "import triton", "import math"),
        *("from typing import Optional", "from typing import Tuple"),
    }
    assert form.triton.text.startswith("from __future__")


def test_what_a_block_defines_itself_is_not_supplied():
    form = read_parts("math = 3\n\n\ndef twice(x):\n    return x * math\n", TRITON, TEST)
    assert form.python.imports == ()


def test_what_only_runs_as_a_script_is_left_out():
    form = read_parts(PYTHON, TRITON + '\n\nif __name__ == "__main__":\n    import os\n', TEST)
    assert "import os" not in form.triton.text


def test_a_script_part_with_an_else_stays():
    text = '\n\nif __name__ == "__main__":\n    pass\nelse:\n    import os\n'
    assert "import os" in read_parts(PYTHON, TRITON + text, TEST).triton.text


def test_inputs_given_as_values_need_no_test():
    assert read_parts(PYTHON, TRITON, None).test is None


def test_a_reference_may_bring_its_inputs():
    assert read_parts(PYTHON + TEST, TRITON, "").reference == "twice"
    with pytest.raises(FormError, match=r"TEST does not define get_test_inputs\(\)"):
        read_parts(PYTHON, TRITON + TEST, "")
