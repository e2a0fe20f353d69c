"""Presents a program: names by a style, comments and docstrings as asked, lines broken as ruff does.

A program text is written in canonical identifiers with every statement on one line. What becomes of a
line depends on that line, its scope (host or kernel) and, where it mentions an entry function, on the
length of the pair's name; so each distinct line is worked out once per style, and a program is presented
by looking its lines up. Names are set as placeholders of their length, replaced in the finished text.

Never capture: a style is checked when it is loaded (two canonical identifiers never get one name, no
keyword, builtin or module name is produced, no function name can meet another name). Identifiers outside
the vocabulary keep their names; where one of a program's equals a name that the style gives to another
identifier of that program, the program keeps all its canonical names under that style.
"""

from __future__ import annotations

import re
import tomllib
from collections.abc import Callable, Iterable, Mapping
from functools import lru_cache
from keyword import kwlist, softkwlist
from pathlib import Path
from typing import Any, Literal

from tritongen.errors import RenderError, TemplateError
from tritongen.layout import wrap

Docstring = Literal["full", "numpy", "brief", "none"]
DOCSTRINGS: tuple[Docstring, ...] = ("full", "numpy", "brief", "none")
HOST, KERNEL = 0, 1

FUNCTIONS = ("reference", "module", "wrapper", "kernel", "kernel_part", "helper", "test")
COMPOSITES = {
    "pointer": "{tensor}_ptr",
    "pointers": "{tensor}_ptrs",
    "block_pointer": "{tensor}_block_ptr",
    "tile": "{tensor}_block",
    "descriptor": "{tensor}_desc",
    "plain_stride": "stride_{tensor}",
    "stride": "stride_{tensor}_{dim}",
    "block": "BLOCK_{axis}",
}
PATTERNS = {**COMPOSITES, "value": "{tensor}"}
VOCABULARY = "_vocabulary.toml"
CATEGORIES = ("tensors", "pointed", "dims", "axes", "words", "constants")

RESERVED = frozenset(
    [*kwlist, *softkwlist]
    + ["abs", "all", "any", "bool", "bytes", "callable", "dict", "divmod", "enumerate", "filter", "float", "frozenset", "getattr", "hasattr", "hash", "id", "int", "isinstance", "len", "list", "map", "max", "min", "next", "object", "pow", "print", "property", "range", "repr", "reversed", "round", "set", "setattr", "slice", "sorted", "str", "sum", "super", "tuple", "type", "zip", "self", "cls", "args", "kwargs", "ctx", "cache", "torch", "triton", "tl", "F", "nn", "math", "pytest", "np", "numpy", "functools", "libdevice", "language", "testing", "dtype", "dtypes", "shape", "shapes", "dim", "axis", "device", "eps", "num_warps", "num_stages", "num_ctas", "keepdim", "other_dtype", "inputs", "actual", "expected", "eager", "bound", "bounds", "error", "worst", "sign", "seed", "generator", "magnitude", "draw", "convert", "check_close", "rounding", "make_inputs", "get_test_inputs", "SHAPES", "DTYPES"]
)
_ENTRIES = {
    "reference": "reference",
    "Reference": "module",
    "wrapper": "wrapper",
    "kernel": "kernel",
}
_ENTRY = re.compile(r"reference|Reference|wrapper|kernel|test_pair|kernel_(\w+)|helper_(\w+)")
_MENTION = re.compile(r"\b(?:reference|Reference|wrapper|kernel|test_pair|kernel_\w+|helper_\w+)\b")
# Letters that no source has: placeholders of the pair's name, and a mark on lines to look at again.
_NAME, _CAMEL, _SUSPECT = "\ua66e", "\ua66d", "\ua66c"

