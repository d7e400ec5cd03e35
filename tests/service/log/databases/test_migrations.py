"""A log of every released schema goes on where it was, in either database."""

from __future__ import annotations

from pathlib import Path

import pytest
from alembic import command
from alembic.autogenerate import compare_metadata
from alembic.config import Config
from alembic.migration import MigrationContext
from alembic.script import ScriptDirectory
from sqlalchemy import text

from service.log.databases import open_database
from service.log.entry import commitment, leaf_bytes, time_text
from service.log.export import export_lines
from service.log.merkle import Frontier, leaf_hash
from service.log.packing import Packing
from service.log.read_only import ReadOnlyLog
from service.log.schema import MIGRATIONS, REVISION, LogError, metadata
from service.log.store import LogStore
from service.log.verifier import verify

OLDER = ("0001", "0002")
"""Every schema that was released, but for the newest."""


@pytest.fixture(params=["sqlite", "postgresql"])
def where(request: pytest.FixtureRequest, tmp_path: Path) -> Path | str:
    return tmp_path / "log.sqlite" if request.param == "sqlite" else request.getfixturevalue("url")


def test_the_migrations_make_the_tables_that_the_code_uses(where, key):
    store = LogStore.open(where, key)
    with store._engine.connect() as connection:
        context = MigrationContext.configure(connection, opts={"compare_type": True})
        assert compare_metadata(context, metadata) == []
        assert context.get_current_revision() == REVISION
    store.close()


def _revisions():
    config = Config()
    config.set_main_option("script_location", str(MIGRATIONS))
    return sorted(script.revision for script in ScriptDirectory.from_config(config).walk_revisions())


def test_every_revision_before_the_newest_is_tried():
    assert _revisions() == [*OLDER, REVISION], "write what a log of the revision before the newest holds, below"


@pytest.mark.parametrize("revision", OLDER)
def test_a_log_of_an_older_schema_goes_on(revision, where, key):
    _made_at(revision, where, key, entries=3)
    store = LogStore.open(where, key)
    assert store.size() == 3
    assert [store.get_index(index).payload for index in range(3)] == [b'{"n":0}', b'{"n":1}', b'{"n":2}']
    assert store.append("screening", b'{"n":3}').index == 3
    report = verify(export_lines(store), key.verifier)
    assert report.ok, report
    with store._engine.connect() as connection:
        assert compare_metadata(MigrationContext.configure(connection, opts={"compare_type": True}), metadata) == []
    store.close()
    again = LogStore.open(where, key)
    assert again.append("screening", b'{"n":4}').index == 4
    again.close()


@pytest.mark.parametrize("revision", OLDER)
def test_a_log_of_an_older_schema_is_not_upgraded_by_who_only_reads(revision, where, key):
    _made_at(revision, where, key, entries=3)
    with pytest.raises(LogError, match=f"has schema {revision}"):
        ReadOnlyLog.open(where, key.verifier)
    LogStore.open(where, key).close()
    log = ReadOnlyLog.open(where, key.verifier)
    assert verify(export_lines(log), key.verifier).size == 3
    log.close()


def _made_at(revision, where, key, entries):
    """What a version of that schema wrote.

    The first had the head in a table of its own, and checkpoints of size and text alone; since the second each
    checkpoint holds the frontier of its tree and the time.
    """
    database = open_database(where)
    packing = Packing(database.engine)
    frontier = Frontier()
    with database.engine.connect().execution_options(writes=True) as connection, connection.begin():
        config = Config()
        config.set_main_option("script_location", str(MIGRATIONS))
        config.attributes["connection"] = connection
        command.upgrade(config, revision)
        for index in range(entries):
            entry_id, at, salt = f"00000000-0000-7000-8000-{index:012d}", time_text(index * 10**9), b"%016d" % index
            payload = b'{"n":%d}' % index
            leaf = leaf_bytes(at, entry_id, "screening", commitment(salt, payload))
            frontier.append(leaf_hash(leaf))
            entry = {
                "idx": index,
                "entry_id": entry_id,
                "kind": "screening",
                "at": at,
                "leaf": leaf,
                "leaf_hash": leaf_hash(leaf),
                "salt": salt,
                "payload": packing.pack([payload])[0][0],
            }
            _insert(connection, "log_entry", entry)
            checkpoint = {"size": frontier.size, "text": key.sign(frontier.size, frontier.root())}
            if revision != "0001":
                checkpoint |= {"frontier": frontier.to_bytes(), "at": at}
            _insert(connection, "log_checkpoint", checkpoint)
        if revision == "0001":
            last_at = time_text(entries * 10**9)
            head = {"id": 1, "size": frontier.size, "frontier": frontier.to_bytes(), "last_at": last_at}
            _insert(connection, "log_head", head)
    database.engine.dispose()
    database.lock.close()


def _insert(connection, table, row):
    places = ", ".join(f":{name}" for name in row)
    connection.execute(text(f"INSERT INTO {table} ({', '.join(row)}) VALUES ({places})"), row)
