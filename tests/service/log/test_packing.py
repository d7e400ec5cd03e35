"""Payloads come back as they were, however many are packed at once and against whichever dictionary."""

from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from sqlalchemy import Row

from service.log.canonical import canonical_bytes
from service.log.packing import Packing
from service.log.store import LogStore

SAMPLE = canonical_bytes({"words": ["associated with", "not known"] * 50})
PAYLOADS = st.lists(st.binary(max_size=4000) | st.sampled_from([b"", b"{}", SAMPLE, SAMPLE * 40]), max_size=20)


class AsRow:
    """What `unpack` reads of a row."""

    def __init__(self, payload: bytes, dictionary: int | None) -> None:
        self.idx, self.payload, self.dictionary = 0, payload, dictionary


def unpacked(store: LogStore, payload: bytes, dictionary: int | None) -> bytes | None:
    row: Row = AsRow(payload, dictionary)  # type: ignore[assignment]
    return store._packing.unpack(row)


@settings(suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(PAYLOADS)
def test_what_is_packed_together_comes_back_one_by_one(store, payloads):
    packed, dictionary = store._packing.pack(payloads)
    assert dictionary is None
    assert [unpacked(store, payload, dictionary) for payload in packed] == payloads
    store.learn(SAMPLE)
    packed, learnt = store._packing.pack(payloads)
    assert learnt is not None
    assert [unpacked(store, payload, learnt) for payload in packed] == payloads
    store._packing = Packing(store._engine)  # as a new process finds it


def test_a_learnt_sample_makes_what_is_like_it_small(store):
    store.learn(SAMPLE)
    (packed,), _ = store._packing.pack([SAMPLE])
    assert len(packed) < 40 < len(SAMPLE)
