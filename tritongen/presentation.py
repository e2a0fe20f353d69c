"""Presents a program: names by a style, comments and docstrings as asked, lines broken as ruff does.

A program text is written in canonical identifiers with every statement on one line. What becomes of a
line depends on that line, its scope (host or kernel) and, where it mentions a function of the pair, on the
length of the pair's name; so each distinct line is worked out once per style, and a program is presented
by looking its lines up. A line is taken apart once for all styles; the pair's name is a placeholder until
the text is finished, so that pairs which differ in their name alone share the cached lines.

Styles cannot capture among canonical identifiers (see naming). Identifiers outside the vocabulary keep
their names; where a style gives such a name to another identifier of the same program, the program is
shown with all its canonical names (only functions are called as the style has it).
"""

from __future__ import annotations

import re
from collections.abc import Callable
from functools import lru_cache
from itertools import groupby
from typing import Literal

from tritongen.errors import RenderError
from tritongen.layout import wrap
from tritongen.naming import HOST, KERNEL, Style, entry_names, load_styles

__all__ = ["DOCSTRINGS", "Program", "Style", "entry_names", "load_styles", "present"]

Docstring = Literal["full", "numpy", "brief", "none"]
DOCSTRINGS: tuple[Docstring, ...] = ("full", "numpy", "brief", "none")
Rename = Callable[[str], str]
Runs = list[tuple[int, list[str]]]

WIDTH = 88
# No source has these: letters that hold the place of the pair's name (of one byte, which keeps texts
# small and fast), and a mark on lines to look at again.
_NAME, _CAMEL, _SUSPECT = "\u00aa", "\u00ba", "\x01"
# Holds the place of an identifier while a line is taken apart; a letter, as what it stands for.
_HOLE = "\u01c0"
_PLACEHOLDERS = re.compile(f"{_NAME}+|{_CAMEL}+")
# Kinds of items are sums: KERNEL or HOST, mentions a function of the pair, is a docstring.
_MENTIONS, _DOCSTRING = 2, 4
_BLANK = (HOST, ["", ""])

_STRING = r""""(?:[^"\\]|\\.)*"|'(?:[^'\\]|\\.)*'"""
_TOKEN = re.compile(
    rf"(?P<comment>#.*)|(?<![\w.])(?P<prefix>[rRfFbB]{{0,2}})(?P<string>{_STRING})"
    r"|(?<![\w.])(?P<name>[A-Za-z_]\w*)(?P<keyword>=(?!=))?"
)
_IDENTIFIER = re.compile(r"(?<![\w.])[A-Za-z_]\w*")
_FIELD = re.compile(r"(?<!\{)\{([^{}]+)\}")
_NAMED_STRINGS = re.compile(
    r"\b(?:key|reset_to_zero|restore_value|do_not_specialize)=\[|heuristics\("
)
_INDEXED = ("meta[", "args[", "nargs[")
_PROSE = re.compile(
    r"(?P<code>`+[^`]+`+|\([A-Z][A-Z0-9_]*(?:, [A-Z0-9][A-Z0-9_]*)*,?\))"
    r"|(?<![\w.])(?P<word>[A-Za-z_]\w*)"
)
_MENTION = re.compile(r"\b(?:reference|Reference|wrapper|kernel|test_pair|kernel_\w+|helper_\w+)\b")
_SECTION = re.compile(r"( *)(Args|Returns|Raises|Yields|Notes?|Examples?):")
_TITLES = {"Args": "Parameters", "Note": "Notes", "Example": "Examples"}
_ENTRY = re.compile(r"( *)(\*{0,2}\w+(?:, \*{0,2}\w+)*)(?: \(([^()]*)\))?: (.*)")
_TYPED = re.compile(
    r"( *)((?:torch\.)?(?:Tensor|dtype|device)|tuple\[[^:]*\]|int|float|bool|None): (.*)"
)
_TRAILING = re.compile(rf"((?:{_STRING}|[^#\"'])*?\S)  (#.*)")


class _Cache(dict[str, str]):
    """Texts by key, made at the first request; emptied when it has grown to `limit`."""

    __slots__ = ("limit", "make")

    def __init__(self, make: Rename, limit: int) -> None:
        super().__init__()
        self.make = make
        self.limit = limit

    def __missing__(self, key: str) -> str:
        if len(self) >= self.limit:
            self.clear()
        text = self[key] = self.make(key)
        return text


# -- taking lines and docstrings apart -------------------------------------------------------------


