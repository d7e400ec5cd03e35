"""A log in a folder of its own, on the real disk."""

from __future__ import annotations

import itertools
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

from service.log.checkpoint import SigningKey, create_signing_key
from service.log.store import LogStore

ORIGIN = "test.invalid/log"
START = 1_790_000_000_000_000_000


@pytest.fixture
def key(tmp_path: Path) -> SigningKey:
    """The signing key, kept at `log.pem`."""
    return create_signing_key(tmp_path / "log.pem", ORIGIN)


@pytest.fixture
def open_store(tmp_path: Path, key: SigningKey) -> Iterator[Callable[..., LogStore]]:
    """Opens the log at `log.sqlite`, with a clock that ticks a second a look unless one is given."""
    opened = []

    def open_store(clock: Callable[[], int] | None = None, signed_by: SigningKey = key) -> LogStore:
        ticks = itertools.count(START, 1_000_000_000)
        store = LogStore.open(tmp_path / "log.sqlite", signed_by, clock or (lambda: next(ticks)))
        opened.append(store)
        return store

    yield open_store
    for store in opened:
        store.close()


@pytest.fixture
def store(open_store: Callable[..., LogStore]) -> LogStore:
    """An open, empty log."""
    return open_store()
