"""The alpha-renamed normal form of a source: equal for the texts of one program only."""

from __future__ import annotations

from hashlib import blake2b
from typing import Any, Protocol

from tritongen.canonical.normal import Canonical, normal_form
from tritongen.errors import VerificationError

PARTS = ("python_code", "triton_code", "test_code")


class Sources(Protocol):
    """The three sources of a pair."""

    @property
    def python_code(self) -> str: ...
    @property
    def triton_code(self) -> str: ...
    @property
    def test_code(self) -> str: ...


def canonical_source(source: str) -> str:
    """Return the normal form of a module: valid Python with canonical names, without comments.

    Two sources have one normal form only if they differ in nothing but layout, comments,
    docstrings, messages and a consistent renaming of their own identifiers. Raises
    `VerificationError` for a source that does not parse, and for a construct (exec, getattr with a
    computed name, ...) under which a renaming might not be neutral.
    """
    return normal_form((source,), ("source",)).text


def canonical_hash(source: str) -> str:
    """Return the hash (32 hex digits) of the normal form of `source`."""
    return blake2b(canonical_source(source).encode(), digest_size=16).hexdigest()


def kernel_key(triton_code: str) -> str:
    """Return the key under which pairs with the same Triton source share its compilation."""
    text = canonical_source(triton_code).encode()
    return blake2b(text, digest_size=16, person=b"kernel").hexdigest()


def canonical_pair(pair: Sources) -> Canonical:
    """Return the normal form of a pair: its three sources, read as one module."""
    return normal_form((pair.python_code, pair.triton_code, pair.test_code), PARTS)


def _first_difference(label: str, text_a: str, text_b: str) -> str:
    lines_a, lines_b = text_a.splitlines(), text_b.splitlines()
    number = 0
    for line_a, line_b in zip(lines_a, lines_b, strict=False):
        number += 1
        if line_a != line_b:
            return f"{label}: canonical line {number}: {line_a.strip()!r} is not {line_b.strip()!r}"
    longer, word = (lines_a, "missing") if len(lines_a) > number else (lines_b, "extra")
    return f"{label}: canonical line {number + 1}: {longer[number].strip()!r} is {word}"


def explain_difference(source_a: str, source_b: str, label: str = "source") -> str | None:
    """Return None if both sources have one normal form, else where they first differ."""
    text_a, text_b = canonical_source(source_a), canonical_source(source_b)
    return None if text_a == text_b else _first_difference(label, text_a, text_b)


def same_program(pair_a: Sources, pair_b: Sources) -> str | None:
    """Return None if both pairs are one program, else one line that says why they are not.

    The three sources are read as one module, with one renaming, and compared one by one: so neither
    can a statement move from one source to another. Pairs that carry `metadata["entry"]` must also
    agree on which function is the reference and which the wrapper. A source that has no normal form
    is a reason too.
    """
    try:
        form_a = canonical_pair(pair_a)
        form_b = canonical_pair(pair_b)
    except VerificationError as error:
        return str(error)
    for label, part_a, part_b in zip(PARTS, form_a.parts, form_b.parts, strict=True):
        if part_a != part_b:
            return _first_difference(label, part_a, part_b)
    if form_a.notes != form_b.notes:
        return _first_difference("names", form_a.notes, form_b.notes)
    entry_a, entry_b = _entry(pair_a, form_a), _entry(pair_b, form_b)
    if entry_a != entry_b:
        return f"metadata: entry {entry_a} is not {entry_b}"
    return None


def _entry(pair: Sources, form: Canonical) -> dict[str, str]:
    metadata: Any = getattr(pair, "metadata", None) or {}
    entry: dict[str, str] = metadata.get("entry") or {}
    return {role: form.names.get(name, "not defined") for role, name in entry.items()}


__all__ = [
    "PARTS",
    "Canonical",
    "Sources",
    "canonical_hash",
    "canonical_pair",
    "canonical_source",
    "explain_difference",
    "kernel_key",
    "same_program",
]
