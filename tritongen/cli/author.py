"""`lint` and `new`: for those who write templates."""

from __future__ import annotations

import sys
from pathlib import Path

from tritongen.cli.common import TEMPLATES, clear_errors, click


@click.command()
@TEMPLATES
def lint(templates: tuple[Path, ...]) -> None:
    """Check every template without rendering them all and without a GPU."""
    from tritongen.catalog import catalog
    from tritongen.lint import lint as lint_catalog

    with clear_errors():
        findings = lint_catalog(catalog(templates))
        for finding in findings:
            click.echo(finding)
        if findings:
            sys.exit(1)
        click.echo("templates are sound", err=True)


@click.group()
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

    with clear_errors():
        for path in write(name, out):
            click.echo(str(path))
        click.echo(f"try: tritongen expand --templates {out} --family {name} --limit 1", err=True)
