"""Breaks one logical line of Python exactly as `ruff format` does, without calling it.

Rendered programs hold every statement on one line; after renaming, `wrap` gives a line that is too long
the shape that the formatter would. Calling the formatter itself costs milliseconds a file; this costs
microseconds a line.
"""

from __future__ import annotations

import re

from tritongen.breaking import HUGE, OPERATOR, PRECEDENCE, PREFIX, Printer
from tritongen.flatline import COMMA

_ASSIGNMENT = re.compile(r" (?:\*\*|//|<<|>>|[-+*/%@&|^])?= ")
_HEAD = re.compile(r"(?:async )?\w+")
_HEADERS = ("if", "elif", "while", "with", "for", "class", "def", "async def")
_ARITHMETIC = (5, 6, 8, 9)


# A signature or a launch: most of the long lines that kernels have.
_SIMPLE = re.compile(r" *(?:def \w+|\w+\[\w+\])\(([^\"'#{}\[\]]*)\):?")
_NESTED = re.compile(r"\([^(),]*\)")


def _simple(line: str, indent: int, width: int) -> str:
    """`def f(...):` and `kernel[grid](...)` with arguments that need no break, else the empty string."""
    match = _SIMPLE.fullmatch(line)
    if match is None or "(" in _NESTED.sub("", match[1]) or not match[1]:
        return ""
    margin = " " * indent
    head, tail = line[: match.start(1)], line[match.end(1) :]
    if len(head) > width:
        return ""
    if indent + 4 + len(match[1]) <= width:
        return f"{head}\n{margin}    {match[1]}\n{margin}{tail}"
    arguments = match[1].split(", ")
    if max(map(len, arguments)) + indent + 5 > width:
        return ""
    listed = f",\n{margin}    ".join(arguments)
    return f"{head}\n{margin}    {listed},\n{margin}{tail}"


def wrap(line: str, width: int = 88) -> str:
    """Return `line` broken as `ruff format` breaks it at `width` columns.

    `line` is one statement, clause header or decorator on one line as the formatter would write it were
    the width infinite, with its indentation and no trailing comment. Comments, lines that fit and lines
    that are no Python come back unchanged.
    """
    if len(line) <= width:
        return line
    indent = len(line) - len(line.lstrip(" "))
    simple = _simple(line, indent, width)
    if simple:
        return simple
    if line.startswith("#", indent):
        return line
    printer = _Statement(line, indent, width)
    if not printer.matched:
        return line
    try:
        printer.statement()
    except (LookupError, ValueError, StopIteration):
        return line
    return "".join(printer.out)


