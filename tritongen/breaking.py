"""Breaks an expression over lines exactly as `ruff format` does.

The text is one flat line as the formatter writes it (double quotes, normal spacing, no magic trailing
comma), so the width of any part in its flat form is the length of its slice. A part that fits is copied;
only a part that does not is taken apart, by looking at the text with its nested brackets blanked.

The rules follow ruff's formatter. An expression is printed in one of three ways:

- `_linear`: not inside brackets, so operators offer no break; its outermost brackets do, each of them if
  it does not fit together with what follows up to the next opening bracket;
- `_expression`: inside brackets, where a part that does not fit breaks before its operators of lowest
  precedence, at `if` and `else`, or before the dots of a fluent call chain;
- `_value`: the value of a statement, which may get parentheses of its own.
"""

from __future__ import annotations

import re
from collections.abc import Callable

from tritongen.flatline import COMMA, FlatLine

OPERATOR = re.compile(
    r" (and|or|not in|in|is not|is|if|else|==|!=|<=|>=|<|>|\||\^|&|<<|>>|\+|-|\*\*|\*|//|/|%|@)(?= )"
    r"|(?<=[\w\"])(\*\*)(?= ?[\w~-])"
)
PRECEDENCE = {
    "**": 2,
    **dict.fromkeys(("*", "/", "//", "%", "@"), 4),
    **dict.fromkeys(("+", "-"), 5),
    **dict.fromkeys(("<<", ">>"), 6),
    "&": 7,
    "^": 8,
    "|": 9,
    **dict.fromkeys(("==", "!=", "<", "<=", ">", ">=", "in", "not in", "is", "is not"), 10),
    **dict.fromkeys(("and", "or"), 11),
    **dict.fromkeys(("if", "else"), 12),
}
_BOOLEAN = 11
_ATTRIBUTE = 1
_INVERSION = 3

_CLAUSE = re.compile(r" (?=(?:for|if|async for) )")
_FOR = re.compile(r" for ")
_COLON = re.compile(r" ?: ?")
_KEYWORD_ARGUMENT = re.compile(r"\w+=(?!=)")
PREFIX = re.compile(r"(?:not |await |[-+~*]+)*")

_LAMBDA = ("lambda ", "lambda:")

HUGE = 1 << 30


