from __future__ import annotations

import time
import uuid

import pytest
from hypothesis import given
from hypothesis import strategies as st

from service.log.canonical import canonical_bytes
from service.log.entry import (
    KINDS,
    EntryError,
    check_entry,
    commitment,
    erased_ids,
    erasure_payload,
    leaf_bytes,
    read_leaf,
    time_text,
    uuid7,
)


def test_uuid7_is_version_7_and_says_when_it_was_made() -> None:
    before = time.time_ns() // 1_000_000
    made = uuid.UUID(uuid7())
    after = time.time_ns() // 1_000_000
    assert (made.version, made.variant) == (7, uuid.RFC_4122)
    assert before <= made.int >> 80 <= after


def test_uuid7_sorts_by_time_and_never_repeats() -> None:
    made = []
    for _ in range(200):
        made.append(uuid7())
        time.sleep(0.00001)
    assert made == sorted(made)
    assert len({uuid7() for _ in range(10_000)}) == 10_000


@given(st.integers(0, 4_000_000_000_000_000_000), st.sampled_from(sorted(KINDS)), st.binary(max_size=64))
def test_a_leaf_is_canonical_and_reads_back(nanoseconds: int, kind: str, payload: bytes) -> None:
    at, entry_id, committed = time_text(nanoseconds), uuid7(), commitment(b"salt", payload)
    leaf = leaf_bytes(at, entry_id, kind, committed)
    asked = {"format": 1, "kind": kind, "entry": entry_id, "at": at, "payload": committed}
    assert leaf == canonical_bytes(asked)
    read = read_leaf(leaf)
    assert (read.at, read.entry_id, read.kind, read.commitment) == (at, entry_id, kind, committed)


def test_times_are_utc_with_microseconds_and_sort_as_text() -> None:
    assert time_text(1_795_383_000_123_456_789) == "2026-11-22T21:30:00.123456Z"
    assert time_text(999) == "1970-01-01T00:00:00.000000Z"


@pytest.mark.parametrize(
    "damage",
    [
        lambda leaf: leaf + b" ",
        lambda leaf: leaf.replace(b'"format":1', b'"format": 1'),
        lambda leaf: leaf.replace(b'"format":1', b'"format":2'),
        lambda leaf: leaf.replace(b'{"at"', b'{"a":1,"at"'),
        lambda leaf: leaf.upper(),
        lambda _: b"",
    ],
)
def test_another_shape_is_no_leaf(damage) -> None:
    with pytest.raises(EntryError):
        read_leaf(damage(leaf_bytes(time_text(0), uuid7(), "screening", commitment(b"", b""))))


@pytest.mark.parametrize(
    ("kind", "entry_id", "payload"),
    [
        ("gossip", uuid7(), b"{}"),
        ("screening", "0190-not-a-uuid", b"{}"),
        ("screening", uuid7().upper(), b"{}"),
        ("screening", uuid7(), b"\xff"),
    ],
    ids=["kind", "no uuid", "capitals", "not text"],
)
def test_refuses_what_could_not_be_exported_and_verified(kind: str, entry_id: str, payload: bytes) -> None:
    with pytest.raises(EntryError):
        check_entry(kind, entry_id, payload)


def test_an_erasure_names_what_it_erased() -> None:
    ids = [uuid7(), uuid7()]
    assert sorted(erased_ids(erasure_payload(ids, "retention"))) == sorted(ids)


@pytest.mark.parametrize("payload", [b"not json", b"[]", b"{}", b'{"erased":"a"}', b'{"erased":[1]}', b"3"])
def test_an_erasure_of_another_shape_names_nothing(payload: bytes) -> None:
    assert erased_ids(payload) == []
