"""Nothing is acknowledged that lies in a file without a name: the log's files are taken away under an open log."""

from __future__ import annotations

import shutil
from contextlib import suppress
from pathlib import Path

import pytest

from service.log.export import export_lines
from service.log.store import LogStore, NotDurable
from service.log.verifier import verify

ENDINGS = ("", "-wal", "-shm")


@pytest.fixture
def files(tmp_path):
    return [tmp_path / f"log.sqlite{ending}" for ending in ENDINGS]


def moved(paths, ending=".away"):
    for path in paths:
        path.rename(f"{path}{ending}")


def moved_back(paths, ending=".away"):
    for path in paths:
        path.with_name(path.name + ending).rename(path)


@pytest.mark.parametrize("which", [(0, 1, 2), (0,), (1,), (2,)], ids=["all", "database", "wal", "shm"])
def test_a_log_whose_files_are_moved_takes_nothing_until_they_are_back(which, store, files, key):
    store.append("screening", b"{}")
    taken = [files[number] for number in which]
    moved(taken)
    assert "moved, removed or replaced" in store.fault()
    with pytest.raises(NotDurable, match="put the same files back"):
        store.append("screening", b'{"n":1}')
    assert not any(path.exists() for path in taken)
    moved_back(taken)
    assert store.fault() is None
    assert store.append("screening", b'{"n":2}').index == 1
    store.close()
    again = LogStore.open(files[0], key)
    assert again.size() == 2
    assert verify(export_lines(again), key.verifier).ok
    again.close()


def test_a_log_whose_files_are_removed_takes_nothing(store, files, tmp_path, key):
    receipts = [store.append("screening", b"{}") for _ in range(3)]
    for path in files:
        path.unlink()
    for _ in range(2):
        with pytest.raises(NotDurable):
            store.append("screening", b"{}")
        assert store.fault() is not None
    assert not any(path.exists() for path in files)
    # What the process still holds can be copied out, as operator.md says.
    for path in files:
        held = next(one for one in Path("/proc/self/fd").iterdir() if _leads_to(one) == f"{path} (deleted)")
        shutil.copyfile(held, path)
    assert store.fault() is not None, "another file of that name is not the one that this process has open"
    saved = LogStore.open(tmp_path / "log.sqlite", key)
    assert [saved.get_index(number).entry_id for number in range(3)] == [receipt.entry_id for receipt in receipts]
    store.close()  # takes the files of another away from nobody
    assert saved.append("screening", b"{}").index == 3
    saved.close()
    again = LogStore.open(tmp_path / "log.sqlite", key)
    assert again.size() == 4
    again.close()


def test_files_taken_away_during_a_commit_acknowledge_nothing(store, files):
    store.append("screening", b"{}")
    writer = store._writer

    def signing(size, root, sign=writer._key.sign):
        moved(files)  # the transaction is open, and was looked at
        return sign(size, root)

    writer._key.sign = signing
    with pytest.raises(NotDurable, match="put the same files back"):
        store.append("screening", b"{}")
    del writer._key.sign
    moved_back(files)
    assert store.append("screening", b"{}").index == 2, "it was committed, though not acknowledged"


def test_a_backup_put_in_the_place_of_the_log_is_not_written_to(store, files, tmp_path, key):
    store.append("screening", b"{}")
    backup = tmp_path / "backup"
    store.close()
    shutil.copyfile(files[0], backup)
    again = LogStore.open(files[0], key)
    again.append("screening", b"{}")
    moved(files)
    shutil.copyfile(backup, files[0])
    with pytest.raises(NotDurable):
        again.append("screening", b"{}")
    again.close()
    other = LogStore.open(files[0], key)
    assert other.size() == 1
    other.close()


def test_a_log_that_became_shorter_takes_nothing(store):
    for _ in range(3):
        store.append("screening", b"{}")
    with store.exclusive() as engine, engine.begin() as connection:
        connection.exec_driver_sql("DELETE FROM log_entry WHERE idx > 0")
        connection.exec_driver_sql("DELETE FROM log_checkpoint WHERE size > 1")
    with pytest.raises(NotDurable, match="has 1 entries and had 3"):
        store.append("screening", b"{}")


def _leads_to(descriptor):
    with suppress(OSError):  # that of the folder itself is closed by now
        return str(descriptor.readlink())
    return ""
