"""The exception tree. Every message has the place, the value, what is known and the next step."""

from __future__ import annotations

from collections.abc import Iterable
from difflib import get_close_matches


class TritongenError(Exception):
    """Base of all errors that a user can cause and mend.

    `place` says where (a file and line, a config field, an argument), `problem` what is wrong there,
    `value` the offending value, `known` the accepted values and `hint` the next step.
    """

    def __init__(
        self,
        place: str,
        problem: str,
        *,
        value: object = None,
        known: Iterable[object] = (),
        hint: str = "",
    ) -> None:
        self.place = place
        self.problem = problem
        self.value = value
        self.known = tuple(str(item) for item in known)
        self.hint = hint
        super().__init__(self._message())

    def _message(self) -> str:
        parts = [f"{self.place}: {self.problem}"]
        if self.value is not None:
            parts[0] += f": {self.value!r}"
        if self.known:
            near = get_close_matches(str(self.value), self.known, n=1)
            if near:
                parts.append(f"did you mean {near[0]!r}?")
            shown = ", ".join(self.known[:40])
            more = f", ... ({len(self.known)} in all)" if len(self.known) > 40 else ""
            parts.append(f"known: {shown}{more}")
        if self.hint:
            parts.append(self.hint)
        return "; ".join(parts)


class TemplateError(TritongenError):
    """A template file, its header or an op table is wrong."""


class ExpressionError(TemplateError):
    """An expression in a header is outside the expression language or fails to evaluate."""


class RenderError(TemplateError):
    """A template cannot be rendered at a point of its space."""


class UnknownNameError(TritongenError):
    """A family, strategy, axis, op or value that nothing declares."""


class ArgumentError(TritongenError):
    """An argument of a call is not of the kind that is expected."""


class EmptySpaceError(TritongenError):
    """Rules and filters leave nothing of a space."""


class ConfigError(TritongenError):
    """A build configuration is wrong."""


class InputFileError(TritongenError):
    """A file given by the user cannot be read or is not in the expected form."""


class DeviceError(TritongenError):
    """The device asked for is not there."""


class VerificationError(TritongenError):
    """Verification as a whole cannot run (a single pair's failure is a verdict, not an exception)."""


class BuildError(TritongenError):
    """A build cannot go on; what is written so far stays valid."""
