"""One flat line of code and its structure: brackets, strings, and where parts of it end.

The text is a line as a formatter writes it (double quotes, normal spacing), so the width of any part in
its flat form is the length of its slice. Parts are looked at with their nested brackets blanked.
"""

from __future__ import annotations

import re

_STRUCTURE = re.compile(r"""[()\[\]{}]|"(?:[^"\\]|\\.)*"|'(?:[^'\\]|\\.)*'""")
_OPERAND_END = re.compile(r"[\w)\]}\"']")

COMMA = re.compile(", ")


class FlatLine:
    """A line; `close` maps the place of every bracket and string to its end, if they are `matched`."""

    __slots__ = ("close", "line", "matched")

    def __init__(self, line: str) -> None:
        self.line = line
        self.close: dict[int, int] = {}
        self.matched = self._match()

    def _match(self) -> bool:
        close = self.close
        opened: list[int] = []
        for match in _STRUCTURE.finditer(self.line):
            token = match.group()
            if token in "([{":
                opened.append(match.start())
            elif token in ")]}":
                if not opened:
                    return False
                close[opened.pop()] = match.start()
            else:
                close[match.start()] = match.end() - 1
        return not opened

    def _brackets(self, start: int, end: int) -> list[tuple[int, int]]:
        """The outermost brackets in a slice that are not empty."""
        line, close = self.line, self.close
        found: list[tuple[int, int]] = []
        search = _STRUCTURE.search
        match = search(line, start, end)
        while match is not None:
            opened = match.start()
            closed = close[opened]
            if closed - opened > 1 and line[opened] in "([{":
                found.append((opened, closed))
            match = search(line, closed + 1, end)
        return found

    def _skeleton(self, start: int, end: int) -> str:
        """The line up to `end`, with everything in brackets and strings of the slice blanked."""
        line, close = self.line, self.close
        parts = [line[:start]]
        search = _STRUCTURE.search
        match = search(line, start, end)
        while match is not None:
            opened = match.start()
            closed = close[opened]
            parts.append(line[start : opened + 1])
            parts.append("\0" * (closed - opened - 1))
            start = closed
            match = search(line, closed + 1, end)
        parts.append(line[start:end])
        return "".join(parts)

    def _split(
        self, start: int, end: int, pattern: re.Pattern[str] = COMMA
    ) -> list[tuple[int, int]]:
        """The parts of a slice between outermost matches of `pattern`."""
        parts: list[tuple[int, int]] = []
        for match in pattern.finditer(self._skeleton(start, end), start):
            parts.append((start, match.start()))
            start = match.end()
        parts.append((start, end))
        return parts

    def _is_trailer(self, opened: int) -> bool:
        """Whether the bracket is a call's or a subscript's."""
        return opened > 0 and _OPERAND_END.match(self.line, opened - 1) is not None

    def _attribute_dots(self, start: int, end: int) -> list[int]:
        """The dots of a primary that follow a call, a subscript or a parenthesised root."""
        line, close = self.line, self.close
        dots: list[int] = []
        match = _STRUCTURE.search(line, start, end)
        while match is not None:
            opened = match.start()
            closed = close[opened]
            is_root = opened == start and (line[opened] != "(" or self._is_tuple(opened, closed))
            if line.startswith(".", closed + 1) and line[opened] in "([" and not is_root:
                dots.append(closed + 1)
            match = _STRUCTURE.search(line, closed + 1, end)
        return dots

    def _is_tuple(self, opened: int, closed: int) -> bool:
        if closed - opened == 1:
            return True
        skeleton = self._skeleton(opened + 1, closed)
        return skeleton.endswith(",") or COMMA.search(skeleton, opened + 1) is not None