_STRING = r""""(?:[^"\\]|\\.)*"|'(?:[^'\\]|\\.)*'"""
_TOKEN = re.compile(
    rf"(?P<comment>#.*)|(?<![\w.])(?P<prefix>[rRfFbB]{{0,2}})(?P<string>{_STRING})"
    r"|(?<![\w.])(?P<name>[A-Za-z_]\w*)(?P<keyword>=(?!=))?"
)
_IDENTIFIER = re.compile(r"(?<![\w.])[A-Za-z_]\w*")
_FIELD = re.compile(r"(?<!\{)\{([^{}:!]*)")
_NAMED_STRINGS = re.compile(
    r"\b(?:key|reset_to_zero|restore_value|do_not_specialize)=\[|heuristics\("
)
_PROSE = re.compile(
    r"(?P<code>`+[^`]+`+|\([A-Z][A-Z0-9_]*(?:, [A-Z0-9][A-Z0-9_]*)*,?\))|(?<![\w.])(?P<word>[A-Za-z_]\w*)"
)
_SECTION = re.compile(r"( *)(Args|Returns|Raises|Yields|Note|Notes|Example|Examples):$")
_NUMPY_TITLES = {"Args": "Parameters", "Note": "Notes", "Example": "Examples"}
_ARGUMENT = re.compile(r"( *)(\*{0,2}\w+(?:, \*{0,2}\w+)*)(?: \(([^()]*)\))?: (.*)")
_COMMENT_LINES = re.compile(r"(?m)^ *#.*\n")
_TRAILING = re.compile(rf"((?:{_STRING}|[^#\"'])*?\S)  #.*")
_BLANKS_INSIDE = re.compile(r"\n\n\n+(?= )")
_BLANKS_OUTSIDE = re.compile(r"\n{4,}")
_BLANK_AT_START = re.compile(r":\n\n+(?= )")

Rename = Callable[[str], str]


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


class Style:
    """A naming style: what functions and canonical identifiers are called."""

    __slots__ = (
        "_cameled", "_getters", "_lines", "_shapes", "functions", "names", "path", "plain", "taken", "title",
    )  # fmt: skip

    def __init__(
        self,
        path: Path,
        title: str,
        functions: Mapping[str, str],
        names: tuple[dict[str, str], ...],
    ) -> None:
        self.path = path
        self.title = title
        self.functions = functions
        self.names = names
        self.taken = frozenset(
            [final for scope in names for word, final in scope.items() if word != final]
        )
        self.plain = Style(path, title, functions, ({}, {})) if names[HOST] else self
        self._shapes = re.compile("|".join(map(shape, functions.values())))
        self._lines = [_Cache(self._line_maker(scope, 0, 0), 1 << 13) for scope in (HOST, KERNEL)]
        self._getters: dict[tuple[str, int, int], list[Rename]] = {}
        self._cameled: dict[str, str] = {}

    @property
    def name(self) -> str:
        """The style's name: that of its file."""
        return self.path.stem

    def rename(self, identifier: str, scope: int = HOST) -> str:
        """The name of a canonical identifier in a scope (HOST or KERNEL)."""
        return self.names[scope].get(identifier, identifier)

    def function(self, identifier: str, name: str, camel: str) -> str | None:
        """The name of an entry function, kernel part or helper of the pair `name`; None for others."""
        match = _ENTRY.fullmatch(identifier)
        if match is None:
            return None
        if identifier == "test_pair":
            kind = "test"
        elif match.group(1):
            kind = "kernel_part"
        else:
            kind = _ENTRIES.get(identifier, "helper")
        part = match.group(1) or match.group(2) or ""
        return self.functions[kind].format(name=name, Name=camel, part=part)

    def camel(self, name: str) -> str:
        """`RowSoftmax` for `row_softmax`. Raises RenderError if the name cannot be part of an identifier."""
        camel = self._cameled.get(name)
        if camel is None:
            if not re.fullmatch(r"[a-z][a-z0-9_]*", name):
                raise RenderError(
                    str(self.path),
                    "a pair's name must be lower-case letters, digits and underscores",
                    value=name,
                )
            if len(self._cameled) >= 1 << 12:
                self._cameled.clear()
            camel = self._cameled[name] = "".join(
                [part[:1].upper() + part[1:] for part in name.split("_")]
            )
        return camel

    def getters(self, docstring: str, length: int, camel: int) -> list[Rename]:
        """Lookups for lines (host, kernel), lines that mention entries, docstrings, the same."""
        key = (docstring, length, camel)
        found = self._getters.get(key)
        if found is None:
            if len(self._getters) >= 256:
                self._getters.clear()
            makers = [self._line_maker(scope, length, camel) for scope in (HOST, KERNEL)]
            docs = [
                self._docstring_maker(scope, length, camel, docstring) for scope in (HOST, KERNEL)
            ]
            caches = [*self._lines, *[_Cache(make, 1 << 11) for make in (*makers, *docs, *docs)]]
            found = self._getters[key] = [cache.__getitem__ for cache in caches]
        return found

    def _renamer(self, scope: int, length: int, camel: int, suspects: list[str]) -> Rename:
        names = self.names[scope]

        def rename(identifier: str) -> str:
            found = names.get(identifier)
            if found is None:
                found = self.function(identifier, _NAME * length, _CAMEL * camel)
            if found is None:
                if identifier in self.taken or self._shapes.fullmatch(identifier):
                    suspects.append(identifier)
                return identifier
            return found

        return rename

    def _line_maker(self, scope: int, length: int, camel: int) -> Rename:
        suspects: list[str] = []
        rename = self._renamer(scope, length, camel, suspects)

        def make(line: str) -> str:
            suspects.clear()
            stripped = line.lstrip(" ")
            if stripped.startswith("#"):
                return f"{line[: len(line) - len(stripped)]}{rename_prose(stripped, rename)}\n"
            line = rename_code(line, rename)
            mark = _SUSPECT if suspects else ""
            comment = _TRAILING.fullmatch(line) if len(line) > 88 and "  #" in line else None
            if comment is None:
                return f"{mark}{wrap(line)}\n"
            code = comment.group(1)
            indent = code[: len(code) - len(code.lstrip(" "))]
            return f"{mark}{indent}{line[comment.end(1) + 2 :]}\n{wrap(code)}\n"

        return make

    def _docstring_maker(self, scope: int, length: int, camel: int, docstring: str) -> Rename:
        rename = self._renamer(scope, length, camel, [])

        def make(text: str) -> str:
            if docstring == "brief":
                first = text.split("\n", 1)[0]
                text = first if first == text else f'{first.rstrip()}"""'
            text = rename_docstring(text, rename)
            return f"{numpy_docstring(text) if docstring == 'numpy' else text}\n"

        return make


