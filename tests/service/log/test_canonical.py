from __future__ import annotations

import math

import pytest
import rfc8785
from hypothesis import given
from hypothesis import strategies as st

from service.log.canonical import CanonicalError, canonical_bytes, fractionless_bytes

safe_integers = st.integers(-(2**53) + 1, 2**53 - 1)
finite = st.floats(allow_nan=False, allow_infinity=False)
near_the_edges = st.sampled_from(
    [0.0, -0.0, 1.0, -1.0, 1e-5, 9.99e-6, 1e-6, 1e-7, 1e15, 1e16, 1e17, 1e20, 1e21, 1e22, 5e-324, 1.7e308, 0.1]
)
texts = st.text() | st.sampled_from(["null", "1.0,", "2e5}", "pre-7,", "\U0001f600", "\ue000", "\uffff", 'a"b\\'])
scalars = st.none() | st.booleans() | safe_integers | finite | near_the_edges | texts


def values_of(leaves: st.SearchStrategy[object]) -> st.SearchStrategy[object]:
    return st.recursive(
        leaves,
        lambda inner: (
            st.lists(inner, max_size=5)
            | st.lists(inner, max_size=3).map(tuple)
            | st.dictionaries(texts, inner, max_size=5)
        ),
        max_leaves=25,
    )


values = values_of(scalars)


@given(values)
def test_equals_the_reference_for_every_value(value: object) -> None:
    assert canonical_bytes(value) == rfc8785.dumps(value)


@given(values_of(st.none() | st.booleans() | safe_integers | texts))
def test_what_holds_no_float_is_spelt_the_same_without_looking_for_one(value: object) -> None:
    assert fractionless_bytes(value) == rfc8785.dumps(value)


@given(finite | near_the_edges)
def test_a_float_is_spelt_as_the_reference_spells_it_wherever_it_stands(number: float) -> None:
    for value in (number, [number], {"a": number}, [number, 1], {"a": number, "b": 1}, {"a": [{"b": number}]}):
        assert canonical_bytes(value) == rfc8785.dumps(value)


@pytest.mark.parametrize("number", [math.nan, math.inf, -math.inf])
@pytest.mark.parametrize(
    "place", [lambda x: x, lambda x: [x], lambda x: {"a": [None, {"b": x}]}, lambda x: [None, (x,)]]
)
def test_refuses_what_is_not_finite_wherever_it_hides(number: float, place) -> None:
    with pytest.raises(CanonicalError, match="not finite"):
        canonical_bytes(place(number))


@pytest.mark.parametrize("number", [2**53, -(2**53), 2**70])
def test_refuses_integers_that_a_double_cannot_hold(number: int) -> None:
    for spelled in (canonical_bytes, fractionless_bytes):
        with pytest.raises(CanonicalError, match="2\\^53"):
            spelled({"a": number})


@pytest.mark.parametrize(
    "value", [{1: "a"}, {None: "a"}, {"a": {1, 2}}, {"a": b"x"}, "\ud800", {"\ud800": 1}, object()]
)
def test_refuses_what_json_cannot_say(value: object) -> None:
    for spelled in (canonical_bytes, fractionless_bytes):
        with pytest.raises(CanonicalError):
            spelled(value)


def test_the_message_does_not_repeat_the_value() -> None:
    with pytest.raises(CanonicalError) as refused:
        canonical_bytes({"name": "Jo Secret", "when": {"Jo Secret"}})
    assert "Secret" not in str(refused.value)


def test_refuses_nesting_without_end() -> None:
    value: list = []
    for _ in range(100_000):
        value = [value]
    with pytest.raises(CanonicalError, match="nested"):
        canonical_bytes(value)


def test_keys_beyond_the_basic_plane_sort_by_utf16() -> None:
    assert canonical_bytes({"\ufffd": 1, "\U0001f600": 2}) == '{"\U0001f600":2,"\ufffd":1}'.encode()
