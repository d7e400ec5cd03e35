"""A real PostgreSQL server, made for the tests and taken down after them; each test has a database of its own."""

from __future__ import annotations

import itertools
from collections.abc import Iterator

import pytest

from tests.postgresql import Server, running


@pytest.fixture(scope="session")
def server() -> Iterator[Server]:
    """A running server."""
    with running() as server:
        yield server


_numbers = itertools.count()


@pytest.fixture
def url(server: Server) -> Iterator[str]:
    """An empty database."""
    name = f"log_{next(_numbers)}"
    server.execute(f"CREATE DATABASE {name}")
    yield server.url(name)
    server.execute(f"DROP DATABASE {name} WITH (FORCE)")
