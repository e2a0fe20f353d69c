"""`check`: the gate from the command line."""

from __future__ import annotations

import json
import os
import sys
from pathlib import Path
from typing import Any

from tritongen.cli.common import clear_errors, click


@click.command()
@click.argument("file", type=click.Path(path_type=Path))
@click.option(
    "--device", type=click.Choice(["auto", "cpu", "cuda"]), default="auto", show_default=True
)
@click.option("--timeout", default=120.0, show_default=True, help="Seconds that the file may take.")
@click.option("--strict", is_flag=True, help="Also refuse TF32 and partial sums left to torch.")
@click.option("--trust", is_flag=True, help="No sandboxes: for a file that you wrote yourself.")
@click.option("--entry", metavar="NAME", help="Entry point of both sides, or REFERENCE:WRAPPER.")
@click.option("--seed", type=click.IntRange(min=0), help="Draw the inputs of an earlier verdict.")
@click.option("--tier", default="auto", show_default=True, help="Isolation that is wanted.")
def check(file: Path, **options: Any) -> None:
    """Judge one candidate FILE in the three-block form; prints one JSON line.

    Exit code 0: it is right; 1: it is wrong or could not be judged; 2: bad usage.
    """
    from tritongen.verify.foreign.check import check as check_file

    with clear_errors():
        with _quiet_stdout():
            verdict = check_file(file, **options)
        click.echo(json.dumps(verdict, allow_nan=False))
        sys.stdout.flush()
        sys.exit(0 if verdict["correct"] else 1)


class _quiet_stdout:
    """Whatever a library prints on standard output meanwhile goes to standard error."""

    def __enter__(self) -> None:
        sys.stdout.flush()
        self.kept = os.dup(1)
        os.dup2(2, 1)

    def __exit__(self, *_: object) -> None:
        sys.stdout.flush()
        os.dup2(self.kept, 1)
        os.close(self.kept)