# -- renaming of one line --------------------------------------------------------------------------


def rename_code(line: str, rename: Rename) -> str:
    """Rename in a line of code: not after a dot, keyword arguments only in upper case."""
    named = _NAMED_STRINGS.search(line) is not None
    parametrized = "parametrize(" in line

    def replace(match: re.Match[str]) -> str:
        word = match["name"]
        if word is not None:
            if match["keyword"] is None:
                return rename(word)
            return (rename(word) if word.isupper() else word) + "="
        string = match["string"]
        if string is None:
            return rename_prose(match[0], rename)
        prefix, content = match["prefix"], string[1:-1]
        if "f" in prefix.lower():
            content = _FIELD.sub(lambda field: "{" + rename_code(field[1], rename), content)
        elif content.isidentifier():
            position = match.start()
            indexed = line.endswith(("meta[", "args[", "nargs["), 0, position)
            if content.isupper() or named or indexed or parametrized:
                content = rename(content)
        elif parametrized and line.endswith("parametrize(", 0, match.start()):
            content = _IDENTIFIER.sub(lambda found: rename(found[0]), content)
        return prefix + string[0] + content + string[-1]

    return _TOKEN.sub(replace, line)


def rename_prose(text: str, rename: Rename) -> str:
    """Rename in a comment or docstring what is plainly code: see the rules for authors."""

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
        match = _SECTION.fullmatch(line)
        if match is not None:
            section, depth = match[2], len(match[1])
        entry = _ARGUMENT.fullmatch(line) if section == "Args" else None
        if entry is not None and len(entry[1]) == depth + 4:
            end = entry.end(2)
            head = _IDENTIFIER.sub(lambda found: rename(found[0]), line[:end])
            lines.append(head + rename_prose(line[end:], rename))
        else:
            lines.append(rename_prose(line, rename))
    return "\n".join(lines)


