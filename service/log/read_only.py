"""A log that is read and never written: with the public key alone, and no more right on the database than to select."""

from __future__ import annotations

from pathlib import Path

from sqlalchemy.exc import SQLAlchemyError

from service.log.checkpoint import VerifierKey
from service.log.databases import open_database
from service.log.databases.database import Database
from service.log.packing import Packing
from service.log.reader import LogReader
from service.log.schema import LogError, check_revision, newest_checkpoint
from service.log.writer import reason


class ReadOnlyLog(LogReader):
    """What an auditor sees of a log. Whether its key signed it, each proof and the verifier say."""

    def __init__(self, database: Database, key: VerifierKey) -> None:
        """For `open`."""
        super().__init__(database.engine, Packing(database.engine))
        self._database = database
        self._key = key

    @classmethod
    def open(cls, where: Path | str, key: VerifierKey) -> ReadOnlyLog:
        """Opens the log in a SQLite file or at a PostgreSQL URL; makes nothing. Raises `LogError`."""
        if isinstance(where, Path) and not where.exists():
            raise LogError(f"{where}: there is no log; restore it from your backup")
        database = open_database(where, make=False)
        log = cls(database, key)
        try:
            if newest_checkpoint(database.engine) is None:
                raise LogError(f"{database.name}: there is no log in it")
            check_revision(database.engine)
        except BaseException as error:
            log.close()
            if isinstance(error, (SQLAlchemyError, *database.failures)):
                raise LogError(f"{database.name}: the log cannot be read ({reason(error)})") from None
            raise
        return log

    @property
    def verifier_key(self) -> VerifierKey:
        """The public key that it was opened with."""
        return self._key

    def close(self) -> None:
        """Ends its connections."""
        self._engine.dispose()
        self._database.lock.close()
