"""The code in what a model wrote: three blocks, fenced code among words, or plain code."""

from __future__ import annotations

import ast
import re

from tritongen.verify.foreign.entries import candidates
from tritongen.verify.foreign.form import blocks_of
from tritongen.verify.foreign.names import is_kernel, origins, parse, statements

MAX_CHARACTERS = 1_000_000
MAX_FENCES = 64
_THOUGHT = re.compile(r"</(?:think|thinking|reasoning|thought)>", re.IGNORECASE)
_FENCE = re.compile(r"^[ \t]*(```+|~~~+)[ \t]*([\w+#.-]*)[^\n]*$", re.MULTILINE)
_LANGUAGES = ("", "py", "python", "python3", "triton", "code")
_CODE = re.compile(r"^(?:import |from |@|def |class |[A-Z_]+ *=)", re.MULTILINE)


def triton_code(completion: str) -> str:
    """The TRITON source of a completion; the text itself where no code is found.

    What stands before the end of a reasoning section is left out. A TRITON block is taken as it
    is. Of several fenced codes the last one that has a kernel and a wrapper is taken, else all of
    them together.
    """
    text = completion[-MAX_CHARACTERS:].replace("\r\n", "\n").replace("\r", "\n")
    answer = _THOUGHT.split(text)[-1]
    text = answer if answer.strip() else text
    block = blocks_of(text).get("TRITON")
    if block is not None:
        return block
    fenced = _fenced(text)
    whole = [code for code in fenced if _is_whole(code)]
    if whole:
        return whole[-1]
    if fenced:
        joined = "\n\n".join(fenced)
        return joined if _is_whole(joined) else fenced[-1]
    return _plain_code(text)


def _fenced(text: str) -> list[str]:
    """The fenced codes of a text, in order; one that is not closed reaches to the end."""
    found: list[str] = []
    opened: re.Match[str] | None = None
    for match in _FENCE.finditer(text):
        if opened is None:
            opened = match
        elif match[1].startswith(opened[1][:3]) and not match[2]:
            _add(found, opened, text[opened.end() : match.start()])
            opened = None
    if opened is not None:
        _add(found, opened, text[opened.end() :])
    return found[-MAX_FENCES:]


def _add(found: list[str], opened: re.Match[str], code: str) -> None:
    if opened[2].lower() in _LANGUAGES and code.strip():
        found.append(code.strip("\n") + "\n")


def _is_whole(code: str) -> bool:
    """Whether a source has a kernel and a function that could be the wrapper."""
    try:
        tree = parse(code)
        known = origins(tree)
        kernels = any(
            isinstance(node, ast.FunctionDef) and is_kernel(node, known)
            for node in statements(tree.body)
        )
        return kernels and bool(candidates(tree))
    except (SyntaxError, RecursionError):
        return False


def _plain_code(text: str) -> str:
    """A text without fences: as it is if it parses, else from its first line of code on."""
    try:
        parse(text)
    except SyntaxError:
        start = _CODE.search(text)
        return text[start.start() :] if start else text
    return text
