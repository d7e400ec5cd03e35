"""Small counts are withheld, and cannot be had back by subtraction from a total."""

from __future__ import annotations

from hypothesis import given
from hypothesis import strategies as st

from training.artefact import DISCLOSURE_THRESHOLD
from training.judge.disclosure import shown_counts, suppressed


@given(st.lists(st.integers(0, 60), min_size=1, max_size=8))
def test_what_is_withheld_is_never_a_small_remainder(counts: list[int]) -> None:
    found = shown_counts(counts)
    hidden = [count for count, seen in zip(counts, found, strict=True) if seen is None]
    assert all(seen in (None, count) for seen, count in zip(found, counts, strict=True))
    assert all(seen is None or seen >= DISCLOSURE_THRESHOLD for seen in found)
    if min(counts) >= DISCLOSURE_THRESHOLD:
        assert not hidden
    elif len(hidden) < len(counts):
        assert len(hidden) > 1
        assert sum(hidden) >= DISCLOSURE_THRESHOLD


def test_the_smallest_neighbour_goes_with_a_small_count() -> None:
    assert shown_counts([500, 4, 60, 90]) == [500, None, None, 90]


def test_why_a_group_is_withheld() -> None:
    assert suppressed(9, 0) == suppressed(9, 9) == "cases"
    assert suppressed(10, 9) == "events"
    assert suppressed(10, 10) is None
