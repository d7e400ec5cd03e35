"""Rows of the database itself are changed at random, by someone without the key or with it; then it is exported."""

from __future__ import annotations

import itertools
import re
import shutil
from collections.abc import Iterator
from contextlib import closing, contextmanager
from pathlib import Path

import pysqlite3
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from service.log.checkpoint import SigningKey, create_signing_key, load_signing_key
from service.log.export import export_lines
from service.log.merkle import Frontier
from service.log.schema import LogError
from service.log.store import LogStore
from service.log.verifier import Problem, verify

ORIGIN = "test.invalid/log"
SIZE = 12
START = 1_790_000_000_000_000_000


@pytest.fixture(scope="module")
def honest(tmp_path_factory: pytest.TempPathFactory) -> tuple[Path, SigningKey, list[str]]:
    """A log of twelve entries, its key, and its checkpoints from the empty one on."""
    folder = tmp_path_factory.mktemp("honest")
    key = create_signing_key(folder / "log.pem", ORIGIN)
    ticks = itertools.count(START, 1_000_000_000)
    store = LogStore.open(folder / "log.sqlite", key, lambda: next(ticks))
    notes = [store.latest_checkpoint()]
    notes += [store.append("screening", b'{"n":%d,"text":"x"}' % number).checkpoint for number in range(SIZE)]
    store.close()
    return folder, load_signing_key(folder / "log.pem", ORIGIN), notes


@contextmanager
def copy_of(honest, folder: Path) -> Iterator:
    shutil.copy(honest[0] / "log.sqlite", folder / "log.sqlite")
    with closing(pysqlite3.connect(folder / "log.sqlite", isolation_level=None)) as connection:
        yield connection


def problems(honest, folder: Path, since: list[str] = ()) -> list[Problem]:
    """What `log verify` on the live log says; a log that is refused at the door counts as found."""
    _, key, _ = honest
    try:
        store = LogStore.open(folder / "log.sqlite", key)
    except LogError as error:
        return [Problem(None, str(error))]
    beside: list[Problem] = []
    try:
        with closing(store):
            lines = export_lines(store, lambda index, what: beside.append(Problem(index, what)))
            return [*verify(lines, key.verifier, since).problems, *beside]
    except LogError as error:
        return [Problem(getattr(error, "index", None), str(error))]


def other_bytes(data, raw: bytes) -> bytes:
    at = data.draw(st.integers(0, len(raw) - 1))
    return raw[:at] + bytes([raw[at] ^ data.draw(st.integers(1, 255))]) + raw[at + 1 :]


def change_column(connection, data) -> int:
    row = data.draw(st.integers(0, SIZE - 1))
    column = data.draw(st.sampled_from(["leaf", "leaf_hash", "salt", "payload"]))
    [(raw,)] = connection.execute(f"SELECT {column} FROM log_entry WHERE idx = ?", (row,)).fetchall()
    connection.execute(f"UPDATE log_entry SET {column} = ? WHERE idx = ?", (other_bytes(data, raw), row))
    return row


def change_text(connection, data) -> int:
    row = data.draw(st.integers(0, SIZE - 1))
    column, text = data.draw(
        st.sampled_from([("kind", "refusal"), ("at", "2026-01-01T00:00:00.000000Z"), ("entry_id", "x" * 36)])
    )
    connection.execute(f"UPDATE log_entry SET {column} = ? WHERE idx = ?", (text, row))
    return row


def erase_silently(connection, data) -> int:
    row = data.draw(st.integers(0, SIZE - 1))
    connection.execute("UPDATE log_entry SET payload = NULL, salt = NULL WHERE idx = ?", (row,))
    return row


def remove(connection, data) -> int:
    row = data.draw(st.integers(0, SIZE - 1))
    connection.execute("DELETE FROM log_entry WHERE idx = ?", (row,))
    if data.draw(st.booleans()):
        for later in range(row + 1, SIZE):
            connection.execute("UPDATE log_entry SET idx = idx - 1 WHERE idx = ?", (later,))
    return row


def swap(connection, data) -> int:
    first, second = sorted(data.draw(st.lists(st.integers(0, SIZE - 1), min_size=2, max_size=2, unique=True)))
    for old, new in ((first, 99), (second, first), (99, second)):
        connection.execute("UPDATE log_entry SET idx = ? WHERE idx = ?", (new, old))
    return first