def rename_code(line: str, rename: Rename) -> str:
    """Rename in a line of code: nothing after a dot; keywords of calls only in upper case."""
    named = _NAMED_STRINGS.search(line) is not None
    parametrized = "parametrize(" in line
    defines = line.lstrip(" ").startswith("def ")

    def replace(match: re.Match[str]) -> str:
        word = match["name"]
        if word is not None:
            if match["keyword"] is None:
                return rename(word)
            return f"{rename(word) if defines or word.isupper() else word}="
        string = match["string"]
        if string is None:
            return rename_prose(match[0], rename)
        prefix, content = match["prefix"], string[1:-1]
        if "f" in prefix.lower():
            content = _FIELD.sub(lambda field: f"{{{_rename_field(field[1], rename)}}}", content)
        elif content.isidentifier():
            indexed = line.endswith(_INDEXED, 0, match.start())
            if content.isupper() or named or indexed or parametrized:
                content = rename(content)
        elif parametrized and line.endswith("parametrize(", 0, match.start()):
            content = _IDENTIFIER.sub(lambda found: rename(found[0]), content)
        return f"{prefix}{string[0]}{content}{string[-1]}"

    return _TOKEN.sub(replace, line)


def _rename_field(field: str, rename: Rename) -> str:
    """Rename in a replacement field of an f-string, not in its conversion and format."""
    depth = 0
    for index, char in enumerate(field):
        depth += (char in "([") - (char in ")]")
        if depth == 0 and char in ":!" and field[index : index + 2] != "!=":
            return rename_code(field[:index], rename) + field[index:]
    return rename_code(field, rename)


def rename_prose(text: str, rename: Rename) -> str:
    """Rename in a comment or docstring what is code for sure.

    That is: words with an underscore, words of upper-case letters (more than one), everything in
    backticks, and upper-case names listed in parentheses, as the dimensions of a shape are.
    """

    def replace(match: re.Match[str]) -> str:
        word = match["word"]
        if word is None:
            return _IDENTIFIER.sub(lambda found: rename(found[0]), match[0])
        return rename(word) if "_" in word or (word.isupper() and len(word) > 1) else word

    return _PROSE.sub(replace, text)


def rename_docstring(text: str, rename: Rename) -> str:
    """Rename in a docstring: as in a comment, and the heads of the entries under `Args:`."""
    lines: list[str] = []
    section, depth = "", 0
    for line in text.split("\n"):
        header = _SECTION.fullmatch(line)
        if header is not None:
            section, depth = header[2], len(header[1])
        entry = _ENTRY.fullmatch(line) if section == "Args" else None
        if entry is not None and len(entry[1]) == depth + 4:
            end = entry.end(2)
            head = _IDENTIFIER.sub(lambda found: rename(found[0]), line[:end])
            lines.append(head + rename_prose(line[end:], rename))
        else:
            lines.append(rename_prose(line, rename))
    return "\n".join(lines)


def numpy_docstring(text: str) -> str:
    """A docstring whose Google sections (`Args:`, `Returns:`, ...) are rewritten as NumPy's."""
    lines: list[str] = []
    section, depth = "", 0
    for line in text.split("\n"):
        header = _SECTION.fullmatch(line)
        inner = len(line) - len(line.lstrip(" "))
        if header is not None:
            depth, section = len(header[1]), _TITLES.get(header[2], header[2])
            if lines and lines[-1]:
                lines.append("")
            lines += [header[1] + section, header[1] + "-" * len(section)]
            continue
        if section and line and inner <= depth:
            section = ""
        listed = section in ("Parameters", "Raises")
        entry = _ENTRY.fullmatch(line) if listed else None
        typed = _TYPED.fullmatch(line) if section in ("Returns", "Yields") else None
        if entry is not None and inner == depth + 4:
            kind = f" : {entry[3]}" if entry[3] else ""
            lines += [line[:depth] + entry[2] + kind, line[:inner] + entry[4]]
        elif typed is not None and inner == depth + 4:
            lines += [line[:depth] + typed[2], line[:inner] + typed[3]]
        elif listed and inner > depth + 4:
            lines.append(line[: depth + 4] + line.lstrip(" "))
        elif section and inner > depth:
            lines.append(line[4:])
        else:
            lines.append(line)
    return "\n".join(lines)


Parts = tuple[str, tuple[str, ...]]


def _parts(text_of: Callable[[Rename], str], shape: Callable[[str], str] = str) -> Parts:
    """A text as a format string over the names of its identifiers, and these identifiers; `shape` may
    rearrange its lines, in which identifiers keep their order."""
    found: list[str] = []

    def note(identifier: str) -> str:
        found.append(identifier)
        return _HOLE

    text = shape(text_of(note))
    return text.replace("%", "%%").replace(_HOLE, "%s"), tuple(found)


