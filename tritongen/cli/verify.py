"""`verify`: the evidence of a dataset is raised in place."""

from __future__ import annotations

import sys
from pathlib import Path
from typing import Any

from tritongen.cli.common import clear_errors, click, console


@click.command()
@click.argument("dataset", type=click.Path(path_type=Path))
@click.option(
    "--device",
    type=click.Choice(["auto", "cpu", "cuda"]),
    default="auto",
    show_default=True,
    help="The CPU can prove `interpreted`, a GPU `gpu`.",
)
@click.option("--workers", type=click.IntRange(min=1), help="Processes; one a core if left out.")
@click.option(
    "--timeout", default=120.0, show_default=True, help="Seconds for each stage of a pair."
)
@click.option(
    "--limit",
    type=click.IntRange(min=0),
    help="At most so many pairs, spread over those that are due.",
)
@click.option("--redo", is_flag=True, help="Also pairs that are proved as far already.")
@click.option(
    "--sanitize",
    metavar="N",
    type=click.IntRange(min=0),
    default=0,
    help="Run N pairs that passed on a GPU under compute-sanitizer besides.",
)
def verify(
    dataset: Path,
    device: Any,
    workers: int | None,
    timeout: float,
    limit: int | None,
    redo: bool,
    sanitize: int,
) -> None:
    """Verify the pairs of DATASET, the folder of a build, that are proved less than can be here.

    Records get the new evidence in place; pairs that fail move to rejected/. A verification that
    was interrupted goes on where it stopped.

    Exit code 0: all that was due passed; 1: a pair failed or could not be judged; 2: bad usage.
    """
    from tritongen.pipeline import verify_dataset

    with clear_errors():
        report = verify_dataset(
            dataset,
            device=device,
            workers=workers,
            timeout=timeout,
            limit=limit,
            redo=redo,
            sanitize=sanitize,
            progress=True,
        )
        console().print(report.table())
        sys.exit(1 if report.failed else 0)