def numpy_docstring(text: str) -> str:
    """A docstring with `Args:`, `Returns:` and `Raises:` rewritten with NumPy's underlined sections."""
    lines: list[str] = []
    section, depth = "", 0
    for line in text.split("\n"):
        match = _SECTION.fullmatch(line)
        inner = len(line) - len(line.lstrip(" "))
        if match is not None:
            depth, section = len(match[1]), _NUMPY_TITLES.get(match[2], match[2])
            lines += [match[1] + section, match[1] + "-" * len(section)]
            continue
        if section and line and inner <= depth:
            section = ""
        entry = _ARGUMENT.fullmatch(line) if section in ("Parameters", "Raises") else None
        if entry is not None and len(entry[1]) == depth + 4:
            kind = f" : {entry[3]}" if entry[3] else ""
            lines += [line[:depth] + entry[2] + kind, line[: depth + 4] + entry[4]]
        elif section in ("Parameters", "Raises") and inner > depth + 4:
            lines.append(line[: depth + 4] + line.lstrip(" "))
        elif section and inner > depth:
            lines.append(line[4:])
        else:
            lines.append(line)
    return "\n".join(lines)


# -- programs --------------------------------------------------------------------------------------


def _classify(item: str) -> int:
    """0 for a plain line, +2 if it mentions an entry function, +4 for a docstring."""
    return 2 * (_MENTION.search(item) is not None) + 4 * ('"""' in item)


class _Kinds(dict[str, int]):
    def __missing__(self, item: str) -> int:
        if len(self) >= 1 << 15:
            self.clear()
        kind = self[item] = _classify(item)
        return kind


_KINDS = _Kinds()
_Runs = list[tuple[int, list[str]]]
_BLANK = (HOST, ["", ""])


@lru_cache(maxsize=1 << 10)
def _runs_of(block: str) -> _Runs:
    """The lines and docstrings of a top-level block, in runs of one kind."""
    scope = KERNEL if block.startswith("@triton.jit") or "\n@triton.jit" in block else HOST
    items: list[str] = []
    indent = ""
    for index, part in enumerate(block.split('"""')):
        if index % 2:
            items.append(f'{indent}"""{part}"""')
        else:
            lines = part.split("\n")
            items += lines[1:] if index else lines
            indent = items.pop()
    items.append(indent)
    runs: _Runs = []
    last, run = -1, items
    for item in items:
        kind = _KINDS[item] | scope
        if kind != last:
            last, run = kind, []
            runs.append((kind, run))
        run.append(item)
    return runs


def _without_comments(text: str) -> str:
    parts = text.split('"""')
    for index in range(0, len(parts), 2):
        part = _COMMENT_LINES.sub("", parts[index])
        if "  #" in part:
            lines = part.split("\n")
            part = "\n".join(
                [_TRAILING.sub(r"\1", line) if "  #" in line else line for line in lines]
            )
        part = _BLANKS_OUTSIDE.sub("\n\n\n", _BLANKS_INSIDE.sub("\n\n", part))
        parts[index] = _BLANK_AT_START.sub(":\n", part)
    return '"""'.join(parts).lstrip("\n")


def _without_docstrings(text: str) -> str:
    parts = text.split('"""')
    for index in range(0, len(parts) - 1, 2):
        parts[index] = parts[index].rstrip(" ")
        parts[index + 2] = parts[index + 2].lstrip("\n")
    return "".join(parts[::2])


class Program:
    """A program text in canonical identifiers, and its lines by kind."""

    __slots__ = ("_forms", "text")

    def __init__(self, text: str) -> None:
        self.text = text
        self._forms: dict[tuple[bool, bool], _Runs] = {}

    def runs(self, comments: bool, docstrings: bool) -> _Runs:
        """Runs of (kind, lines) for the text with or without comments and docstrings."""
        found = self._forms.get((comments, docstrings))
        if found is None:
            text = self.text
            if not comments and "#" in text:
                text = _without_comments(text)
            if not docstrings and '"""' in text:
                text = _without_docstrings(text)
            found = []
            for block in text.removesuffix("\n").split("\n\n\n"):
                if found:
                    found.append(_BLANK)
                found += _runs_of(block)
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
    getters = style.getters(docstring, len(name), len(camel))
    runs = program.runs(comments, docstring != "none")
    text = "".join([piece for kind, lines in runs for piece in map(getters[kind], lines)])
    if _SUSPECT in text:
        if _collides(program, style, name):
            return present(program, style.plain, name, comments=comments, docstring=docstring)
        text = text.replace(_SUSPECT, "")
    return text.replace(_NAME * len(name), name).replace(_CAMEL * len(camel), camel)


