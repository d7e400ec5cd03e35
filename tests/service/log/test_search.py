"""The index finds what reading every payload finds, and its pages stay as they were begun."""

from __future__ import annotations

import json
import tempfile
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from service.log.canonical import canonical_bytes
from service.log.checkpoint import SigningKey, create_signing_key
from service.log.entry import erasure_payload
from service.log.schema import log_entry
from service.log.search import CursorError, Filters, Page, Query, first_at, index_of_leaf, read_cursor, search
from service.log.search_index import SearchBehind, SearchIndex
from service.log.store import LogStore

LEVELS = ("consider_referral", "seek_information", "no_prompt")
FEATURES = ("alpha", "beta", "gamma")
GROUNDS = ("ground_one", "ground_two")
AGENCIES = ("gp", "police")
KEYS = ("0a0a0a0a", "1b1b1b1b")
VALUES = ("yes", "no", "not_known", "not_known:unseen_level", "not_applicable", None)


def caller(key_id: str) -> dict:
    return {"key_id": key_id, "role": "practitioner"}


screenings = st.builds(
    lambda level, band, model, agency, features, grounds, key: (
        "screening",
        {
            "answer": {
                "band": band,
                "grounds": [{"code": code} for code in sorted(grounds)],
                "model": {"version": model},
                "prompt": {"level": level},
            },
            "asked": {"agency": agency, "features": features},
            "caller": caller(key),
        },
    ),
    st.sampled_from(LEVELS),
    st.integers(1, 3),
    st.sampled_from(("m-1", "m-2")),
    st.sampled_from(AGENCIES),
    st.dictionaries(st.sampled_from(FEATURES), st.sampled_from(VALUES)),
    st.sets(st.sampled_from(GROUNDS)),
    st.sampled_from(KEYS),
)
responses = st.builds(
    lambda action, agency, level, key: (
        "response",
        {"action": action, "agency": agency, "level": level, "model": "m-1", "caller": caller(key)},
    ),
    st.sampled_from(("referred", "discussed")),
    st.sampled_from(AGENCIES),
    st.sampled_from(LEVELS),
    st.sampled_from(KEYS),
)
others = st.sampled_from(
    [
        ("refusal", {"caller": caller(KEYS[0]), "code": "refused", "fields": ["alpha"], "status": 422}),
        ("model_activated", {"model": {"version": "m-2", "sha256": "0"}, "release_key": "k"}),
        ("key_created", {"agency": "gp", "key_id": KEYS[1], "role": "auditor"}),
        ("batch", {"model": {"version": "m-1"}, "rows": 3}),
        ("service_stopped", {}),
    ]
)
logs = st.lists(screenings | responses | others, min_size=1, max_size=25)
maybe = {
    "kind": st.sampled_from(("screening", "response", "batch")),
    "level": st.sampled_from(LEVELS),
    "band": st.integers(1, 3),
    "model": st.sampled_from(("m-1", "m-2", "m-3")),
    "agency": st.sampled_from(AGENCIES),
    "feature": st.sampled_from((*FEATURES, "delta")),
    "ground": st.sampled_from((*GROUNDS, "alpha")),
    "response": st.sampled_from(("referred", "discussed")),
    "key_id": st.sampled_from(KEYS),
}
filters = st.fixed_dictionaries({}, optional=maybe).map(lambda drawn: Filters(**drawn))


def holds(said: dict, kind: str, wanted: Filters) -> bool:
    """The filters, said once more and otherwise: over the payload as it is."""
    answer, asked = said.get("answer", {}), said.get("asked", {})
    model = answer.get("model") or said.get("model") or {}
    known = [n for n, value in asked.get("features", {}).items() if value in ("yes", "no", "not_applicable")]
    facts = {
        "kind": [kind],
        "level": [answer.get("prompt", said).get("level")],
        "band": [answer.get("band")],
        "model": [model if isinstance(model, str) else model.get("version")],
        "agency": [asked.get("agency", said.get("agency"))],
        "response": [said.get("action")],
        "key_id": [said.get("caller", said).get("key_id")],
        "feature": known,
        "ground": [ground["code"] for ground in answer.get("grounds", [])],
    }
    return all(value in facts[name] for name, value in wanted.given().items())


