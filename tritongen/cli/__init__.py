"""The command line: parses arguments, calls the library, prints."""

from __future__ import annotations

from tritongen.cli import author, data, gate, mutate, verify
from tritongen.cli.common import click


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


for command in (
    *(data.list_command, data.show, data.expand, data.build),
    *(gate.check, verify.verify, mutate.mutate),
    *(author.lint, author.new),
):
    main.add_command(command)
