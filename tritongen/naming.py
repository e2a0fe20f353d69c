"""Naming styles: what the canonical identifiers and the functions of a pair are called.

A style is a file of patterns and words; `_vocabulary.toml` lists the identifiers that it may rename. Styles
are checked when they are loaded, so that renaming can never capture: in each scope (host, kernel) two
canonical identifiers never get one name, no keyword, builtin or module name is given, and no name can be
that of a function of some pair.
"""

from __future__ import annotations

import re
import tomllib
from collections.abc import Iterable, Mapping
from keyword import kwlist, softkwlist
from pathlib import Path
from typing import Any

from tritongen.errors import RenderError, TemplateError

HOST, KERNEL = 0, 1
VOCABULARY = "_vocabulary.toml"
CATEGORIES = ("tensors", "pointed", "dims", "axes", "words", "constants")
FUNCTIONS = ("reference", "module", "wrapper", "kernel", "kernel_part", "helper", "test")
COMPOSITES = {
    "pointer": "{tensor}_ptr",
    "pointers": "{tensor}_ptrs",
    "block_pointer": "{tensor}_block_ptr",
    "tile": "{tensor}_block",
    "descriptor": "{tensor}_desc",
    "plain_stride": "stride_{tensor}",
    "stride": "stride_{tensor}_{dim}",
}
PATTERNS = {**COMPOSITES, "block": "BLOCK_{axis}", "value": "{tensor}"}
RESERVED = frozenset(
    [*kwlist, *softkwlist]
    + """abs all any bool bytes callable dict divmod enumerate filter float frozenset getattr hasattr hash id
    int isinstance len list map max min next object pow print property range repr reversed round set setattr
    slice sorted str sum super tuple type zip self cls args kwargs ctx cache
    torch triton tl F nn math pytest np numpy functools libdevice language testing
    dtype dtypes shape shapes dim axis device eps num_warps num_stages num_ctas keepdim
    inputs actual expected eager bound bounds error worst sign seed generator magnitude draw convert
    check_close rounding make_inputs get_test_inputs SHAPES DTYPES SCALES t size yardstick tiny unit exact
    shift signed terms spread drift info arithmetic overflow within growth accumulation share""".split()
)

_ENTRY = re.compile(r"reference|Reference|wrapper|kernel|test_pair|kernel_(\w+)|helper_(\w+)")
_KINDS = {
    "reference": "reference",
    "Reference": "module",
    "wrapper": "wrapper",
    "kernel": "kernel",
    "test_pair": "test",
}
_PLACEHOLDER = re.compile(r"\{(\w*)\}")
_NAMES = re.compile(r"(?a:[A-Za-z_]\w*(?:\n|\Z))*")
_PAIR_NAME = re.compile(r"[a-z][a-z0-9_]*")


class Style:
    """What functions and canonical identifiers are called.

    `names` maps the whole vocabulary, on the host and in kernels; `taken` are the names given to
    identifiers that change; `plain` is the same style for functions, with every other name kept. `memo`
    is free for what others keep with a style.
    """

    __slots__ = (
        "_cameled",
        "functions",
        "memo",
        "names",
        "path",
        "plain",
        "shapes",
        "taken",
        "title",
    )

    def __init__(
        self,
        path: Path,
        title: str,
        functions: Mapping[str, str],
        names: tuple[dict[str, str], dict[str, str]],
    ) -> None:
        self.path = path
        self.title = title
        self.functions = functions
        self.names = names
        given = [final for scope in names for word, final in scope.items() if word != final]
        self.taken = frozenset(given)
        self.shapes = _shapes(functions)
        self.plain = Style(path, title, functions, ({}, {})) if names[HOST] else self
        self.memo: dict[Any, Any] = {}
        self._cameled: dict[str, str] = {}

    @property
    def name(self) -> str:
        """The style's name: that of its file."""
        return self.path.stem

    def rename(self, identifier: str, scope: int = HOST) -> str:
        """The name of a canonical identifier in a scope (HOST or KERNEL)."""
        return self.names[scope].get(identifier, identifier)

    def function(self, identifier: str, name: str, camel: str) -> str | None:
        """The name of a function of the pair `name` by its canonical one; None if it is not one."""
        match = _ENTRY.fullmatch(identifier)
        if match is None:
            return None
        part = match[1] or match[2] or ""
        kind = _KINDS.get(identifier) or ("kernel_part" if match[1] else "helper")
        return self.functions[kind].format(name=name, Name=camel, part=part)

    def camel(self, name: str) -> str:
        """`RowSoftmax` for `row_softmax`. Raises RenderError if the name cannot stand in an identifier."""
        camel = self._cameled.get(name)
        if camel is None:
            if not _PAIR_NAME.fullmatch(name):
                raise RenderError(
                    str(self.path),
                    "a pair's name must be lower-case letters, digits and underscores",
                    value=name,
                )
            if len(self._cameled) >= 1 << 12:
                self._cameled.clear()
            camel = self._cameled[name] = _camel(name)
        return camel


