"""Who may do what in the log's PostgreSQL database: the service appends and reads, auditors read, neither alters."""

from __future__ import annotations

from typing import Any, LiteralString

import psycopg
from psycopg import sql

from service.log.schema import LogError, metadata

_REVISIONS = "alembic_version"


_OWNED = "SELECT pg_has_role(current_user, relowner, 'USAGE') FROM pg_class WHERE oid = 'log_entry'::regclass"
_RIGHTS: tuple[LiteralString, ...] = ("SELECT", "INSERT", "UPDATE", "DELETE", "TRUNCATE", "REFERENCES", "TRIGGER")


def grant(url: str, service: str = "", auditor: str = "", eraser: str = "") -> None:
    """Gives the roles their rights on every table of the log; run as the owner of the tables.

    `service` may INSERT and SELECT, `auditor` SELECT, `eraser` what the service may and UPDATE the columns of
    `log_entry` that erasure empties. Whatever else they had on these tables is taken away. All or nothing is changed.
    Raises `LogError` where a role ends up with other rights than these, or the database refuses.
    """
    tables = [*metadata.tables, _REVISIONS]
    appends: tuple[LiteralString, ...] = ("SELECT", "INSERT")
    try:
        with psycopg.connect(url) as connection:
            for role, rights in ((service, appends), (auditor, ("SELECT",)), (eraser, appends)):
                for table in tables if role else ():
                    _grant(connection, table, role, ("SELECT",) if table == _REVISIONS else rights)
            if eraser:
                erases = sql.SQL("GRANT UPDATE (salt, payload, dictionary) ON log_entry TO {}")
                connection.execute(erases.format(sql.Identifier(eraser)))
    except psycopg.Error as error:
        raise LogError(f"the roles were not changed ({type(error).__name__}); run this as the tables' owner") from None


def clean(url: str) -> None:
    """Writes the table of entries anew, without what was erased; run as its owner. Writers wait for it.

    Raises `LogError` where the database refuses.
    """
    try:
        with psycopg.connect(url, autocommit=True) as connection:
            owned = (
                "SELECT pg_has_role(current_user, relowner, 'USAGE') FROM pg_class WHERE oid = 'log_entry'::regclass"
            )
            row = connection.execute(owned).fetchone()
            if row is None or not row[0]:
                raise LogError("the table log_entry was not written anew; run this as its owner")
            connection.execute("VACUUM (FULL) log_entry")
    except psycopg.Error as error:
        raise LogError(f"the table log_entry was not written anew ({type(error).__name__})") from None


def _grant(connection: psycopg.Connection[Any], table: str, role: str, rights: tuple[LiteralString, ...]) -> None:
    names = (sql.Identifier(table), sql.Identifier(role))
    connection.execute(sql.SQL("REVOKE ALL ON {} FROM {}").format(*names))
    listed = sql.SQL(", ").join(map(sql.SQL, rights))
    connection.execute(sql.SQL("GRANT {} ON {} TO {}").format(listed, *names))
    # To who does not own the table, both are no error: they do nothing, and a warning says so.
    for right in _RIGHTS:
        row = connection.execute("SELECT has_table_privilege(%s, %s, %s)", (role, table, right)).fetchone()
        if row is None or row[0] != (right in rights):
            raise LogError(f"the roles were not changed ({role}: {right} on {table}); run this as the tables' owner")
