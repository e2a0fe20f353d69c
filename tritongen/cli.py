"""The command line: parses arguments, calls the library, prints."""

from __future__ import annotations

import json
import sys
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

try:
    import rich_click as click
except ImportError:  # a GPU machine may lack it
    import click

from rich.console import Console
from rich.markup import escape
from rich.table import Table

from tritongen.errors import InputFileError, TritongenError

BAD_INPUT = 2
_TEMPLATES = click.option(
    "--templates",
    multiple=True,
    type=click.Path(path_type=Path),
    help="A folder of your own templates; they come before the built-in ones. May be repeated.",
)


@contextmanager
def _clear_errors() -> Iterator[None]:
    """One line on stderr and exit code 2 for what a user can mend."""
    try:
        yield
    except TritongenError as error:
        _say(error)
        sys.exit(BAD_INPUT)
    except BrokenPipeError:
        sys.stderr.close()
        sys.exit(0)
    except OSError as error:
        click.echo(f"error: {error.filename or 'file'}: {error.strerror or error}", err=True)
        sys.exit(BAD_INPUT)


def _say(error: TritongenError) -> None:
    click.echo(f"error: {' '.join(str(error).split())}", err=True)


def _where(entries: tuple[str, ...]) -> dict[str, list[str]]:
    """`--where op=sum,max` as a filter."""
    where: dict[str, list[str]] = {}
    for entry in entries:
        axis, sign, values = entry.partition("=")
        if not sign or not axis or not values:
            raise InputFileError("--where", "AXIS=VALUE,VALUE is expected", value=entry)
        where.setdefault(axis.strip(), []).extend([value.strip() for value in values.split(",")])
    return where


@click.group(context_settings={"help_option_names": ["-h", "--help"]})
@click.version_option(package_name="tritongen")
def main() -> None:
    """Verified training data for models that write Triton kernels.

    Every pair is a PyTorch reference, a Triton kernel and a pytest test, rendered from templates.

    \b
    tritongen list                                   what there is
    tritongen expand --family softmax --limit 3      read some pairs
    tritongen build examples/demo.toml               a verified, split dataset
    """


@main.command("list")
@_TEMPLATES
def list_command(templates: tuple[Path, ...]) -> None:
    """Families with their strategies and numbers of computations, programs and variants."""
    from tritongen.api import families, space
    from tritongen.catalog import catalog

    with _clear_errors():
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
        _console().print(table)
        for error in wrong:
            _say(error)
        if wrong:
            sys.exit(BAD_INPUT)


def _console() -> Console:
    console = Console()
    return console if console.is_terminal else Console(width=120)


@main.command()
@click.argument("family")
@click.option("--strategy", help="Only this strategy.")
@_TEMPLATES
def show(family: str, strategy: str | None, templates: tuple[Path, ...]) -> None:
    """Axes, values and rules of FAMILY, and what each rule drops."""
    from tritongen.api import space
    from tritongen.catalog import catalog

    with _clear_errors():
        known = catalog(templates).family(family)
        console = _console()
        console.print(f"[bold]{escape(family)}[/bold]: {escape(known.contract.header.title)}")
        for part in space(family, strategy, templates=templates).spaces:
            header = known.strategies[part.strategy].header
            console.print(
                f"\n[bold]{part.strategy}[/bold]: {escape(header.title)}; {part.computations:,} "
                f"computations, {part.programs:,} programs, {part.count:,} variants"
            )
            if header.teaches:
                console.print(escape(header.teaches))
            table = Table("role", "axis", "values", "which")
            for axis in part.axes:
                seen = list(dict.fromkeys(str(cell.seen) for cell in axis.cells))
                shown = ", ".join(seen[:12]) + (", ..." if len(seen) > 12 else "")
                table.add_row(axis.role, axis.name, f"{axis.size:,}", escape(shown))
            console.print(table)
            for reason, n in part.dropped.items():
                console.print(f"  drops {n:,}: {escape(reason)}")


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


@main.command()
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
@_TEMPLATES
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

    with _clear_errors():
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


@main.command()
@click.argument("config", type=click.Path(path_type=Path))
@click.option(
    "--overwrite", is_flag=True, help="Drop what an earlier build of another config wrote."
)
def build(config: Path, overwrite: bool) -> None:
    """Build the dataset that CONFIG (TOML) describes: expand, verify, split, write.

    A build that was interrupted goes on where it stopped.
    """
    from tritongen.pipeline import build as build_dataset

    with _clear_errors():
        report = build_dataset(config, progress=True, overwrite=overwrite)
        _console().print(report.table())


@main.command()
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

    with _clear_errors():
        verdict = check_file(file, device=device, timeout=timeout)
        click.echo(json.dumps(verdict))
        sys.exit(0 if verdict["correct"] else 1)


@main.command()
@_TEMPLATES
def lint(templates: tuple[Path, ...]) -> None:
    """Check every template without rendering them all and without a GPU."""
    from tritongen.catalog import catalog
    from tritongen.lint import lint as lint_catalog

    with _clear_errors():
        findings = lint_catalog(catalog(templates))
        for finding in findings:
            click.echo(finding)
        if findings:
            sys.exit(1)
        click.echo("templates are sound", err=True)


@main.group()
def new() -> None:
    """Start something of your own."""


@new.command("family")
@click.argument("name")
@click.option(
    "--out",
    default="my_templates",
    show_default=True,
    type=click.Path(path_type=Path),
    help="Template folder to write to.",
)
def new_family(name: str, out: Path) -> None:
    """Write the two template files of a new family NAME, ready to edit."""
    from tritongen.scaffold import new_family as write

    with _clear_errors():
        for path in write(name, out):
            click.echo(str(path))
        click.echo(f"try: tritongen expand --templates {out} --family {name} --limit 1", err=True)


if __name__ == "__main__":
    main()