class _Statement(Printer):
    """Prints a statement, a clause header or a decorator."""

    __slots__ = ()

    def statement(self) -> None:
        """Print the whole line."""
        line, indent = self.line, self.indent
        end = len(line)
        if line.startswith("@", indent):
            self._linear(indent, end, indent, 0)
            return
        head = _HEAD.match(line, indent)
        word = head.group() if head is not None else ""
        after = indent + len(word) + 1
        if word in _HEADERS and line[-1] == ":":
            end -= 1
            if word in ("if", "elif", "while"):
                self._emit(indent, after)
                self._value(after, end, indent, 1)
            elif word == "for":
                self._for(after, end)
            elif word == "with":
                self._with(after, end)
            elif word == "class":
                self._linear(indent, end, indent, 1)
            else:
                self._definition(end)
            self._write(":")
        elif word == "return":
            self._emit(indent, after)
            self._return(after, end)
        elif word == "assert":
            self._assert(after, end)
        elif word == "from":
            self._import(end)
        elif word in ("raise", "import", "del", "global", "nonlocal"):
            self._linear(indent, end, indent, 0)
        else:
            self._assignment(end)

    def _definition(self, end: int) -> None:
        line, indent = self.line, self.indent
        opened = line.index("(", indent)
        closed = self.close[opened]
        self._emit(indent, opened + 1)
        if closed - opened > 1:
            inner = indent + 4
            self._newline(inner)
            parameters = self._split(opened + 1, closed)
            if len(parameters) > 1 and inner + closed - opened - 1 <= self.width:
                self._emit(opened + 1, closed)
            else:
                self._items(parameters, inner, comma=True)
            self._newline(indent)
        self._emit(closed, closed + 1)
        self._linear(closed + 1, end, indent, 1)

    def _for(self, start: int, end: int) -> None:
        indent = self.indent
        skeleton = self._skeleton(start, end)
        target = skeleton.index(" in ", start)
        iterable = target + 4
        self._emit(indent, start)
        several = COMMA.search(skeleton, start, target) is not None
        stop = self._first_break(iterable, end)
        if self.col + stop - start <= self.width or not (
            several or indent + 1 + stop - target <= self.width
        ):
            self._emit(start, iterable)
        else:
            self._tuple(start, target, indent, comma=several)
            self._emit(target, iterable)
        self._value(iterable, end, indent, 1)

    def _first_break(self, start: int, end: int) -> int:
        """Where the first line of a value ends if it breaks as early as it can."""
        brackets = self._brackets(start, end)
        if self._need(start, end) in ("multiline", "tuple"):
            return start + 1
        return brackets[0][0] + 1 if brackets else end + 1

    def _with(self, start: int, end: int) -> None:
        indent = self.indent
        self._emit(indent, start)
        items = self._split(start, end)
        skeleton = self._skeleton(start, end)
        if len(items) == 1 and " as " not in skeleton[start:]:
            self._value(start, end, indent, 1)
        elif len(items) == 1 and self._can_omit(start, skeleton.index(" as ", start)):
            if self._fits_by_brackets(start, end, indent, 1):
                self._linear(start, end, indent, 1)
            else:
                self._parenthesized(start, end, indent)
        else:
            self._tuple(start, end, indent, comma=len(items) > 1)

    def _return(self, start: int, end: int) -> None:
        items = self._split(start, end)
        if len(items) == 2 and self._fits_by_brackets(start, end, self.indent, 0):
            self._linear(start, end, self.indent, 0)
        elif len(items) == 2:
            self._with_spaced_powers(start, end, self.indent, Printer._tuple)
        else:
            self._value(start, end, self.indent, 0)

    def _assert(self, start: int, end: int) -> None:
        indent = self.indent
        self._emit(indent, start)
        parts = self._split(start, end)
        if len(parts) == 1:
            self._value(start, end, indent, 0)
            return
        (start, middle), (message, end) = parts[0], parts[-1]
        brackets = self._brackets(message, end)
        bare = self._need(message, end) == "never" and bool(brackets)
        self._value(start, middle, indent, 3 + (brackets[0][0] - message if bare else 0))
        self._write(", ")
        if self.col + end - message <= self.width:
            self._emit(message, end)
        elif bare or (
            self._can_omit(message, end) and self._fits_by_brackets(message, end, indent, 0)
        ):
            self._linear(message, end, indent, 0)
        elif self._can_omit(message, end):
            self._with_spaced_powers(message, end, indent, Printer._parenthesized)
        else:
            self._parenthesized(message, end, indent)

    def _import(self, end: int) -> None:
        indent = self.indent
        names = self.line.index(" import ", indent) + 8
        self._emit(indent, names)
        self._tuple(names, end, indent)

    def _assignment(self, end: int) -> None:
        indent = self.indent
        skeleton = self._skeleton(indent, end)
        match = _ASSIGNMENT.search(skeleton, indent)
        if match is None:
            operators = OPERATOR.finditer(skeleton, indent)
            highest = max([PRECEDENCE[found[1] or found[2]] for found in operators], default=0)
            if highest in _ARITHMETIC:
                self._value(indent, end, indent, 0)
            else:
                self._linear(indent, end, indent, 0)
            return
        start, target_end = indent, match.start()
        value = match.end()
        match = _ASSIGNMENT.search(skeleton, value)
        while match is not None:
            start, target_end, value = value, match.start(), match.end()
            match = _ASSIGNMENT.search(skeleton, value)
        target = skeleton[start:target_end]
        self._emit(indent, start)
        if target.endswith(("]", ")")) or ", " in target or start != indent:
            self._assign_right_to_left(start, target_end, value, end)
        else:
            self._emit(start, value)
            self._value(value, end, indent, 0)

    def _assign_right_to_left(self, start: int, target_end: int, value: int, end: int) -> None:
        """`a, b = ...` and `a[i] = ...`: targets with brackets of their own."""
        indent = self.indent
        prefix = PREFIX.match(self.line, value)
        brackets = self._brackets(value, end)
        fits = self.col + self._first_break(value, end) - start <= self.width
        if self._need(value, end) != "best_fit" or (prefix is not None and prefix.end() > value):
            if fits:
                self._emit(start, value)
            else:
                self._split_target(start, target_end, value)
            self._value(value, end, indent, 0)
        elif brackets and fits:
            self._emit(start, value)
            self._linear(value, end, indent, 0)
        elif self.col + value - start + 1 <= self.width:
            self._emit(start, value)
            self._write("(")
            self._newline(indent + 4)
            self._linear(value, end, indent + 4, 0)
            self._newline(indent)
            self._write(")")
        else:
            self._split_target(start, target_end, value)
            self._linear(value, end, indent, 0)

    def _split_target(self, start: int, target_end: int, value: int) -> None:
        if len(self._split(start, target_end)) > 1:
            self._tuple(start, target_end, self.indent)
        else:
            self._linear(start, target_end, self.indent, HUGE)
        self._emit(target_end, value)
