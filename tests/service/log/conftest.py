"""A log in a folder of its own, on the real disk."""

from __future__ import annotations

import itertools
import json
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

from service.log.checkpoint import Checkpoint, SigningKey, create_signing_key
from service.log.entry import commitment, leaf_bytes, time_text
from service.log.merkle import Frontier, leaf_hash
from service.log.store import LogStore
from service.log.verifier import Report, verify

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


class Forge:
    """Builds exports by hand, honest or not, and signs them: an attacker who holds the key, or a test."""

    def __init__(self, key: SigningKey) -> None:
        self.key = key

    def entry(
        self, index: int, payload: str | None = '{"a":1}', kind: str = "screening", at: int | None = None
    ) -> dict:
        salt, entry_id = b"%016d" % index, f"00000000-0000-7000-8000-{index:012d}"
        moment = time_text((1_790_000_000 + index if at is None else at) * 1_000_000_000)
        leaf = leaf_bytes(moment, entry_id, kind, commitment(salt, (payload or "").encode()))
        hidden = payload is None
        return {
            "index": index,
            "leaf": leaf.decode(),
            "payload": payload,
            "salt": None if hidden else salt.hex(),
        }

    def export(self, entries: list[dict]) -> list[dict]:
        frontier = Frontier()
        for entry in entries:
            frontier.append(leaf_hash(entry["leaf"].encode()))
        header = {"format": 1, "origin": self.key.name, "size": len(entries)}
        return [header, *entries, {"checkpoint": self.key.sign(len(entries), frontier.root())}]

    def checkpoint(self, entries: list[dict]) -> Checkpoint:
        return self.key.verifier.open(self.export(entries)[-1]["checkpoint"])

    def verify(self, lines: list, since: list[Checkpoint] | None = None) -> Report:
        return verify([json.dumps(line) for line in lines], self.key.verifier, since or ())


@pytest.fixture(scope="module")
def forge(tmp_path_factory: pytest.TempPathFactory) -> Forge:
    return Forge(create_signing_key(tmp_path_factory.mktemp("key") / "log.pem", ORIGIN))


@pytest.fixture(scope="module")
def entries(forge: Forge) -> list[dict]:
    return [forge.entry(index, f'{{"n":{index}}}') for index in range(11)]
