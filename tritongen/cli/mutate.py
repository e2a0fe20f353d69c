"""`mutate`: mutation testing of the gate from the command line."""

from __future__ import annotations

import sys
from pathlib import Path
from typing import TYPE_CHECKING, Any

from rich.markup import escape
from rich.table import Table

from tritongen.cli.common import TEMPLATES, clear_errors, click, console

if TYPE_CHECKING:
    from tritongen.mutate import MutationReport


@click.command()
@click.option("--family", "families", multiple=True, help="Only this family; may be repeated.")
@click.option(
    "--limit",
    type=click.IntRange(min=1),
    default=40,
    show_default=True,
    help="Pairs to take, spread over the families.",
)
@click.option("--per-pair", type=click.IntRange(min=1), help="Mutants of each pair; else all.")
@click.option("--operators", metavar="NAME,...", help="Only these operators.")
@click.option("--list", "only_list", is_flag=True, help="List the operators and end.")
@click.option(
    "--device", type=click.Choice(["auto", "cpu", "cuda"]), default="auto", show_default=True
)
@click.option("--workers", type=click.IntRange(min=1), help="Worker processes.")
@click.option("--seed", default=0, show_default=True, help="Seed of the samples.")
@click.option("--json", "json_file", type=click.Path(path_type=Path), help="Write a report.")
@click.option(
    "--keep",
    type=click.Path(path_type=Path),
    help="Folder of a ledger, from which an interrupted run goes on, and of survivors.",
)
@TEMPLATES
def mutate(
    families: tuple[str, ...],
    limit: int,
    per_pair: int | None,
    operators: str | None,
    only_list: bool,
    device: Any,
    workers: int | None,
    seed: int,
    json_file: Path | None,
    keep: Path | None,
    templates: tuple[Path, ...],
) -> None:
    """Break kernels in named ways and see whether the gate notices.

    Exit code 1 if less than 99 % of the mutants that are not equivalent are killed, if more than 10 % are
    equivalent, or if an unbroken pair is refused.
    """
    from tritongen.mutate import OPERATORS, mutate
    from tritongen.mutate.report import describe
    from tritongen.mutate.sample import sample

    with clear_errors():
        if only_list:
            table = Table("operator", "what it breaks", "judged on")
            for op in OPERATORS.values():
                table.add_row(op.name, escape(op.summary), ", ".join(op.judged_on) or "nothing")
            console().print(table)
            return
        chosen = None if operators is None else [n.strip() for n in operators.split(",")]
        report = mutate(
            sample(families, limit, seed=seed, templates=templates),
            chosen,
            per_pair=per_pair,
            seed=seed,
            device=device,
            workers=workers,
            keep=keep,
            progress=_progress,
        )
        if json_file is not None:
            report.write(json_file)
        for by in ("operator", "family"):
            console().print(_table(report, by))
        click.echo(describe(report), nl=False)
        _print_rest(report)
        sys.exit(1 if report.failures else 0)


def _progress(done: int, made: int, report: MutationReport) -> None:
    """A line that replaces itself on a terminal; every 100 mutants elsewhere."""
    total = report.total
    line = f"{done} of {made} mutants: {total.killed} killed, {total.survived} survived"
    if sys.stderr.isatty():
        click.echo(f"\r{line}", nl=False, err=True)
    elif done % 100 == 0:
        click.echo(line, err=True)


def _table(report: MutationReport, by: str) -> Table:
    table = Table(title=f"mutants by {by}")
    table.add_column(by)
    for column in ("killed", "survived", "equivalent", "unjudged", "beyond", "share killed"):
        table.add_column(column, justify="right")
    for name, share in report.rows(by):
        numbers = (share.killed, share.survived, share.equivalent, share.unjudged, share.beyond)
        table.add_row(name, *[f"{n:,}" for n in numbers], f"{share.killed_share:.1%}")
    return table


def _print_rest(report: MutationReport) -> None:
    total = report.total
    checks = ", ".join(f"{name} {count}" for name, count in report.checks.items())
    click.echo(f"killed by: {checks or 'nothing'}")
    for name, why in report.not_judged.items():
        click.echo(f"not judged on {report.device}: {name}: {why}")
    for entry in report.skipped:
        click.echo(f"skipped: {entry['pair']}: {entry['check']}: {entry['reason']}")
    for entry in report.false_alarms:
        click.echo(f"false alarm: {entry['pair']}: {entry['check']}: {entry['reason']}")
    click.echo(
        f"{total.made:,} mutants of {report.pairs:,} pairs in {report.seconds:.0f} s: "
        f"{total.killed_share:.2%} killed, {total.equivalent_share:.1%} equivalent"
    )
    for failure in report.failures:
        click.echo(f"failed: {failure}")