def pages(index: SearchIndex, query: Query | None, between: Callable[[], object] = lambda: None) -> list[Page]:
    turned = []
    while query is not None:
        turned.append(search(index, query))
        following = turned[-1].following
        query = None if following is None else read_cursor(following.cursor())
        between()
    return turned


def indexes(turned: list[Page]) -> list[int]:
    return [entry.index for page in turned for entry in page.entries]


@settings(max_examples=25)
@given(entries=logs, wanted=filters, limit=st.integers(1, 7), newest=st.booleans(), before=st.integers(0, 25))
def test_the_index_finds_what_reading_every_payload_finds(
    key_once: SigningKey, entries: list, wanted: Filters, limit: int, newest: bool, before: int
) -> None:
    with tempfile.TemporaryDirectory() as folder:
        store = LogStore.open(Path(folder) / "log.sqlite", key_once)
        index = SearchIndex(store, Path(folder) / "index.sqlite3")
        for number, (kind, said) in enumerate(entries):
            store.append(kind, canonical_bytes(said))
            if number == before:  # so that catching up begins in the middle too
                search(index, Query(Filters(), store.size()))
        expected = [
            entry.index
            for entry in store.entries(0, len(entries))
            if holds(json.loads(entry.payload or b"{}"), entry.kind, wanted)
        ]
        query = Query(wanted, store.size(), "newest" if newest else "oldest", limit)

        def append_more() -> None:
            store.append(*entries[0][:1], canonical_bytes(entries[0][1]))

        assert indexes(pages(index, query, append_more)) == (expected[::-1] if newest else expected)
        store.close()


@pytest.fixture(scope="module")
def key_once(tmp_path_factory: pytest.TempPathFactory) -> SigningKey:
    return create_signing_key(tmp_path_factory.mktemp("key") / "log.pem", "test.invalid/log")


SCREENED = canonical_bytes(
    {
        "answer": {"band": 2, "grounds": [{"code": "ground_one"}], "prompt": {"level": "no_prompt"}},
        "asked": {"agency": "gp", "case_ref": "case-0001", "features": {"alpha": "yes"}},
        "caller": caller(KEYS[0]),
    }
)


@pytest.fixture
def index(store: LogStore, tmp_path: Path) -> SearchIndex:
    for _ in range(4):
        store.append("screening", SCREENED)
    return SearchIndex(store, tmp_path / "index.sqlite3")


def everything(index: SearchIndex, store: LogStore, **wanted: object) -> list[int]:
    return indexes(pages(index, Query(Filters(**wanted), store.size(), "oldest")))  # type: ignore[arg-type]


def test_times_bound_a_search_from_the_first_to_before_the_second(index: SearchIndex, store: LogStore) -> None:
    times = [entry.at for entry in store.entries(0, 4)]
    assert everything(index, store, since=times[1], until=times[3]) == [1, 2]
    assert first_at(index, times[2], 4) == 2
    assert first_at(index, "2999", 4) == 4


def test_an_entry_is_found_by_its_id_and_by_its_leaf_hash(index: SearchIndex, store: LogStore) -> None:
    entry = store.get_index(2)
    assert entry is not None
    assert everything(index, store, entry_id=entry.entry_id) == [2]
    assert index_of_leaf(index, bytes.fromhex(entry.leaf_hash), 4) == 2
    assert index_of_leaf(index, bytes.fromhex(entry.leaf_hash), 2) is None
    assert index_of_leaf(index, b"\0" * 32, 4) is None