class Printer(FlatLine):
    """Prints one line; `out` holds the text so far, `col` the column reached."""

    __slots__ = ("col", "indent", "out", "width")

    def __init__(self, line: str, indent: int, width: int) -> None:
        super().__init__(line)
        self.indent = indent
        self.width = width
        self.out = [line[:indent]]
        self.col = indent

    # -- output ---------------------------------------------------------------------------------

    def _emit(self, start: int, end: int) -> None:
        self.out.append(self.line[start:end])
        self.col += end - start

    def _write(self, text: str) -> None:
        self.out.append(text)
        self.col += len(text)

    def _newline(self, indent: int) -> None:
        self.out.append("\n" + " " * indent)
        self.col = indent

    # -- values: optional parentheses -------------------------------------------------------------

    def _value(self, start: int, end: int, indent: int, tail: int) -> None:
        """A value that may get parentheses; `tail` columns follow it on its last line."""
        if self.col + end - start + tail <= self.width:
            self._emit(start, end)
            return
        if self.line.startswith(_LAMBDA, start):
            body = self._skeleton(start, end).index(": ", start) + 2
            if self.col + body - start > self.width:
                self._parenthesized(start, end, indent)
            else:
                self._lambda(start, end, indent, tail)
            return
        need = self._need(start, end)
        if need == "never":
            self._linear(start, end, indent, tail)
        elif need == "tuple":
            self._tuple(start, end, indent)
        elif need == "multiline":
            if not self._can_omit(start, end):
                self._parenthesized(start, end, indent)
            elif self._fits_by_brackets(start, end, indent, tail):
                self._linear(start, end, indent, tail)
            else:
                self._with_spaced_powers(start, end, indent, Printer._parenthesized)
        elif self._fits_by_brackets(start, end, indent, tail):
            self._linear(start, end, indent, tail)
        elif self._fits_expanded(start, end, indent, tail):
            self._parenthesized(start, end, indent)
        else:
            self._linear(start, end, indent, tail, overflows=True)

    def _tuple(self, start: int, end: int, indent: int, *, comma: bool = True) -> None:
        """Items without parentheses, which get some."""
        self._write("(")
        self._newline(indent + 4)
        self._items(self._split(start, end), indent + 4, comma=comma)
        self._newline(indent)
        self._write(")")

    def _parenthesized(self, start: int, end: int, indent: int) -> None:
        self._write("(")
        self._newline(indent + 4)
        self._expression(start, end, indent + 4, 0)
        self._newline(indent)
        self._write(")")

    def _with_spaced_powers(
        self, start: int, end: int, indent: int, write: Callable[[Printer, int, int, int], None]
    ) -> None:
        """Parentheses in which the formatter writes `a** b` for a power of two names."""
        powers = [
            match.end(2)
            for match in OPERATOR.finditer(self._skeleton(start, end), start)
            if match.group(2) is not None
        ]
        if not powers:
            write(self, start, end, indent)
            return
        text = self.line[start:end]
        for position in reversed(powers):
            text = f"{text[: position - start]} {text[position - start :]}"
        spaced = Printer(text, 0, self.width)
        spaced.out, spaced.col = self.out, self.col
        write(spaced, 0, len(text), indent)
        self.col = spaced.col

    def _need(self, start: int, end: int) -> str:
        """When a value gets parentheses: `tuple`, `multiline`, `best_fit` (if they help) or `never`."""
        line = self.line
        skeleton = self._skeleton(start, end)
        if COMMA.search(skeleton, start) or skeleton.endswith(","):
            return "tuple"
        if line.startswith((*_LAMBDA, "*"), start) or OPERATOR.search(skeleton, start):
            return "multiline"
        prefix = PREFIX.match(line, start)
        start = prefix.end() if prefix is not None else start
        dots = self._attribute_dots(start, end)
        if len(dots) > 1:
            return "multiline"
        return "never" if line[start] in "([{" else "best_fit"

    def _can_omit(self, start: int, end: int) -> bool:
        """Whether brackets in the expression may break before it gets parentheses."""
        brackets = self._brackets(start, end)
        skeleton = self._skeleton(start, end)
        if not brackets and "()" not in skeleton and "[]" not in skeleton and "{}" not in skeleton:
            return False
        highest = count = 0
        for match in OPERATOR.finditer(skeleton, start):
            precedence = PRECEDENCE[match.group(1) or match.group(2)]
            if precedence > highest:
                highest, count = precedence, 1
            elif precedence == highest:
                count += 1
        if highest <= _INVERSION:
            inversions = skeleton.count("~", start)
            dots = len(re.findall(r"[)\]]\.", skeleton[start:]))
            if inversions and highest < _INVERSION:
                highest, count = _INVERSION, inversions
            elif dots and highest < _ATTRIBUTE:
                highest, count = _ATTRIBUTE, dots
        if count > 1:
            return False
        if highest <= _ATTRIBUTE:
            return True
        if not brackets:
            return False
        opened, closed = brackets[-1]
        if closed == end - 1 and not (self.line[opened] == "[" and self._is_trailer(opened)):
            return True
        return brackets[0][0] == start

    def _fits_by_brackets(self, start: int, end: int, indent: int, tail: int) -> bool:
        """Whether everything outside the outermost brackets fits once each of them is broken."""
        col = self.col
        width = self.width
        if _LAMBDA[0] in self._skeleton(start, end)[start:]:
            return col + end - start + tail <= width
        for opened, closed in self._brackets(start, end):
            if col + opened + 1 - start > width:
                return False
            col, start = indent, closed
        return col + end - start + tail <= width

    def _fits_expanded(self, start: int, end: int, indent: int, tail: int) -> bool:
        """Whether the value, in parentheses and with everything in it broken, fits."""
        if self.col + 1 > self.width or indent + 1 + tail > self.width:
            return False
        trial = Printer.__new__(Printer)
        trial.line, trial.close, trial.width = self.line, self.close, -1
        trial.out, trial.col = [" " * (indent + 4)], indent + 4
        trial._expression(start, end, indent + 4, 0)
        return max(map(len, "".join(trial.out).split("\n"))) <= self.width

    # -- expressions ------------------------------------------------------------------------------

    def _linear(
        self, start: int, end: int, indent: int, tail: int, *, overflows: bool = False
    ) -> None:
        """An expression in which nothing but its outermost brackets may break."""
        brackets = self._brackets(start, end)
        ends = [opened + 1 for opened, _ in brackets[1:]]
        ends.append(end + tail)
        over = (
            [
                overflows and indent + stop - closed > self.width
                for (_, closed), stop in zip(brackets, ends, strict=True)
            ]
            if brackets
            else []
        )
        for index, ((opened, closed), stop) in enumerate(zip(brackets, ends, strict=False)):
            self._emit(start, opened)
            rest = HUGE if any(over[index + 1 :]) else stop - closed - 1
            self._bracket(opened, closed, indent, rest)
            start = closed + 1
        self._emit(start, end)

    def _bracket(self, opened: int, closed: int, indent: int, tail: int) -> None:
        """A bracket that is not empty: flat if it and the `tail` columns after it fit."""
        if self.col + closed - opened + 1 + tail <= self.width:
            self._emit(opened, closed + 1)
            return
        self._emit(opened, opened + 1)
        inner = indent + 4
        self._newline(inner)
        self._content(opened, closed, inner)
        self._newline(indent)
        self._emit(closed, closed + 1)

    def _content(self, opened: int, closed: int, indent: int) -> None:
        start = opened + 1
        kind = self.line[opened]
        fits = indent + closed - start <= self.width
        skeleton = self._skeleton(start, closed)
        if _FOR.search(skeleton, start):
            if fits:
                self._emit(start, closed)
            else:
                self._comprehension(start, closed, indent, skeleton)
            return
        items = self._split(start, closed)
        if kind != "{" and self._is_trailer(opened):
            if fits:
                self._emit(start, closed)
            else:
                self._items(items, indent, comma=len(items) > 1)
        elif kind == "(" and len(items) == 1 and not skeleton.endswith(","):
            self._expression(start, closed, indent, 0)
        elif skeleton.endswith(","):
            self._items([(start, closed - 1)], indent, comma=True)
        else:
            self._items(items, indent, comma=len(items) > 1)

    def _items(self, items: list[tuple[int, int]], indent: int, *, comma: bool) -> None:
        """Items one to a line."""
        first = True
        for start, end in items:
            if not first:
                self._newline(indent)
            first = False
            self._expression(start, end, indent, 1 if comma else 0)
            if comma:
                self._write(",")

    def _comprehension(self, start: int, end: int, indent: int, skeleton: str) -> None:
        first = _FOR.search(skeleton, start)
        middle = first.start() if first is not None else end
        self._expression(start, middle, indent, 0)
        for clause_start, clause_end in self._split(middle + 1, end, _CLAUSE):
            self._newline(indent)
            iterable = skeleton.find(" in ", clause_start, clause_end)
            if self.line.startswith("if ", clause_start) or iterable < 0:
                value = clause_start + 3
            else:
                value = iterable + 4
            self._emit(clause_start, value)
            self._expression(value, clause_end, indent, 0)

    def _expression(self, start: int, end: int, indent: int, tail: int) -> None:
        """An expression inside brackets; `tail` columns follow it on its last line."""
        if self.col + end - start + tail <= self.width:
            self._emit(start, end)
            return
        line = self.line
        keyword = _KEYWORD_ARGUMENT.match(line, start, end)
        if keyword is not None:
            self._emit(start, keyword.end())
            start = keyword.end()
        if line.startswith(_LAMBDA, start):
            self._lambda(start, end, indent, tail)
            return
        skeleton = self._skeleton(start, end)
        colons = self._split(start, end, _COLON)
        for index, (part, _) in enumerate(colons):
            if line.startswith(_LAMBDA, part):
                colons[index:] = [(part, end)]
                break
        if len(colons) > 1:
            self._colons(colons, indent, tail)
            return
        operators = [
            (match.start(), match.group(1) or match.group(2))
            for match in OPERATOR.finditer(skeleton, start)
        ]
        if operators:
            self._operators(start, end, indent, tail, operators)
            return
        prefix = PREFIX.match(line, start)
        root = prefix.end() if prefix is not None else start
        dots = self._attribute_dots(root, end)
        if len(dots) < 2:
            self._linear(start, end, indent, tail)
            return
        for dot in dots:
            self._linear(start, dot, indent, 0)
            self._newline(indent)
            start = dot
        self._linear(start, end, indent, tail)

    def _colons(self, parts: list[tuple[int, int]], indent: int, tail: int) -> None:
        """A slice, a dictionary item or an annotated parameter."""
        last = len(parts) - 1
        for index, (start, end) in enumerate(parts):
            if index < last:
                after, stop = parts[index + 1]
                brackets = self._brackets(after, stop)
                operator = OPERATOR.search(self._skeleton(after, stop), after)
                breaks = [opened + 1 for opened, _ in brackets[:1]]
                breaks += [operator.start()] if operator is not None else []
                self._expression(start, end, indent, min(breaks, default=stop + tail) - end)
                self._emit(end, after)
            else:
                self._expression(start, end, indent, tail)

    def _operators(
        self, start: int, end: int, indent: int, tail: int, operators: list[tuple[int, str]]
    ) -> None:
        """Breaks before every operator of the lowest precedence."""
        line = self.line
        kept: list[tuple[int, str]] = []
        lowest = 0
        negated = line.startswith("not ", start)
        for position, operator in operators:
            precedence = PRECEDENCE[operator]
            if negated and precedence < _BOOLEAN:
                continue
            negated = (
                line.startswith(" not ", position + 1 + len(operator)) and line[position] == " "
            )
            kept.append((position, operator))
            lowest = max(lowest, precedence)
        if not kept:
            self._emit(start, start + 4)
            self._expression(start + 4, end, indent, tail)
            return
        begin = start
        for position, operator in kept:
            if PRECEDENCE[operator] != lowest:
                continue
            self._expression(begin, position, indent, 0)
            self._newline(indent)
            if line[position] == " ":
                begin = position + len(operator) + 2
                self._emit(position + 1, begin)
            else:
                begin = position + (3 if line[position + 2] == " " else 2)
                self._write("** ")
        self._expression(begin, end, indent, tail)

    def _lambda(self, start: int, end: int, indent: int, tail: int) -> None:
        line = self.line
        body = self._skeleton(start, end).index(": ", start) + 2
        self._emit(start, body)
        if self.col + end - body + tail <= self.width:
            self._emit(body, end)
            return
        brackets = self._brackets(body, end)
        trailing = line[end - 1] in ")]" and self._is_trailer(self._opening(body, end))
        prefix = PREFIX.match(line, body)
        if self._need(body, end) == "multiline" or (prefix is not None and prefix.end() > body):
            flat = False
        elif trailing:
            flat = bool(brackets) and self.col + brackets[0][0] + 1 - body <= self.width
        else:
            flat = bool(brackets) and brackets[0] == (body, end - 1)
        if flat:
            self._linear(body, end, indent, tail)
        else:
            self._parenthesized(body, end, indent)

    def _opening(self, start: int, end: int) -> int:
        """The bracket that the one at the end of a slice closes."""
        closed = end - 1
        return next(
            opened for opened, found in self.close.items() if found == closed and opened >= start
        )
