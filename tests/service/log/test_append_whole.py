"""Several entries in one commit: all of them or none, in the order given."""

from __future__ import annotations

import pytest

from service.log.entry import EntryError, uuid7
from service.log.export import export_lines
from service.log.store import AlreadyRecorded, LogStore, NotDurable
from service.log.verifier import verify

Entry = tuple[str, bytes, str | None]


def entries(*uniques: str | None) -> list[Entry]:
    return [(uuid7(), b'{"n":%d}' % number, unique) for number, unique in enumerate(uniques)]


def test_they_follow_each_other_under_one_checkpoint(store: LogStore) -> None:
    store.append("lookup", b"{}")
    given = entries(None, "one", None)
    receipts = store.append_whole("screening", given)
    assert [(receipt.index, receipt.entry_id) for receipt in receipts] == [
        (index, entry_id) for index, (entry_id, _, _) in enumerate(given, 1)
    ]
    assert {receipt.checkpoint for receipt in receipts} == {store.latest_checkpoint()}
    assert [store.get(entry_id).payload for entry_id, _, _ in given] == [payload for _, payload, _ in given]
    assert verify(export_lines(store), store.verifier_key).ok


@pytest.mark.parametrize("uniques", [("one",), ("new", "one"), ("one", "new", None)])
def test_where_one_is_recorded_already_none_is(store: LogStore, uniques: tuple[str | None, ...]) -> None:
    store.append("screening", b"{}", unique="one")
    with pytest.raises(AlreadyRecorded) as again:
        store.append_whole("screening", entries(*uniques))
    assert again.value.index == 0
    assert store.size() == 1
    store.append("lookup", b"{}")
    assert verify(export_lines(store), store.verifier_key).ok


def test_where_one_is_no_entry_none_is_recorded(store: LogStore) -> None:
    with pytest.raises(EntryError):
        store.append_whole("screening", [*entries(None), (uuid7(), b"\xff", None)])
    assert store.size() == 0


def test_a_log_that_is_closed_takes_none(store: LogStore) -> None:
    store.close()
    with pytest.raises(NotDurable):
        store.append_whole("screening", entries(None))
