"""A file is whole or absent."""

from __future__ import annotations

import pytest

from tritongen.export.files import remove_partials, sha256, write_atomically, write_bytes


def test_a_writer_that_fails_leaves_the_old_file_and_nothing_else(tmp_path):
    path = tmp_path / "deep" / "file.txt"
    write_bytes(path, b"old")

    def fail(partial):
        partial.write_bytes(b"half of the n")
        raise RuntimeError("the disk is on fire")

    with pytest.raises(RuntimeError, match="on fire"):
        write_atomically(path, fail)
    assert path.read_bytes() == b"old"
    assert list(path.parent.iterdir()) == [path]


def test_what_a_killed_writer_left_is_removed_and_nothing_else(tmp_path):
    (tmp_path / ".shard-00000.parquet.17.partial").write_bytes(b"half")
    (tmp_path / ".gitattributes").write_bytes(b"keep")
    (tmp_path / "shard-00000.parquet").write_bytes(b"keep")
    remove_partials(tmp_path)
    assert {path.name for path in tmp_path.iterdir()} == {".gitattributes", "shard-00000.parquet"}


def test_the_hash_is_that_of_the_content(tmp_path):
    write_bytes(tmp_path / "a", b"abc")
    assert sha256(tmp_path / "a").startswith("ba7816bf8f01cfea")