def _collides(program: Program, style: Style, name: str) -> bool:
    """Whether names given by the style meet names that the program keeps."""
    kept: set[str] = set()
    given: set[str] = set()
    functions: set[str] = set()
    camel = style.camel(name)
    for kind, lines in program.runs(False, False):
        for line in lines:
            for match in _TOKEN.finditer(line):
                word = match["name"]
                if word is None or (match["keyword"] and not word.isupper()):
                    continue
                function = style.function(word, name, camel)
                if function is not None:
                    functions.add(function)
                elif word in style.names[kind & 1]:
                    given.add(style.names[kind & 1][word])
                else:
                    kept.add(word)
    for word in sorted(functions & (kept | given)):
        raise RenderError(
            str(style.path),
            "a function of the pair would get a name that the program uses",
            value=word,
        )
    return not kept.isdisjoint(given)


def entry_names(style: Style, name: str) -> dict[str, str]:
    """The names of a pair's functions: reference, module, wrapper, kernel, test."""
    camel = style.camel(name)
    return {
        kind: style.functions[kind].format(name=name, Name=camel)
        for kind in ("reference", "module", "wrapper", "kernel", "test")
    }


# -- loading ---------------------------------------------------------------------------------------


def load_styles(folders: Iterable[Path]) -> dict[str, Style]:
    """The styles of some folders by name, sorted; later folders come first where names are equal.

    `_vocabulary.toml`, in any of the folders, lists the canonical identifiers. Raises TemplateError with
    file and key.
    """
    vocabulary: dict[str, dict[str, None]] = {category: {} for category in CATEGORIES}
    files: dict[str, Path] = {}
    for folder in folders:
        path = folder / VOCABULARY
        if path.exists():
            for category, words in _read(path).items():
                _known(path, category, CATEGORIES)
                if not isinstance(words, list) or not all(isinstance(w, str) for w in words):
                    raise TemplateError(f"{path}: {category}", "must be a list of identifiers")
                vocabulary[category] |= dict.fromkeys(words)
        files |= {
            path.stem: path for path in folder.glob("*.toml") if not path.name.startswith("_")
        }
    return {name: _load(files[name], vocabulary) for name in sorted(files)}


def _read(path: Path) -> dict[str, Any]:
    try:
        return tomllib.loads(path.read_text(encoding="utf-8"))
    except (OSError, UnicodeDecodeError, tomllib.TOMLDecodeError) as error:
        raise TemplateError(str(path), f"cannot be read: {error}") from None


def _known(place: object, key: str, known: Iterable[str]) -> None:
    if key not in known:
        raise TemplateError(str(place), "unknown key", value=key, known=known)


def _table(path: Path, data: Mapping[str, Any], key: str, known: Iterable[str]) -> dict[str, str]:
    table = data.get(key, {})
    if not isinstance(table, dict):
        raise TemplateError(f"{path}: {key}", "must be a table")
    for word, final in table.items():
        _known(f"{path}: {key}", word, known)
        if not isinstance(final, str):
            raise TemplateError(f"{path}: {key}.{word}", "must be a string", value=final)
    return dict(table)


def shape(pattern: str) -> str:
    """A regular expression for the names that a function pattern can give."""
    return r"\w+".join(map(re.escape, re.split(r"\{\w+\}", pattern)))


