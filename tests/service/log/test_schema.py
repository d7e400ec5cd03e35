from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import pysqlite3
import pytest
from alembic.autogenerate import compare_metadata
from alembic.config import Config
from alembic.migration import MigrationContext
from alembic.script import ScriptDirectory

from service.log.databases.sqlite import SqliteDatabase
from service.log.schema import MIGRATIONS, REVISION, LogError, metadata
from service.log.store import LogStore


def test_the_migrations_make_the_tables_that_the_code_uses(store: LogStore) -> None:
    with store._engine.connect() as connection:
        context = MigrationContext.configure(connection, opts={"compare_type": True})
        assert compare_metadata(context, metadata) == []
        assert context.get_current_revision() == REVISION


def test_the_revision_in_the_code_is_the_newest_migration() -> None:
    config = Config()
    config.set_main_option("script_location", str(MIGRATIONS))
    assert ScriptDirectory.from_config(config).get_heads() == [REVISION]


def test_commits_are_on_disk_before_they_return(store: LogStore) -> None:
    with store._engine.connect() as connection:
        pragmas = {
            name: connection.exec_driver_sql(f"PRAGMA {name}").scalar()
            for name in ("journal_mode", "synchronous", "page_size")
        }
    assert pragmas == {"journal_mode": "wal", "synchronous": 2, "page_size": 4096}


def test_an_old_sqlite_is_refused(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(pysqlite3, "sqlite_version_info", (3, 51, 2))
    with pytest.raises(LogError, match=r"3\.51\.3 or newer"):
        SqliteDatabase(tmp_path / "log.sqlite")


def test_the_sqlite_in_use_is_new_enough() -> None:
    assert pysqlite3.sqlite_version_info >= (3, 51, 3)


def test_a_database_of_a_newer_version_is_refused(open_store: Callable[..., LogStore], tmp_path: Path) -> None:
    open_store().close()
    with pysqlite3.connect(tmp_path / "log.sqlite") as connection:
        connection.execute("UPDATE alembic_version SET version_num = '9999'")
    connection.close()
    with pytest.raises(LogError, match="9999"):
        open_store()
