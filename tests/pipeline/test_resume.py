"""Builds that are stopped, killed, repeated, or meet another build's folder."""

from __future__ import annotations

import json
import os
import random
import shutil
import signal
import subprocess
import sys
import time
from pathlib import Path

import fake_plan
import pytest

from tritongen.errors import BuildError, VerificationError
from tritongen.export.reader import iter_records
from tritongen.pipeline import build

ROOT = Path(__file__).parents[2]
CONFIG = {"count": 600, "shard_size": 50, "verify": {"device": "none"}}


def tree(out):
    return {
        path.relative_to(out).as_posix(): path.read_bytes()
        for path in sorted(out.rglob("*"))
        if path.is_file() and path.name != "lock"
    }


def start(out, device="none", delay="0"):
    """A build in a process of its own, once it is about to write."""
    process = subprocess.Popen(
        [sys.executable, fake_plan.__file__, str(out), "600", "50", device, delay],
        env={**os.environ, "PYTHONPATH": os.pathsep.join([str(ROOT), *sys.path])},
        stdout=subprocess.PIPE,
        text=True,
    )
    assert process.stdout is not None
    assert process.stdout.readline() == "starting\n"
    return process


def test_a_build_killed_at_any_moment_goes_on_to_the_same_bytes(fake_source, tmp_path):
    build({"out": tmp_path / "whole", **CONFIG})
    whole = tree(tmp_path / "whole")
    moments, killed = random.Random(7), 0
    for _ in range(6):
        process = start(tmp_path / "killed")
        time.sleep(moments.uniform(0.1, 0.45))
        process.send_signal(signal.SIGKILL)
        killed += process.wait() == -signal.SIGKILL
        for name, content in tree(tmp_path / "killed").items():
            if not name.endswith(".partial"):
                assert content == whole[name], f"{name} is damaged"
    assert killed
    build({"out": tmp_path / "killed", **CONFIG})
    assert tree(tmp_path / "killed") == whole


def test_a_killed_verified_build_refuses_and_keeps_the_same_pairs(fake_source, fake_gate, tmp_path):
    config = {"count": 600, "shard_size": 50, "verify": {"device": "cpu"}}
    build({"out": tmp_path / "whole", **config})
    process = start(tmp_path / "killed", "cpu", "0.002")
    deadline = time.monotonic() + 20
    shards = tmp_path / "killed" / ".tritongen" / "shards"
    while len(list(shards.glob("*.json"))) < 3 and time.monotonic() < deadline:
        time.sleep(0.01)
    process.kill()
    process.wait()
    fake_gate.seen.clear()
    report = build({"out": tmp_path / "killed", **config})
    assert report.resumed >= 150
    assert len(fake_gate.seen) <= 450
    for name in ("manifest.json", "README.md"):
        assert (tmp_path / "killed" / name).read_bytes() == (tmp_path / "whole" / name).read_bytes()
    ids = [[r["id"] for r in iter_records(tmp_path / n)] for n in ("killed", "whole")]
    assert ids[0] == ids[1]


def test_no_pair_is_verified_twice_when_the_verifier_breaks_down(
    fake_source, fake_gate, tmp_path, monkeypatch
):
    class Breaks(fake_plan.Gate):
        def stream(self, pairs):
            for n, verdict in enumerate(super().stream(pairs)):
                if n == 30:
                    raise VerificationError("workers", "none could be started")
                yield verdict

    config = {"out": tmp_path, "count": 240, "shard_size": 100}
    journal = tmp_path / ".tritongen" / "verdicts" / "00000.jsonl"
    monkeypatch.setattr("tritongen.verify.Gate", Breaks().opened)
    for _ in range(2):
        with pytest.raises(VerificationError):
            build(config)
        journal.write_bytes(journal.read_bytes() + b'{"id": "torn", "sta')
    monkeypatch.setattr("tritongen.verify.Gate", fake_gate.opened)
    build(config)
    assert len(fake_gate.seen) == 240 - 2 * 30
    refused = [line for path in (tmp_path / "rejected").iterdir() for line in path.open()]
    assert len(list(iter_records(tmp_path))) + len(refused) == 240
    assert not journal.exists()


def test_a_finished_build_run_again_renders_nothing_and_changes_nothing(
    fake_source, tmp_path, monkeypatch
):
    build({"out": tmp_path, **CONFIG})
    before = tree(tmp_path)
    monkeypatch.setattr(fake_plan.FakePlan, "pair", lambda self, j: pytest.fail("rendered"))
    report = build({"out": tmp_path, **CONFIG})
    assert report.resumed == report.attempted == 600
    assert tree(tmp_path) == before


@pytest.mark.parametrize("damage", ["cut", "flip", "delete", "marker"])
def test_a_shard_that_was_damaged_is_written_again(fake_source, tmp_path, damage):
    build({"out": tmp_path, **CONFIG})
    before = tree(tmp_path)
    path = tmp_path / "train" / "shard-00003.parquet"
    content = path.read_bytes()
    if damage == "cut":
        path.write_bytes(content[:-5])
    elif damage == "flip":
        path.write_bytes(content[:99] + bytes([content[99] ^ 1]) + content[100:])
    elif damage == "delete":
        path.unlink()
    else:
        (tmp_path / ".tritongen" / "shards" / "00003.json").write_text('{"attempted": 5')
    assert build({"out": tmp_path, **CONFIG}).resumed == 600 - 48
    assert tree(tmp_path) == before


