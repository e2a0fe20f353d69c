"""`list`, `show`, `expand`, `build`: what there is, and pairs from it."""

from __future__ import annotations

import json
import sys
from collections.abc import Callable
from pathlib import Path
from typing import Any

from rich.markup import escape
from rich.table import Table

from tritongen.cli.common import BAD_INPUT, TEMPLATES, clear_errors, click, console, say
from tritongen.errors import InputFileError, TritongenError


def _where(entries: tuple[str, ...]) -> dict[str, list[str]]:
    """`--where op=sum,max` as a filter."""
    where: dict[str, list[str]] = {}
    for entry in entries:
        axis, sign, values = entry.partition("=")
        if not sign or not axis or not values:
            raise InputFileError("--where", "AXIS=VALUE,VALUE is expected", value=entry)
        where.setdefault(axis.strip(), []).extend([value.strip() for value in values.split(",")])
    return where


@click.command("list")
@TEMPLATES
def list_command(templates: tuple[Path, ...]) -> None:
    """Families with their strategies and numbers of computations, programs and variants."""
    from tritongen.api import families, space
    from tritongen.catalog import catalog

    with clear_errors():
        wrong: list[TritongenError] = list(catalog(templates).broken.values())
        table = Table(title="families")
        table.add_column("family")
        table.add_column("strategies", max_width=40)
        for column in ("computations", "programs", "variants"):
            table.add_column(column, justify="right")
        totals = [0, 0, 0]
        for name, strategies in families(templates).items():
            try:
                whole = space(name, templates=templates)
            except TritongenError as error:
                wrong.append(error)
                continue
            numbers = [whole.computations, whole.programs, whole.count]
            totals = [a + b for a, b in zip(totals, numbers, strict=True)]
            table.add_row(name, ", ".join(strategies), *[f"{n:,}" for n in numbers])
        table.add_section()
        table.add_row("all", "", *[f"{n:,}" for n in totals])
        console().print(table)
        for error in wrong:
            say(error)
        if wrong:
            sys.exit(BAD_INPUT)


@click.command()
@click.argument("family")
@click.option("--strategy", help="Only this strategy.")
@TEMPLATES
def show(family: str, strategy: str | None, templates: tuple[Path, ...]) -> None:
    """Axes, values and rules of FAMILY, and what each rule drops."""
    from tritongen.api import space
    from tritongen.catalog import catalog

    with clear_errors():
        known = catalog(templates).family(family)
        screen = console()
        screen.print(f"[bold]{escape(family)}[/bold]: {escape(known.contract.header.title)}")
        for part in space(family, strategy, templates=templates).spaces:
            header = known.strategies[part.strategy].header
            screen.print(
                f"\n[bold]{part.strategy}[/bold]: {escape(header.title)}; {part.computations:,} "
                f"computations, {part.programs:,} programs, {part.count:,} variants"
            )
            if header.teaches:
                screen.print(escape(header.teaches))
            table = Table("role", "axis", "values", "which")
            for axis in part.axes:
                seen = list(dict.fromkeys(str(cell.seen) for cell in axis.cells))
                shown = ", ".join(seen[:12]) + (", ..." if len(seen) > 12 else "")
                table.add_row(axis.role, axis.name, f"{axis.size:,}", escape(shown))
            screen.print(table)
            for reason, n in part.dropped.items():
                screen.print(f"  drops {n:,}: {escape(reason)}")


_FORMS: dict[str, Callable[[Any], str]] = {
    "module": lambda pair: pair.joined,
    "blocks": lambda pair: pair.to_blocks(),
    "json": lambda pair: json.dumps(pair.to_record(), ensure_ascii=False),
}


def _write(path: Path, text: str) -> None:
    """Write a file that is whole or absent."""
    path.parent.mkdir(parents=True, exist_ok=True)
    partial = path.with_name(f".{path.name}.partial")
    try:
        partial.write_text(text, encoding="utf-8")
        partial.replace(path)
    except BaseException:
        partial.unlink(missing_ok=True)
        raise


@click.command()
@click.option("--family", help="Only this family.")
@click.option("--strategy", help="Only this strategy.")
@click.option(
    "--where", multiple=True, metavar="AXIS=VALUE,...", help="Filter an axis, e.g. op=sum,max."
)
@click.option("--limit", type=click.IntRange(min=0), help="A stratified sample of so many pairs.")
@click.option("--seed", default=0, show_default=True, help="Seed of the sample.")
@click.option(
    "--out",
    type=click.Path(path_type=Path),
    help="Write DIR/<family>/<id>.py, one runnable pytest module a pair.",
)
@click.option(
    "--format",
    "form",
    type=click.Choice(list(_FORMS)),
    default="module",
    show_default=True,
    help="What to write of a pair.",
)
@TEMPLATES
def expand(
    family: str | None,
    strategy: str | None,
    where: tuple[str, ...],
    limit: int | None,
    seed: int,
    out: Path | None,
    form: str,
    templates: tuple[Path, ...],
) -> None:
    """Render pairs, to files or to standard output. Needs neither torch nor a GPU."""
    from tritongen.api import expand as expand_pairs

    with clear_errors():
        if limit is None and out is not None:
            raise InputFileError(
                "--limit", "writing a whole space needs a limit", hint="add --limit N"
            )
        pairs = expand_pairs(
            family,
            strategy=strategy,
            where=_where(where),
            limit=limit,
            seed=seed,
            templates=templates,
        )
        written = 0
        for pair in pairs:
            text = _FORMS[form](pair)
            if out is None:
                click.echo(text if form == "json" else f"# {pair.id} {pair.description}\n{text}")
                continue
            path = out / pair.family / f"{pair.id}.{'json' if form == 'json' else 'py'}"
            _write(path, text)
            written += 1
        if out is not None:
            click.echo(f"{written} pairs in {out}", err=True)


@click.command()
@click.argument("config", type=click.Path(path_type=Path))
@click.option(
    "--overwrite", is_flag=True, help="Drop what an earlier build of another config wrote."
)
def build(config: Path, overwrite: bool) -> None:
    """Build the dataset that CONFIG (TOML) describes: expand, verify, split, write.

    A build that was interrupted goes on where it stopped.
    """
    from tritongen.pipeline import build as build_dataset

    with clear_errors():
        report = build_dataset(config, progress=True, overwrite=overwrite)
        console().print(report.table())
