"""The role that a PostgreSQL container makes at its first start: made in a real PostgreSQL, used with its password."""

from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path

import psycopg
import pytest

from tests.postgresql import running

TOP = Path(__file__).parents[4]
SCRIPT = TOP / "service/log/databases/service_role.sql"
ROLE, PASSWORD = "grounds_service", "0a1b2c3d"


@pytest.fixture(scope="module")
def strict():
    """A server of its own that takes the service's role by its password alone."""
    with running() as server:
        rules = server.folder / "data" / "pg_hba.conf"
        rules.write_text(f"host all {ROLE} 127.0.0.1/32 scram-sha-256\n{rules.read_text()}")
        server.execute("SELECT pg_reload_conf()")
        server.execute("CREATE DATABASE grounds")
        yield server


@pytest.fixture
def made(strict, tmp_path):
    """Runs the script as the image's entrypoint does, with a file that holds that password."""

    def made(password):
        file = tmp_path / "service_password"
        if password is not None:
            file.write_text(password)
        command = ["psql", "-v", "ON_ERROR_STOP=1", "--no-password", "--no-psqlrc", strict.url("grounds")]
        environment = {**os.environ, "SERVICE_PASSWORD_FILE": str(file)}
        return subprocess.run([*command, "-f", SCRIPT], env=environment, capture_output=True, text=True)

    yield made
    strict.execute(f"DROP ROLE IF EXISTS {ROLE}")


@pytest.mark.parametrize("password", [None, "", "\n"])
def test_no_password_no_role(strict, made, password):
    done = made(password)
    assert done.returncode != 0
    assert "SERVICE_PASSWORD_FILE" in done.stderr
    with psycopg.connect(strict.url("grounds")) as connection:
        assert connection.execute("SELECT count(*) FROM pg_roles WHERE rolname = %s", (ROLE,)).fetchone() == (0,)


def test_the_owner_grants_and_the_service_appends_with_the_password_file_alone(strict, made, tmp_path):
    done = made(f"{PASSWORD}\n")
    assert done.returncode == 0, done.stderr
    try:
        owner, service = strict.url("grounds"), strict.url("grounds", ROLE)
        for command in (["upgrade"], ["grant", "--service", ROLE]):
            _command(tmp_path, owner, "database", *command)
        _command(tmp_path, service, "key", "create", "--role", "operator", fails=True)
        passfile = tmp_path / "service_passfile"
        passfile.write_text(f"127.0.0.1:{strict.port}:grounds:{ROLE}:{PASSWORD}\n")
        passfile.chmod(0o444)  # libpq passes over one that others may read
        _command(tmp_path, service, "key", "create", "--role", "operator", fails=True, PGPASSFILE=str(passfile))
        passfile.chmod(0o400)
        said = _command(tmp_path, service, "key", "create", "--role", "operator", PGPASSFILE=str(passfile))
        assert "grounds_operator_" in said
        with psycopg.connect(owner) as connection:
            assert connection.execute("SELECT kind FROM log_entry").fetchall() == [("key_created",)]
    finally:
        strict.execute(f"DROP OWNED BY {ROLE}", "grounds")


def _command(folder, url, *arguments, fails=False, **environment):
    """Runs a command of the service as a container would; what it said."""
    done = subprocess.run(
        [sys.executable, "-m", "service", *arguments],
        env={
            "PATH": os.environ["PATH"],
            "GROUNDS_VAR": str(folder / "var"),
            "GROUNDS_LOG_DATABASE": url,
            "HOME": str(folder),
            **environment,
        },
        cwd=TOP,
        capture_output=True,
        text=True,
        timeout=60,
    )
    assert (done.returncode != 0) is fails, done.stdout + done.stderr
    return done.stdout + done.stderr