@lru_cache(maxsize=1 << 14)
def _code_parts(line: str) -> Parts:
    """A line of code, or a comment, taken apart."""
    if line.lstrip(" ").startswith("#"):
        return _parts(lambda rename: rename_prose(line, rename))
    return _parts(lambda rename: rename_code(line, rename))


@lru_cache(maxsize=1 << 13)
def _docstring_parts(text: str, docstring: str) -> Parts:
    """A docstring in one of its shapes, taken apart."""
    first, newline, _ = text.partition("\n")
    if docstring == "brief" and newline:
        text = f'{first.rstrip()}"""'
    shape = numpy_docstring if docstring == "numpy" else str
    return _parts(lambda rename: rename_docstring(text, rename), shape)


class _Names(dict[str, str]):
    """What a style calls identifiers in a scope; functions are named over placeholders."""

    def __init__(self, style: Style, scope: int) -> None:
        super().__init__(style.names[scope])
        self.style = style

    def __missing__(self, identifier: str) -> str:
        style = self.style
        found = style.function(identifier, _NAME, _CAMEL)
        if found is None:
            suspect = identifier in style.taken or style.shapes.fullmatch(identifier) is not None
            found = f"{_SUSPECT}{identifier}" if suspect else identifier
        if len(self) >= 1 << 15:
            return found
        self[identifier] = found
        return found


class _Measured(dict[str, tuple[str, int, int, int]]):
    """Renamed lines by canonical ones: text, width without placeholders, number of placeholders."""

    def __init__(self, names: _Names) -> None:
        super().__init__()
        self.named = names.__getitem__

    def __missing__(self, line: str) -> tuple[str, int, int, int]:
        format_, identifiers = _code_parts(line)
        text = format_ % tuple(map(self.named, identifiers))
        if _SUSPECT in text:
            text = text.replace(_SUSPECT, "")
            text = text if text.lstrip(" ").startswith("#") else f"{_SUSPECT}{text}"
        shown, camels = text.count(_NAME), text.count(_CAMEL)
        found = (f"{text}\n", len(text.lstrip(_SUSPECT)) - shown - camels, shown, camels)
        if len(self) >= 1 << 12:
            self.clear()
        self[line] = found
        return found


class _Presenter:
    """What one style makes of lines and docstrings, kept."""

    __slots__ = ("docstrings", "getters", "lines", "measured", "names")

    def __init__(self, style: Style) -> None:
        scopes = (HOST, KERNEL)
        self.names = [_Names(style, scope) for scope in scopes]
        self.measured = [_Measured(names) for names in self.names]
        self.lines = [_Cache(self._line_getter(scope, 1, 1), 1 << 12) for scope in scopes]
        self.docstrings = {
            shape: [_Cache(self._docstring_maker(scope, shape), 1 << 9) for scope in scopes]
            for shape in DOCSTRINGS
        }
        self.getters: dict[tuple[str, int, int], list[Rename]] = {}

    def lookups(self, key: tuple[str, int, int]) -> list[Rename]:
        """A lookup per kind of item, for a docstring style and the lengths of the pair's name."""
        if len(self.getters) >= 1 << 12:
            self.getters.clear()
        docstring, length, camel = key
        plain = [cache.__getitem__ for cache in self.lines]
        docs = [cache.__getitem__ for cache in self.docstrings[docstring]]
        mentions = [self._line_getter(scope, length, camel) for scope in (HOST, KERNEL)]
        found = self.getters[key] = [*plain, *mentions, *docs, *docs]
        return found

    def _line_getter(self, scope: int, length: int, camel: int) -> Rename:
        measured = self.measured[scope]

        def get(line: str) -> str:
            text, width, shown, camels = measured[line]
            if width + shown * length + camels * camel <= WIDTH:
                return text
            return _broken(text, length, camel)

        return get

    def _docstring_maker(self, scope: int, docstring: str) -> Rename:
        named = self.names[scope].__getitem__

        def make(text: str) -> str:
            format_, identifiers = _docstring_parts(text, docstring)
            return f"{format_ % tuple(map(named, identifiers))}\n".replace(_SUSPECT, "")

        return make


@lru_cache(maxsize=1 << 13)
def _broken(text: str, length: int, camel: int) -> str:
    """A renamed line that is too long for a name of `length` letters, as the formatter breaks it."""
    mark = _SUSPECT if text.startswith(_SUSPECT) else ""
    line = text[len(mark) : -1]
    if line.lstrip(" ").startswith("#"):
        return text
    line = line.replace(_NAME, _NAME * length).replace(_CAMEL, _CAMEL * camel)
    trailing = _TRAILING.fullmatch(line) if "  #" in line else None
    if trailing is None:
        line = wrap(line, WIDTH)
    else:
        indent = line[: len(line) - len(line.lstrip(" "))]
        line = f"{indent}{trailing[2]}\n{wrap(trailing[1], WIDTH)}"
    return f"{mark}{_PLACEHOLDERS.sub(lambda found: found[0][0], line)}\n"


