"""`build`: a configuration becomes a dataset, shard by shard."""

from __future__ import annotations

import os
import time
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from importlib.metadata import PackageNotFoundError, version
from pathlib import Path
from typing import TYPE_CHECKING, Any

from tritongen.errors import BuildError, ConfigError
from tritongen.export.card import write_card
from tritongen.export.counts import Counts
from tritongen.export.manifest import Manifest, ShardFile
from tritongen.pipeline.ledger import Identity, Ledger, open_ledger
from tritongen.pipeline.parallel import WORTH_IT, write_shards
from tritongen.pipeline.progress import Meter, meter
from tritongen.pipeline.report import BuildReport, make_report
from tritongen.pipeline.shards import Judge, write_shard
from tritongen.pipeline.source import Source, bounds, open_source, operations
from tritongen.splits import SPLITS, SplitTable, split_operations

if TYPE_CHECKING:
    from tritongen.pipeline.config import BuildConfig, VerifyConfig

_GO_ON = "what is written stays; run the same build again to go on"


def build(
    config: BuildConfig | str | Path | Mapping[str, Any],
    *,
    progress: bool = False,
    overwrite: bool = False,
) -> BuildReport:
    """Expand, verify, split and write a dataset.

    `config` is a TOML file, a mapping of the same fields, or a `BuildConfig`. Its `count` (with
    `oversample`) is what is attempted; only pairs that pass enter the dataset, the others go to
    `rejected/` with their reasons. With `verify.device = "none"` every pair enters, marked
    `unverified`.

    A build that was stopped, even killed, goes on where it was when run again. A folder that holds
    another build is left alone unless `overwrite`. `progress` shows a bar or lines on stderr.

    Equal configurations and templates give equal bytes, apart from the records' `verification`,
    which holds measured times. Raises ConfigError, BuildError, and what the catalog, the plan and
    the verifier raise.
    """
    from tritongen.pipeline.config import load_config

    started = time.monotonic()
    checked = load_config(config)
    source = open_source(checked)
    identity = Identity(
        checked.content(),
        checked.digest(),
        source.template_hash,
        {name: _version(name) for name in ("tritongen", "pyarrow")},
    )
    try:
        with open_ledger(checked.out, identity, overwrite=overwrite) as ledger:
            table = split_operations(operations(source.plan), ratios=checked.split.ratios())
            with (
                _open_gate(checked.verify) as judge,
                meter(len(source.plan), progress) as shown,
            ):
                ledger.prepare()
                _write_shards(ledger, source, checked, table, judge, shown)
            counts, files = _total(ledger, _shards(source, checked))
            _check_splits(checked, counts)
            made = Manifest(
                config=identity.config,
                config_hash=identity.config_hash,
                template_hash=identity.template_hash,
                versions=identity.versions,
                file_format=checked.format,
                attempted=len(source.plan),
                counts=counts,
                files=files,
                operations=table.operations,
            )
            write_card(checked.out, made, license=checked.license, name=checked.name)
            made.write(checked.out)
    except OSError as error:
        place = str(error.filename or checked.out)
        raise BuildError(
            place, f"cannot be written or read ({error.strerror or error})", hint=_GO_ON
        ) from error
    return make_report(
        checked.out,
        counts,
        attempted=len(source.plan),
        resumed=shown.resumed,
        seconds=time.monotonic() - started,
        verified=judge is not None or counts.kept["status"]["unverified"] < counts.passed,
    )


def _shards(source: Source, config: BuildConfig) -> int:
    return -(-len(source.plan) // config.shard_size)


def _write_shards(
    ledger: Ledger,
    source: Source,
    config: BuildConfig,
    table: SplitTable,
    judge: Judge | None,
    shown: Meter,
) -> None:
    missing = []
    for shard in range(_shards(source, config)):
        entry = ledger.entry(shard)
        if entry is None:
            missing.append(shard)
        else:
            shown.skip(entry.counts.passed, entry.counts.refused)
    workers = config.verify.workers or os.cpu_count() or 1
    if judge is None and workers > 1 and len(missing) * config.shard_size >= WORTH_IT:
        for kept, refused in write_shards(missing, config, ledger.identity, table, workers):
            shown.tick(kept, refused)
        return
    for shard in missing:
        write_shard(
            ledger,
            source.plan,
            shard,
            bounds(source.plan, shard, config.shard_size),
            table=table,
            file_format=config.format,
            judge=judge,
            tick=shown.tick,
        )


def _total(ledger: Ledger, shards: int) -> tuple[Counts, list[ShardFile]]:
    counts, files = Counts(), []
    for shard in range(shards):
        entry = ledger.read_entry(shard)
        counts.add(entry.counts)
        files += entry.files
    return counts, files


def _check_splits(config: BuildConfig, counts: Counts) -> None:
    ratios = config.split.ratios()
    empty = [name for name in SPLITS if ratios[name] > 0 and not counts.kept["split"][name]]
    if not empty:
        return
    reasons = ", ".join(f"{key} ({n})" for key, n in counts.refusals["reason"].most_common(3))
    raise BuildError(
        str(config.out),
        f"no pair that passed is in the split {', '.join(empty)}; {counts.passed} passed, "
        f"{counts.refused} were refused" + (f", most for: {reasons}" if reasons else ""),
        hint="see rejected/; ask for more pairs into another `out`, or give the split the ratio 0",
    )


@contextmanager
def _open_gate(config: VerifyConfig) -> Iterator[Judge | None]:
    """The verifier as a function from pairs to verdicts in their order; None switches it off."""
    if config.device == "none":
        yield None
        return
    from tritongen.verify import TARGETS, Gate

    unknown = [target for target in config.targets or () if target not in TARGETS]
    if unknown:
        raise ConfigError(
            "verify.targets", "unknown compilation target", value=unknown[0], known=TARGETS
        )
    with Gate(
        config.device, workers=config.workers, timeout=config.timeout, targets=config.targets
    ) as gate:
        yield gate.stream


def _version(package: str) -> str:
    try:
        return version(package)
    except PackageNotFoundError:
        return "source"
