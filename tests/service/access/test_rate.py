"""How often a key may ask: exactly its rate where it is small, and at most a hundredth more where it is large."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from service.access.rate import LOTS, KeyRate
from service.errors import Problem


def admitted(rate: KeyRate, key: str, tries: int) -> int:
    """How many of the tries were let in."""
    count = 0
    for _ in range(tries):
        try:
            rate.admit(key)
        except Problem as refused:
            assert refused.code == "rate_limited"
            assert 1 <= int(refused.headers["Retry-After"]) <= 3600
        else:
            count += 1
    return count


@given(st.integers(1, 600))
def test_a_key_gets_what_its_rate_says_and_another_key_its_own(amount):
    rate = KeyRate(f"{amount}/hour")
    assert admitted(rate, "one", amount + 5) == amount
    assert admitted(rate, "other", 1) == 1


@given(st.integers(1, 1000), st.lists(st.integers(1, 300), max_size=12))
def test_a_request_that_stands_for_many_is_let_in_whole_or_not_at_all(amount, counts):
    rate = KeyRate(f"{amount}/hour")
    taken = 0
    for count in counts:
        try:
            rate.admit("one", count)
        except Problem:
            # Of a lot that is begun, what is left may be too little for this one, and is lost to it alone.
            assert taken + count > amount - amount // LOTS
        else:
            taken += count
    assert taken <= amount


def test_where_the_window_is_full_a_single_request_is_refused():
    rate = KeyRate("1000/hour")
    rate.admit("one", 1000)
    with pytest.raises(Problem):
        rate.admit("one")