# -- programs --------------------------------------------------------------------------------------


class _Kinds(dict[str, int]):
    def __missing__(self, item: str) -> int:
        if len(self) >= 1 << 15:
            self.clear()
        kind = _MENTIONS * (_MENTION.search(item) is not None) + _DOCSTRING * ('"""' in item)
        self[item] = kind
        return kind


_KINDS = _Kinds()


def _items(block: str) -> list[str]:
    """The lines of a block; each docstring is one item."""
    parts = block.split('"""')
    items = parts[0].split("\n")
    for docstring, code in zip(parts[1::2], parts[2::2], strict=False):
        items[-1] = f'{items[-1]}"""{docstring}"""'
        items += code.split("\n")[1:]
    return items


def _without(items: list[str], comments: bool, docstrings: bool) -> list[str]:
    """The items less comments or docstrings (where False), and less the blank lines they leave."""
    kept: list[str] = []
    opened = True
    for item in items:
        if '"""' in item:
            if not docstrings:
                opened = True
                continue
        elif not comments and "#" in item:
            if item.lstrip(" ").startswith("#"):
                continue
            trailing = _TRAILING.fullmatch(item)
            item = item if trailing is None else trailing[1]
        if not item and (opened or not kept[-1]):
            continue
        opened = item.endswith(":")
        kept.append(item)
    while kept and not kept[-1]:
        kept.pop()
    return kept


@lru_cache(maxsize=1 << 11)
def _runs_of(block: str, comments: bool, docstrings: bool) -> Runs:
    """The items of a top-level block, in runs of one kind."""
    items = _items(block)
    if not (comments and docstrings):
        items = _without(items, comments, docstrings)
    scope = KERNEL if block.startswith("@triton.jit") or "\n@triton.jit" in block else HOST
    return [(kind + scope, list(run)) for kind, run in groupby(items, _KINDS.__getitem__)]


class Program:
    """A program text in canonical identifiers, and its items by kind."""

    __slots__ = ("_forms", "text")

    def __init__(self, text: str) -> None:
        self.text = text
        self._forms: dict[tuple[bool, bool], Runs] = {}

    def runs(self, comments: bool, docstrings: bool) -> Runs:
        """Runs of (kind, items) of the text with or without comments and docstrings."""
        found = self._forms.get((comments, docstrings))
        if found is None:
            found = []
            for block in self.text.strip("\n").split("\n\n\n"):
                runs = _runs_of(block, comments, docstrings)
                if runs:
                    if found:
                        found.append(_BLANK)
                    found += runs
            self._forms[comments, docstrings] = found
        return found


def present(
    program: Program,
    style: Style,
    name: str,
    *,
    comments: bool = True,
    docstring: Docstring = "full",
) -> str:
    """The program's text under a naming style for the pair `name`.

    `docstring` is "full" (as written), "numpy" (NumPy sections), "brief" (the first line) or "none";
    without `comments`, none is left. Raises RenderError if a function of the pair would get a name that
    the program uses for something else.
    """
    camel = style.camel(name)
    presenter = style.memo.get("presenter")
    if presenter is None:
        presenter = style.memo["presenter"] = _Presenter(style)
    key = (docstring, len(name), len(camel))
    getters = presenter.getters.get(key) or presenter.lookups(key)
    runs = program.runs(comments, docstring != "none")
    text = "".join([piece for kind, items in runs for piece in map(getters[kind], items)])
    if _SUSPECT in text:
        if _collides(program, style, name):
            return present(program, style.plain, name, comments=comments, docstring=docstring)
        text = text.replace(_SUSPECT, "")
    return text.replace(_NAME, name).replace(_CAMEL, camel)


def _collides(program: Program, style: Style, name: str) -> bool:
    """Whether a name that the style gives is one that the program keeps for something else."""
    kept: set[str] = set()
    given: set[str] = set()
    functions: set[str] = set()
    camel = style.camel(name)

    for kind, lines in program.runs(False, False):
        names = style.names[kind & KERNEL]
        for word in {word for line in lines for word in _code_parts(line)[1]}:
            function = style.function(word, name, camel)
            if function is not None:
                functions.add(function)
            elif word in names:
                given.add(names[word])
            else:
                kept.add(word)
    for word in sorted(functions & (kept | given)):
        problem = "a function of the pair would get a name that the program uses"
        raise RenderError(str(style.path), problem, value=word)
    return not kept.isdisjoint(given)
