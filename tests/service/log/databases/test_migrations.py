"""A log of every released schema goes on where it was, in either database."""

from __future__ import annotations

from pathlib import Path

import pytest
from alembic import command
from alembic.autogenerate import compare_metadata
from alembic.config import Config
from alembic.migration import MigrationContext
from sqlalchemy import text

from service.log.databases import open_database
from service.log.entry import commitment, leaf_bytes, time_text
from service.log.export import export_lines
from service.log.merkle import Frontier, leaf_hash
from service.log.packing import Packing
from service.log.schema import MIGRATIONS, REVISION, metadata
from service.log.store import LogStore
from service.log.verifier import verify


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


def test_a_log_of_the_first_schema_goes_on(where, key):
    _made_at_0001(where, key, entries=3)
    store = LogStore.open(where, key)
    assert store.size() == 3
    assert [store.get_index(index).payload for index in range(3)] == [b'{"n":0}', b'{"n":1}', b'{"n":2}']
    assert store.append("screening", b'{"n":3}').index == 3
    report = verify(export_lines(store), key.verifier)
    assert report.ok, report
    store.close()
    again = LogStore.open(where, key)
    assert again.append("screening", b'{"n":4}').index == 4
    again.close()


def _made_at_0001(where, key, entries):
    """What the first version wrote: the head in a table of its own, checkpoints of size and text alone."""
    database = open_database(where)
    packing = Packing(database.engine)
    frontier = Frontier()
    with database.engine.connect().execution_options(writes=True) as connection, connection.begin():
        config = Config()
        config.set_main_option("script_location", str(MIGRATIONS))
        config.attributes["connection"] = connection
        command.upgrade(config, "0001")
        for index in range(entries):
            entry_id, at, salt = f"00000000-0000-7000-8000-{index:012d}", time_text(index * 10**9), b"%016d" % index
            payload = b'{"n":%d}' % index
            leaf = leaf_bytes(at, entry_id, "screening", commitment(salt, payload))
            frontier.append(leaf_hash(leaf))
            connection.execute(
                text(
                    "INSERT INTO log_entry (idx, entry_id, kind, at, leaf, leaf_hash, salt, payload) "
                    "VALUES (:idx, :id, 'screening', :at, :leaf, :hash, :salt, :payload)"
                ),
                {
                    "idx": index,
                    "id": entry_id,
                    "at": at,
                    "leaf": leaf,
                    "hash": leaf_hash(leaf),
                    "salt": salt,
                    "payload": packing.pack([payload])[0][0],
                },
            )
            connection.execute(
                text("INSERT INTO log_checkpoint (size, text) VALUES (:size, :note)"),
                {"size": frontier.size, "note": key.sign(frontier.size, frontier.root())},
            )
        connection.execute(
            text("INSERT INTO log_head (id, size, frontier, last_at) VALUES (1, :size, :frontier, :at)"),
            {"size": frontier.size, "frontier": frontier.to_bytes(), "at": time_text(entries * 10**9)},
        )
    database.engine.dispose()
    database.lock.close()
