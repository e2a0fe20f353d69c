"""Reading a candidate: three blocks, their entry points, and all that is missing in one message.

A file has the blocks `# <PYTHON>` (the reference), `# <TRITON>` (kernels and wrapper) and
`# <TEST>` (which defines `get_test_inputs()`), each closed by `# </NAME>`. Windows line ends,
indented blocks and Markdown fences are tolerated. Each block is a module of its own: TEST also
sees the names of PYTHON, TRITON sees neither. The body of `if __name__ == "__main__":` never runs
and is left out.
"""

from __future__ import annotations

import ast
import re
import textwrap
from dataclasses import dataclass

from tritongen.errors import InputFileError
from tritongen.verify.foreign.entries import INPUTS, OTHER_INPUTS, candidates, entries
from tritongen.verify.foreign.names import missing_imports, parse, top_level_names

BLOCKS = ("PYTHON", "TRITON", "TEST")
MAX_CHARACTERS = 400_000
HINT = "a file has blocks `# <PYTHON>`, `# <TRITON>`, `# <TEST>`, each closed by `# </NAME>`"
_MARKER = re.compile(r"[ \t]*#{0,3}[ \t]*<(/?)(PYTHON|TRITON|TEST)>[ \t]*$", re.IGNORECASE)


class FormError(InputFileError):
    """A candidate is not in the form; `problem` names all that is missing or wrong."""


@dataclass(frozen=True, slots=True)
class Source:
    """One block: its text, the imports supplied to it, the number of file lines before it."""

    text: str
    imports: tuple[str, ...] = ()
    offset: int = 0


@dataclass(frozen=True, slots=True)
class Form:
    """A candidate that can be judged.

    `reference` and `wrapper` name a function, or a class with `forward` that is made without
    arguments. `test` is None where the inputs are given as values.
    """

    python: Source
    triton: Source
    test: Source | None
    reference: str
    wrapper: str


def read_blocks(text: str, *, place: str = "candidate", entry: str | None = None) -> Form:
    """The candidate in a text of the three-block form.

    `entry` names the entry point of both sides, or `REFERENCE:WRAPPER`. Raises FormError.
    """
    if len(text) > MAX_CHARACTERS:
        raise FormError(place, f"the text has more than {MAX_CHARACTERS:,} characters")
    sources, problems = _blocks(_plain(text))
    try:
        return _form(sources, problems, entry)
    except _NoFormError as error:
        raise FormError(place, str(error), hint=HINT if problems else "") from None


def read_parts(
    python: str,
    triton: str,
    test: str | None,
    *,
    place: str = "candidate",
    entry: str | None = None,
) -> Form:
    """The candidate of three sources; `test` None where the inputs are given as values.

    An empty `test` is looked for in the reference, which may define `get_test_inputs` itself.
    Raises FormError.
    """
    for part in (python, triton, test or ""):
        if len(part) > MAX_CHARACTERS:
            raise FormError(place, f"a source has more than {MAX_CHARACTERS:,} characters")
    sources = {"PYTHON": Source(_plain(python)), "TRITON": Source(_plain(triton))}
    if test is not None:
        sources["TEST"] = Source(_plain(test))
    try:
        return _form(sources, [], entry, inputs_given=test is None)
    except _NoFormError as error:
        raise FormError(place, str(error)) from None


class _NoFormError(Exception):
    """What is missing, joined."""


def _plain(text: str) -> str:
    return text.removeprefix("\ufeff").replace("\r\n", "\n").replace("\r", "\n")


def _blocks(text: str) -> tuple[dict[str, Source], list[str]]:
    """The blocks of a text, and what is wrong with them."""
    lines = text.split("\n")
    found: dict[str, Source] = {}
    notes: dict[str, str] = {}
    opened, start = "", 0
    for number, line in enumerate([*lines, ""]):
        match = _MARKER.match(line)
        last = number == len(lines)
        if not last and (match is None or (match[1] and match[2].upper() != opened)):
            continue
        name = match[2].upper() if match else ""
        if opened and (last or (match and not match[1])):
            notes[opened] = f"{opened} (not closed)"
        elif opened:
            if opened in found:
                notes[opened] = f"{opened} (there are two)"
            found[opened] = Source(_dedented(lines[start:number]), (), start)
        opened, start = (name, number + 1) if match and not match[1] else ("", 0)
    for name in BLOCKS:
        if name in found and not found[name].text.strip():
            notes[name] = f"{name} (empty)"
        elif name not in found:
            notes.setdefault(name, name)
    wrong = [notes[name] for name in BLOCKS if name in notes]
    usable = {name: source for name, source in found.items() if name not in notes}
    return usable, [f"blocks are missing: {', '.join(wrong)}"] if wrong else []


def blocks_of(text: str) -> dict[str, str]:
    """The whole blocks of a text by name, whatever else it has or lacks."""
    found, _ = _blocks(_plain(text))
    return {name: source.text for name, source in found.items()}


def _dedented(lines: list[str]) -> str:
    """A block without Markdown fences and common indentation; line numbers stay."""
    filled = [i for i, line in enumerate(lines) if line.strip()]
    if filled and lines[filled[0]].strip().startswith("```"):
        lines = [*lines]
        for index in (filled[0], filled[-1]):
            if lines[index].strip().startswith("```"):
                lines[index] = ""
    first = next((line for line in lines if line.strip()), "")
    text = "\n".join(lines) + "\n"
    return textwrap.dedent(text) if first[:1] in (" ", "\t") else text


def _form(
    sources: dict[str, Source], problems: list[str], entry: str | None, inputs_given: bool = False
) -> Form:
    problems = list(problems)
    trees: dict[str, ast.Module] = {}
    for name, source in sources.items():
        try:
            trees[name] = parse(source.text)
            text = _without_main(source.text, trees[name])
            trees[name] = parse(text)
            sources[name] = Source(text, missing_imports(trees[name]), source.offset)
        except SyntaxError as error:
            line = (error.lineno or 1) + source.offset
            problems.append(f"{name} does not parse (line {line}: {error.msg})")
            trees.pop(name, None)
    if "TEST" in trees and not inputs_given:
        defined = top_level_names(trees["TEST"])
        if not trees["TEST"].body and "PYTHON" in trees:
            defined += top_level_names(trees["PYTHON"])
        if INPUTS not in defined and OTHER_INPUTS not in defined:
            problems.append(f"TEST does not define {INPUTS}()")
    reference = wrapper = ""
    if "PYTHON" in trees and "TRITON" in trees:
        named = tuple((entry or "").split(":")) if entry else ()
        reference, wrapper, wrong = entries(trees["PYTHON"], trees["TRITON"], named)
        problems += wrong
    elif entry is None:
        for name in {"PYTHON", "TRITON"} & trees.keys():
            if not candidates(trees[name]):
                problems.append(f"{name} has no entry function")
    if problems:
        raise _NoFormError("; ".join(problems))
    return Form(sources["PYTHON"], sources["TRITON"], sources.get("TEST"), reference, wrapper)


def _without_main(text: str, tree: ast.Module) -> str:
    """The text with `if __name__ == "__main__":` blanked; line numbers stay."""
    lines = text.split("\n")
    for node in tree.body:
        if not isinstance(node, ast.If) or node.orelse:
            continue
        if ast.unparse(node.test).replace('"', "'") == "__name__ == '__main__'":
            for number in range(node.lineno - 1, node.end_lineno or node.lineno):
                lines[number] = ""
    return "\n".join(lines)