def test_another_configuration_is_refused_with_what_differs(fake_source, tmp_path):
    build({"out": tmp_path, **CONFIG})
    before = tree(tmp_path)
    other = {**CONFIG, "seed": 3, "split": {"train": 0.8, "test": 0.1, "validation": 0.1}}
    with pytest.raises(BuildError, match=r"seed \(was 0, is 3\).*split.train \(was 0.9, is 0.8\)"):
        build({"out": tmp_path, **other})
    assert tree(tmp_path) == before


def test_other_templates_are_refused(fake_source, tmp_path):
    build({"out": tmp_path, **CONFIG})
    with pytest.raises(BuildError, match=r"what differs: templates; .*--overwrite"):
        build({"out": tmp_path, **CONFIG, "templates": [tmp_path]})


def test_overwriting_leaves_nothing_of_the_other_build(fake_source, tmp_path):
    build({"out": tmp_path / "a", **CONFIG, "seed": 3, "shard_size": 20})
    (tmp_path / "a" / "notes.txt").write_text("mine")
    build({"out": tmp_path / "a", **CONFIG}, overwrite=True)
    build({"out": tmp_path / "b", **CONFIG})
    assert tree(tmp_path / "a") == tree(tmp_path / "b") | {"notes.txt": b"mine"}


def test_files_that_no_build_wrote_are_never_removed(fake_source, tmp_path):
    (tmp_path / "train").mkdir()
    (tmp_path / "train" / "precious.parquet").write_text("x")
    for overwrite in (False, True):
        with pytest.raises(BuildError, match=r"precious.parquet: .*no build wrote it"):
            build({"out": tmp_path, **CONFIG}, overwrite=overwrite)
    assert [p.name for p in tmp_path.rglob("*")] == ["train", "precious.parquet"]


@pytest.mark.parametrize("name", ["train", "rejected"])
def test_a_file_where_a_folder_of_the_build_goes_is_never_removed(fake_source, tmp_path, name):
    build({"out": tmp_path, **CONFIG})
    shutil.rmtree(tmp_path / name, ignore_errors=True)
    (tmp_path / name).write_text("mine")
    before = tree(tmp_path)
    for overwrite in (False, True):
        with pytest.raises(BuildError, match=rf"{name}: .*no build wrote it"):
            build({"out": tmp_path, **CONFIG, "seed": 3}, overwrite=overwrite)
        assert tree(tmp_path) == before


def test_shards_without_a_record_of_their_build_are_refused(fake_source, tmp_path):
    build({"out": tmp_path, **CONFIG})
    (tmp_path / ".tritongen" / "build.json").unlink()
    with pytest.raises(BuildError, match="train without a record of its build"):
        build({"out": tmp_path, **CONFIG})


def test_a_broken_record_of_the_build_is_refused(fake_source, tmp_path):
    build({"out": tmp_path, **CONFIG})
    (tmp_path / ".tritongen" / "build.json").write_text('{"config": {')
    with pytest.raises(BuildError, match=r"build.json cannot be read"):
        build({"out": tmp_path, **CONFIG})
    build({"out": tmp_path, **CONFIG}, overwrite=True)


def test_a_folder_with_other_files_only_is_taken(fake_source, tmp_path):
    (tmp_path / "README.md").write_text("A dataset will be here.")
    (tmp_path / ".gitignore").write_text("*")
    build({"out": tmp_path, **CONFIG})
    assert (tmp_path / ".gitignore").read_text() == "*"
    assert (tmp_path / "README.md").read_text().startswith("---\n")


def test_two_builds_do_not_write_into_one_folder(fake_source, tmp_path):
    process = start(tmp_path / "d", "cpu", "0.05")
    deadline = time.monotonic() + 20
    while not (tmp_path / "d" / "train").parent.exists() and time.monotonic() < deadline:
        time.sleep(0.01)
    while not (tmp_path / "d" / ".tritongen" / "verdicts").exists():
        time.sleep(0.01)
    try:
        with pytest.raises(BuildError, match="another build is writing here"):
            build({"out": tmp_path / "d", **CONFIG}, overwrite=True)
    finally:
        process.kill()
        process.wait()


def test_the_manifest_is_written_last(fake_source, tmp_path, monkeypatch):
    def stop(*args, **kwargs):
        raise KeyboardInterrupt

    monkeypatch.setattr("tritongen.pipeline.builder.write_card", stop)
    with pytest.raises(KeyboardInterrupt):
        build({"out": tmp_path, **CONFIG})
    assert not (tmp_path / "manifest.json").exists()
    monkeypatch.undo()
    monkeypatch.setattr("tritongen.pipeline.builder.open_source", fake_plan.open_source)
    assert build({"out": tmp_path, **CONFIG}).resumed == 600
    assert json.loads((tmp_path / "manifest.json").read_text())["attempted"] == 600
