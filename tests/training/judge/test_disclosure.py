"""Small counts are withheld, and cannot be had back by sums and differences of what is shown."""

from __future__ import annotations

import numpy as np
from hypothesis import given
from hypothesis import strategies as st
from numpy.typing import NDArray

from training.judge.disclosure import DISCLOSURE_THRESHOLD, Disclosure, Facts

Sizes = list[int]


def groups_of(sizes: Sizes) -> list[NDArray[np.bool_]]:
    """Groups that make up all the cases, (cases,) each."""
    of = np.repeat(np.arange(len(sizes)), sizes)
    return [of == number for number in range(len(sizes))]


def shown_counts(sizes: Sizes) -> list[int | None]:
    """The sizes of groups whose total is known, as far as they are shown."""
    groups, row = groups_of(sizes), dict(enumerate(sizes))
    disclosure = Disclosure(np.ones(sum(sizes), dtype=bool))
    disclosure.add_up(groups)
    for number, group in enumerate(groups):
        disclosure.offer((row, number), group)
    disclosure.settle()
    return list(row.values())


@given(st.lists(st.integers(0, 60), min_size=1, max_size=8).filter(lambda sizes: sum(sizes) > 0))
def test_what_is_withheld_is_never_a_small_remainder(sizes: Sizes) -> None:
    found = shown_counts(sizes)
    assert all(seen in (None, size) for seen, size in zip(found, sizes, strict=True))
    assert all(seen is None or seen >= DISCLOSURE_THRESHOLD for seen in found)
    hidden = [size for size, seen in zip(sizes, found, strict=True) if seen is None]
    # Groups of nobody may be known to be empty; the others withheld are more than one, or nothing else is shown.
    people = [size for size in hidden if size]
    if any(0 < size < DISCLOSURE_THRESHOLD for size in sizes) and len(hidden) < len(sizes):
        assert len(people) > 1
        assert sum(people) >= DISCLOSURE_THRESHOLD
    if all(size >= DISCLOSURE_THRESHOLD for size in sizes):
        assert not hidden


def test_the_smallest_neighbour_goes_with_a_small_count() -> None:
    assert shown_counts([500, 4, 60, 90]) == [500, None, None, 90]
    assert shown_counts([500, 3, 4, 60, 90]) == [500, None, None, None, 90]
    assert shown_counts([500, 6, 7, 60, 90]) == [500, None, None, 60, 90]
    assert shown_counts([500, 0, 60]) == [500, None, 60]


def rates(parts: dict[str, tuple[int, int]]) -> Facts:
    """Shares that are offered in order of their importance, each a span of cases 0 to 99 among all of them."""
    row: Facts = dict.fromkeys(parts, 0.5)
    everyone = np.ones(100, dtype=bool)
    disclosure = Disclosure(everyone)
    for rank, (name, (start, end)) in enumerate(parts.items()):
        inside = np.zeros(100, dtype=bool)
        inside[start:end] = True
        disclosure.offer_rate((row, name), inside, everyone, rank=rank)
    disclosure.settle()
    return row


def test_a_rate_is_withheld_by_its_part_by_what_is_left_and_by_none_and_all() -> None:
    found = rates({"few": (0, 9), "enough": (0, 10), "all but few": (0, 91), "none": (0, 0), "all": (0, 100)})
    assert {name for name, value in found.items() if value is not None} == {"enough"}


def test_what_matters_less_gives_way_where_two_differ_by_few() -> None:
    assert rates({"first": (0, 50), "inside it": (0, 45), "apart": (60, 75)}) == {
        "first": 0.5,
        "inside it": None,
        "apart": 0.5,
    }


def test_a_count_does_not_come_out_by_way_of_several_others() -> None:
    """20 to 25 is all less the others; it is no part of any whole that was named."""
    spans = {"a": (0, 20), "few": (20, 25), "b": (25, 60), "c": (60, 80), "d": (80, 100)}
    found = rates(spans)
    assert found["few"] is None
    assert found["d"] is None
    assert [found[name] for name in "abc"] == [0.5] * 3


def test_a_later_lot_keeps_the_secret_of_an_earlier_one() -> None:
    few, rest, everyone = np.arange(100) < 5, np.arange(100) >= 5, np.ones(100, dtype=bool)
    first: Facts = {"few": 5}
    disclosure = Disclosure(everyone)
    disclosure.offer((first, "few"), few)
    disclosure.settle()
    later: Facts = {"rest": 95, "half": 50}
    further = disclosure.after()
    further.offer((later, "rest"), rest)
    further.offer((later, "half"), np.arange(100) < 50)
    further.settle()
    assert (first, later) == ({"few": None}, {"rest": None, "half": 50})


def test_what_is_withheld_in_a_list_leaves_its_place() -> None:
    shares: list[float | None] = [0.05, 0.95]
    disclosure = Disclosure(np.ones(100, dtype=bool))
    for place, inside in enumerate(groups_of([5, 95])):
        disclosure.offer((shares, place), inside)
    disclosure.settle()
    assert shares == [None, None]