@pytest.mark.parametrize("indexed_before", [True, False])
def test_an_erased_entry_keeps_only_index_kind_and_time(
    index: SearchIndex, store: LogStore, tmp_path: Path, indexed_before: bool
) -> None:
    entry = store.get_index(1)
    assert entry is not None
    if indexed_before:
        assert everything(index, store, agency="gp") == [0, 1, 2, 3]
    store.append("erasure", erasure_payload([entry.entry_id], "retention"))
    with store._engine.begin() as connection:
        gone = log_entry.update().where(log_entry.c.idx == 1).values(payload=None, salt=None)
        connection.execute(gone)
    for wanted in ({"agency": "gp"}, {"feature": "alpha"}, {"ground": "ground_one"}, {"level": "no_prompt"}):
        assert everything(index, store, **wanted) == [0, 2, 3]
    assert everything(index, store, entry_id=entry.entry_id) == []
    assert everything(index, store, kind="screening") == [0, 1, 2, 3]
    facts = search(index, Query(Filters(), 2)).entries[0]
    assert (facts.index, facts.kind, facts.at) == (1, "screening", entry.at)
    assert (facts.entry_id, facts.key_id, facts.features, facts.grounds, facts.band) == (None, None, (), (), None)
    assert entry.entry_id.encode() not in (tmp_path / "index.sqlite3").read_bytes()


def test_the_file_holds_no_value_and_no_case_reference(index: SearchIndex, store: LogStore, tmp_path: Path) -> None:
    everything(index, store)
    held = (tmp_path / "index.sqlite3").read_bytes()
    assert b"alpha" in held
    assert b"yes" not in held
    assert b"case-0001" not in held


def test_a_deleted_or_damaged_index_is_built_anew(index: SearchIndex, store: LogStore, tmp_path: Path) -> None:
    path = tmp_path / "index.sqlite3"
    everything(index, store)
    path.unlink()
    assert everything(index, store, band=2) == [0, 1, 2, 3]
    path.write_bytes(b"not a database" * 1000)
    with pytest.raises(Exception, match="the search index cannot be used"):
        everything(index, store)
    assert everything(index, store, band=2) == [0, 1, 2, 3]


def test_a_long_build_is_done_in_several_calls(index: SearchIndex, store: LogStore, tmp_path: Path) -> None:
    slow = SearchIndex(store, tmp_path / "slow.sqlite3", most=2)
    with pytest.raises(SearchBehind, match="2 of 4 entries"):
        everything(slow, store)
    assert everything(slow, store, band=2) == [0, 1, 2, 3]


def test_an_index_of_another_log_is_emptied(
    index: SearchIndex, store: LogStore, open_store: Callable, tmp_path: Path
) -> None:
    everything(index, store)
    other = LogStore.open(tmp_path / "other.sqlite", store._key)
    other.append("service_stopped", b"{}")
    assert everything(SearchIndex(other, tmp_path / "index.sqlite3"), other, kind="screening") == []
    assert everything(index, store, kind="screening") == [0, 1, 2, 3]
    other.close()


def test_a_damaged_entry_is_found_and_marked_and_hides_no_other(index: SearchIndex, store: LogStore) -> None:
    with store._engine.begin() as connection:
        connection.execute(log_entry.update().where(log_entry.c.idx == 2).values(salt=b"another salt 16b"))
    assert everything(index, store, agency="gp") == [0, 1, 3]
    damaged = search(index, Query(Filters(), 3)).entries[0]
    assert (damaged.index, damaged.damaged, damaged.agency) == (2, True, None)


@pytest.mark.parametrize("text", ["", "x", "e30", "é", "eyJmaWx0ZXJzIjp7fSwic2l6ZSI6LTF9", "eyJmaWx0ZXJzIjpbXX0"])
def test_what_is_no_cursor_is_refused(text: str) -> None:
    with pytest.raises(CursorError, match="is not a cursor"):
        read_cursor(text)


def test_a_cursor_brings_back_the_whole_query() -> None:
    query = Query(Filters(band=3, feature="alpha"), 77, "oldest", 12, 40)
    assert read_cursor(query.cursor()) == query


def test_several_may_search_at_once_while_the_log_grows(index: SearchIndex, store: LogStore, tmp_path: Path) -> None:
    def one(number: int) -> list[int]:
        store.append("screening", SCREENED)
        own = SearchIndex(store, tmp_path / "index.sqlite3")  # as another worker has it
        return everything(own, store, agency="gp")[: 5 + number % 2]

    with ThreadPoolExecutor(8) as pool:
        found = list(pool.map(one, range(16)))
    assert all(indexes == list(range(len(indexes))) and len(indexes) >= 5 for indexes in found)
    assert everything(index, store, agency="gp") == list(range(20))
