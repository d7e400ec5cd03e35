from __future__ import annotations

from hypothesis import given
from hypothesis import strategies as st

from service.log.disclosure import THRESHOLD, hidden, is_small
from training.artefact import DISCLOSURE_THRESHOLD

GROUPS = st.dictionaries(st.sampled_from("abcdefgh"), st.tuples(st.integers(0, 40), st.integers(0, 40)), max_size=8)


def test_the_threshold_is_that_of_the_model() -> None:
    assert THRESHOLD == DISCLOSURE_THRESHOLD
    assert [is_small(count) for count in (0, 1, THRESHOLD - 1, THRESHOLD)] == [False, True, True, False]


@given(GROUPS)
def test_what_is_hidden_cannot_be_worked_out_by_subtraction(parts: dict[str, tuple[int, int]]) -> None:
    chosen = hidden(parts)
    assert not any(is_small(count) for name, counts in parts.items() if name not in chosen for count in counts)
    if chosen and chosen != set(parts):
        assert len(chosen) > 1
        for column in zip(*(parts[name] for name in chosen), strict=True):
            assert not is_small(sum(column))


@given(GROUPS)
def test_nothing_is_hidden_without_need(parts: dict[str, tuple[int, int]]) -> None:
    large = {name: (first + THRESHOLD, second + THRESHOLD) for name, (first, second) in parts.items()}
    assert hidden(large) == set()


@given(GROUPS, st.sets(st.sampled_from("abcdefgh")))
def test_what_was_hidden_already_stays_so(parts: dict[str, tuple[int, int]], already: set[str]) -> None:
    assert hidden(parts, already) >= already & set(parts)


def test_one_small_group_takes_the_next_smallest_with_it() -> None:
    assert hidden({"a": (3,), "b": (30,), "c": (20,)}) == {"a", "c"}
    assert hidden({"a": (3,), "b": (2,), "c": (20,), "d": (30,)}) == {"a", "b", "c"}
    assert hidden({"a": (3,)}) == {"a"}
