"""`check`: the gate from the command line."""

from __future__ import annotations

import json
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
def check(file: Path, device: Any, timeout: float) -> None:
    """Judge one candidate FILE in the three-block form; prints one JSON line.

    Exit code 0: it is right; 1: it is wrong or could not be judged; 2: bad usage.
    """
    from tritongen.candidate import check_file

    with clear_errors():
        verdict = check_file(file, device=device, timeout=timeout)
        click.echo(json.dumps(verdict))
        sys.exit(0 if verdict["correct"] else 1)
