"""What the commands share: click, clear errors, the console."""

from __future__ import annotations

import sys
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

try:
    import rich_click as click
except ImportError:  # a GPU machine may lack it
    import click

from rich.console import Console

from tritongen.errors import TritongenError

BAD_INPUT = 2
TEMPLATES = click.option(
    "--templates",
    multiple=True,
    type=click.Path(path_type=Path),
    help="A folder of your own templates; they come before the built-in ones. May be repeated.",
)


@contextmanager
def clear_errors() -> Iterator[None]:
    """One line on stderr and exit code 2 for what a user can mend."""
    try:
        yield
    except TritongenError as error:
        say(error)
        sys.exit(BAD_INPUT)
    except BrokenPipeError:
        sys.stderr.close()
        sys.exit(0)
    except OSError as error:
        click.echo(f"error: {error.filename or 'file'}: {error.strerror or error}", err=True)
        sys.exit(BAD_INPUT)


def say(error: TritongenError) -> None:
    click.echo(f"error: {' '.join(str(error).split())}", err=True)


def console() -> Console:
    console = Console()
    return console if console.is_terminal else Console(width=120)