def _load(path: Path, vocabulary: Mapping[str, Mapping[str, None]]) -> Style:
    data = _read(path)
    for key in data:
        _known(path, key, ("title", "functions", "patterns", "tensors", "dims", "words"))
    functions = _table(path, data, "functions", FUNCTIONS)
    for kind in FUNCTIONS:
        if kind not in functions:
            raise TemplateError(f"{path}: functions", "missing key", value=kind)
    patterns = PATTERNS | _table(path, data, "patterns", PATTERNS)
    tensors = dict.fromkeys([*vocabulary["tensors"], *vocabulary["pointed"]])
    called = {word: word for word in tensors} | _table(path, data, "tensors", tensors)
    dims = {dim: dim for dim in vocabulary["dims"]} | _table(path, data, "dims", vocabulary["dims"])
    names = {word: word for word in [*vocabulary["words"], *vocabulary["constants"]]} | called
    composed = {
        kind: [
            (canonical.replace("{tensor}", tensor), _fill(patterns[kind], final))
            for tensor, final in called.items()
        ]
        for kind, canonical in COMPOSITES.items()
        if kind != "block"
    }
    for kind, pairs in composed.items():
        if kind == "stride":
            pairs = [
                (canonical.replace("{dim}", dim), final.replace("{dim}", dims[dim]))
                for canonical, final in pairs
                for dim in dims
            ]
        names |= pairs
    names |= {
        f"BLOCK_{axis}": patterns["block"].replace("{axis}", axis) for axis in vocabulary["axes"]
    }
    words = dict(data.get("words", {}))
    host = _table(path, words, "host", names)
    kernel = _table(path, words, "kernel", names)
    exact = _table(
        path, {"words": {k: v for k, v in words.items() if not isinstance(v, dict)}}, "words", names
    )
    values = {word: _fill(patterns["value"], called[word]) for word in vocabulary["tensors"]}
    scopes = (names | exact | host, names | values | exact | kernel)
    for word in [*host, *kernel]:
        if word.isupper():
            raise TemplateError(
                f"{path}: words",
                "an upper-case name must be one on the host and in kernels",
                value=word,
            )
    for where, scope in zip(("words.host", "words.kernel"), scopes, strict=True):
        _check(path, where, scope, functions)
    return Style(path, str(data.get("title", path.stem)), functions, scopes)


def _fill(pattern: str, tensor: str) -> str:
    camel = "".join([part[:1].upper() + part[1:] for part in tensor.split("_")])
    return (
        pattern.replace("{tensor}", tensor)
        .replace("{Tensor}", camel)
        .replace("{TENSOR}", tensor.upper())
    )


def _check(path: Path, where: str, scope: Mapping[str, str], functions: Mapping[str, str]) -> None:
    """Every name legal, none given twice, none that a function of a pair could have."""
    shapes = re.compile("|".join(map(shape, functions.values())))
    first: dict[str, str] = {}
    for word, final in scope.items():
        place = f"{path}: {where}.{word}"
        if not final.isidentifier() or final in RESERVED or not final.isascii():
            raise TemplateError(place, "not a name that a style may give", value=final)
        if first.setdefault(final, word) != word:
            raise TemplateError(
                place, f"the name is given to {first[final]!r} as well", value=final
            )
        if _ENTRY.fullmatch(final) or shapes.fullmatch(final):
            raise TemplateError(place, "a function of a pair could have this name", value=final)
    bare = [re.sub(r"\{\w+\}", "{}", pattern) for pattern in functions.values()]
    for kind, pattern in functions.items():
        place = f"{path}: functions.{kind}"
        part = kind in ("kernel_part", "helper")
        fields = set(re.findall(r"\{(\w*)\}", pattern))
        if ("part" in fields) is not part or not fields <= {"name", "Name", "part"} or not fields:
            raise TemplateError(
                place, "wrong placeholders", value=pattern, known=("{name}", "{Name}", "{part}")
            )
        if (
            not re.sub(r"\{\w+\}", "a", pattern).isidentifier()
            or bare.count(re.sub(r"\{\w+\}", "{}", pattern)) > 1
        ):
            raise TemplateError(place, "not a pattern of its own", value=pattern)
    if not functions["test"].startswith("test_"):
        raise TemplateError(
            f"{path}: functions.test", "must start with test_", value=functions["test"]
        )