def entry_names(style: Style, name: str) -> dict[str, str]:
    """The names of a pair's functions: reference, module, wrapper, kernel, test."""
    made = style.memo.setdefault("entries", {})
    if name not in made:
        if len(made) >= 1 << 12:
            made.clear()
        camel = style.camel(name)
        kinds = ("reference", "module", "wrapper", "kernel", "test")
        made[name] = {k: style.functions[k].format(name=name, Name=camel) for k in kinds}
    return dict(made[name])


def load_styles(folders: Iterable[Path]) -> dict[str, Style]:
    """The styles of some folders by name, sorted; of two with one name, the later folder's.

    The vocabulary is the union of the folders' `_vocabulary.toml`. Raises TemplateError with file and key.
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


def _table(path: Path, data: object, key: str, known: Iterable[str]) -> dict[str, str]:
    if not isinstance(data, dict):
        raise TemplateError(f"{path}: {key}", "must be a table", value=data)
    for word, final in data.items():
        _known(f"{path}: {key}", word, known)
        if not isinstance(final, str):
            raise TemplateError(f"{path}: {key}.{word}", "must be a string", value=final)
    return dict(data)


def _load(path: Path, vocabulary: Mapping[str, Mapping[str, None]]) -> Style:
    data = _read(path)
    for key in data:
        _known(path, key, ("title", "functions", "patterns", "tensors", "dims", "words"))
    title = data.get("title", path.stem)
    if not isinstance(title, str):
        raise TemplateError(f"{path}: title", "must be a string", value=title)
    functions = _table(path, data.get("functions", {}), "functions", FUNCTIONS)
    _check_functions(path, functions)
    patterns = PATTERNS | _table(path, data.get("patterns", {}), "patterns", PATTERNS)
    _check_patterns(path, patterns)
    tensors = dict.fromkeys([*vocabulary["tensors"], *vocabulary["pointed"]])
    called = {word: word for word in tensors} | _table(
        path, data.get("tensors", {}), "tensors", tensors
    )
    dims = {dim: dim for dim in vocabulary["dims"]}
    dims |= _table(path, data.get("dims", {}), "dims", vocabulary["dims"])
    names = {word: word for word in [*vocabulary["words"], *vocabulary["constants"]]} | called
    names |= {
        f"BLOCK_{axis}": patterns["block"].replace("{axis}", axis) for axis in vocabulary["axes"]
    }
    for kind, canonical in COMPOSITES.items():
        for tensor, final in called.items():
            word, name = canonical.replace("{tensor}", tensor), _fill(patterns[kind], final)
            if kind == "stride":
                names |= {word.replace("{dim}", d): name.replace("{dim}", dims[d]) for d in dims}
            else:
                names[word] = name
    words = data.get("words", {})
    plain = {word: final for word, final in words.items() if not isinstance(final, dict)}
    both = _table(path, plain, "words", names)
    host = _table(path, words.get("host", {}), "words.host", names)
    kernel = _table(path, words.get("kernel", {}), "words.kernel", names)
    for word in [*host, *kernel]:
        if word.isupper():
            problem = "a constant must have one name on the host and in kernels"
            raise TemplateError(f"{path}: words", problem, value=word)
    values = {word: _fill(patterns["value"], called[word]) for word in vocabulary["tensors"]}
    scopes = (names | both | host, names | values | both | kernel)
    shapes = _shapes(functions)
    _check_names(path, "host", scopes[HOST], shapes)
    _check_names(path, "kernel", scopes[KERNEL], shapes)
    return Style(path, title, functions, scopes)


def _camel(name: str) -> str:
    return "".join([part[:1].upper() + part[1:] for part in name.split("_")])


def _fill(pattern: str, tensor: str) -> str:
    if "{Tensor}" in pattern:
        pattern = pattern.replace("{Tensor}", _camel(tensor))
    return pattern.replace("{tensor}", tensor)


def _shapes(functions: Mapping[str, str]) -> re.Pattern[str]:
    """Matches every name that the functions of some pair can have."""
    return re.compile(
        "|".join([r"\w+".join(map(re.escape, re.split(r"\{\w*\}", p))) for p in functions.values()])
    )


def _check_functions(path: Path, functions: Mapping[str, str]) -> None:
    seen: dict[str, str] = {}
    for kind in FUNCTIONS:
        place = f"{path}: functions.{kind}"
        pattern = functions.get(kind)
        if pattern is None:
            raise TemplateError(place, "is missing")
        fields = set(_PLACEHOLDER.findall(pattern))
        part = kind in ("kernel_part", "helper")
        if not fields or not fields <= {"name", "Name", "part"} or ("part" in fields) is not part:
            known = ("{part}", "{name}") if part else ("{name}", "{Name}")
            raise TemplateError(place, "wrong placeholders", value=pattern, known=known)
        bare = _PLACEHOLDER.sub("a", pattern)
        if not bare.isidentifier() or seen.setdefault(bare, kind) != kind:
            raise TemplateError(place, "not a pattern of its own", value=pattern)
    if not functions["test"].startswith("test_"):
        raise TemplateError(
            f"{path}: functions.test", "must start with test_", value=functions["test"]
        )


def _check_patterns(path: Path, patterns: Mapping[str, str]) -> None:
    for kind, canonical in PATTERNS.items():
        wanted = set(_PLACEHOLDER.findall(canonical))
        found = {field.lower() for field in _PLACEHOLDER.findall(patterns[kind])}
        if found != wanted:
            known = [f"{{{field}}}" for field in sorted(wanted)]
            raise TemplateError(
                f"{path}: patterns.{kind}", "wrong placeholders", value=patterns[kind], known=known
            )


def _check_names(path: Path, where: str, names: Mapping[str, str], shapes: re.Pattern[str]) -> None:
    """Every name legal, none given twice, none that a function of a pair could have."""
    finals = set(names.values())
    lines = "\n".join(finals)
    if (
        len(finals) == len(names)
        and finals.isdisjoint(RESERVED)
        and _NAMES.fullmatch(lines)
        and not re.search(rf"(?m)^(?:{shapes.pattern}|{_ENTRY.pattern})$", lines)
    ):
        return
    first: dict[str, str] = {}
    for word, final in names.items():
        place = f"{path}: name of {word!r} ({where})"
        if not final.isidentifier() or not final.isascii() or final in RESERVED:
            raise TemplateError(place, "not a name that a style may give", value=final)
        if first.setdefault(final, word) != word:
            raise TemplateError(place, f"{first[final]!r} has the same name", value=final)
        if _ENTRY.fullmatch(final) or shapes.fullmatch(final):
            raise TemplateError(place, "a function of a pair could have this name", value=final)