def insert(connection, data) -> int:
    row = data.draw(st.integers(0, SIZE - 1))
    for later in range(SIZE - 1, row - 1, -1):
        connection.execute("UPDATE log_entry SET idx = idx + 1 WHERE idx = ?", (later,))
    source = data.draw(st.integers(0, SIZE - 1)) if row else SIZE
    source += source >= row
    connection.execute(
        "INSERT INTO log_entry (idx, entry_id, kind, at, leaf, leaf_hash, salt, payload, dictionary) "
        "SELECT ?, 'inserted', kind, at, leaf, leaf_hash, salt, payload, dictionary FROM log_entry WHERE idx = ?",
        (row, source),
    )
    return row


def truncate(connection, data) -> int:
    keep = data.draw(st.integers(0, SIZE - 1))
    connection.execute("DELETE FROM log_entry WHERE idx >= ?", (keep,))
    if data.draw(st.booleans()):
        connection.execute("DELETE FROM log_checkpoint WHERE size > ?", (keep,))
    return keep


WITHOUT_KEY = [change_column, change_text, erase_silently, remove, swap, insert, truncate]


@pytest.mark.parametrize("tampering", WITHOUT_KEY)
@settings(max_examples=12)  # each opens a log on disk
@given(data=st.data())
def test_rows_changed_without_the_key_are_found_and_the_first_is_named(
    honest, tmp_path_factory, tampering, data
) -> None:
    folder = tmp_path_factory.mktemp("tampered")
    with copy_of(honest, folder) as connection:
        first = tampering(connection, data)
    found = problems(honest, folder, honest[2])
    assert found
    named = [problem.index for problem in found if problem.index is not None]
    assert named
    # Rows are renumbered without their leaves: what stands where a row was taken out or put in shows in the root alone,
    # which checkpoints of every size bracket to one entry.
    assert min(named) == first


@settings(max_examples=25)
@given(st.data())
def test_what_a_holder_of_the_key_rewrote_is_bracketed_by_what_was_kept(honest, tmp_path_factory, data) -> None:
    """The whole log is made anew with the key from some entry on, as a thief of the machine could."""
    _, key, notes = honest
    folder = tmp_path_factory.mktemp("rewritten")
    at = data.draw(st.integers(0, SIZE - 1))
    with copy_of(honest, folder) as connection:
        hashes = [raw for (raw,) in connection.execute("SELECT leaf_hash FROM log_entry ORDER BY idx").fetchall()]
        frontier = Frontier()
        for hashed in hashes[:at]:
            frontier.append(hashed)
        connection.execute("DELETE FROM log_entry WHERE idx >= ?", (at,))
        connection.execute("DELETE FROM log_checkpoint WHERE size > ?", (at,))
        connection.execute("UPDATE log_checkpoint SET frontier = ? WHERE size = ?", (frontier.to_bytes(), at))
    store = LogStore.open(folder / "log.sqlite", key, lambda: START + 10**12)
    for number in range(at, data.draw(st.integers(at, SIZE))):
        store.append("screening", b'{"n":%d,"text":"y"}' % number)
    size = store.size()
    store.close()
    assert problems(honest, folder) == []
    kept = sorted(data.draw(st.sets(st.integers(0, SIZE), min_size=1)))
    found = problems(honest, folder, [notes[each] for each in kept])
    if kept[-1] <= at:
        assert found == []
        return
    below = max({0} | {each for each in kept if each <= at})
    above = min(each for each in kept if each > at)
    bounds = re.search(r"entries (\d+) to (\d+)", found[0].text)
    if bounds:
        assert (int(bounds[1]), int(bounds[2])) == (below, above - 1)
    else:
        assert found[0].index == size < above


def test_an_untouched_copy_is_not_accused(honest, tmp_path: Path) -> None:
    with copy_of(honest, tmp_path):
        pass
    assert problems(honest, tmp_path, honest[2]) == []


@settings(max_examples=10)
@given(st.data())
def test_a_changed_head_is_found_after_the_next_entry(honest, tmp_path_factory, data) -> None:
    folder = tmp_path_factory.mktemp("head")
    with copy_of(honest, folder) as connection:
        newest = "size = (SELECT max(size) FROM log_checkpoint)"
        [(raw,)] = connection.execute(f"SELECT frontier FROM log_checkpoint WHERE {newest}").fetchall()
        connection.execute(f"UPDATE log_checkpoint SET frontier = ? WHERE {newest}", (other_bytes(data, raw),))
    store = LogStore.open(folder / "log.sqlite", honest[1])
    store.append("screening", b"{}")
    store.close()
    assert problems(honest, folder, honest[2])
