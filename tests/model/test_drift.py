"""The stability index against its definition, what it is by chance, and what it does with bins and gaps."""

from __future__ import annotations

import math
import random

import pytest
from hypothesis import given
from hypothesis import strategies as st

from model.drift import MOST_BINS, Watch, stability_index
from tests.builders import built_model, plain_dictionary, yes_no_term

COUNTS = st.lists(st.tuples(st.integers(0, 500), st.integers(0, 500)), min_size=2, max_size=12)


@given(COUNTS)
def test_it_is_at_least_nothing_and_the_same_both_ways(counts):
    then, now = (list(column) for column in zip(*counts, strict=True))
    assert stability_index(then, now) >= 0
    assert math.isclose(stability_index(then, now), stability_index(now, then), abs_tol=1e-12)
    assert math.isclose(stability_index(then, then), 0, abs_tol=1e-12)


def test_it_is_its_definition_where_counts_are_large():
    then, now = [900_000, 100_000], [700_000, 300_000]
    definition = (0.7 - 0.9) * math.log(0.7 / 0.9) + (0.3 - 0.1) * math.log(0.3 / 0.1)
    assert stability_index(then, now) == pytest.approx(definition, rel=1e-4)


def test_without_drift_it_is_what_chance_gives_on_average():
    chance, found = random.Random(1), []
    for _ in range(400):
        drawn = [chance.randrange(5) for _ in range(300)]
        found.append(stability_index([2000] * 5, [drawn.count(bin_) for bin_ in range(5)]))
    assert sum(found) / 400 == pytest.approx(4 * (1 / 300 + 1 / 10_000), rel=0.15)


def _watch(**term):
    raw = plain_dictionary({"name": "harm", "kind": "yes_no", "direction": "raises", "not_applicable": True})
    model = built_model(raw, [yes_no_term("harm", 0, 0.1, 1, not_applicable=0.0, **term)], training={"rows": 1000})
    return Watch(model)


def test_not_known_is_counted_apart_from_the_answers():
    watch = _watch(counts=[600, 200])
    for values in ({"harm": "yes"}, {"harm": "no"}, {"harm": "no"}, {"harm": "not_applicable"}, {}):
        watch.add(values)
    (harm,) = watch.drift()
    assert (harm.cases, harm.not_answered_now) == (5, pytest.approx(0.4))
    assert harm.not_answered_then == pytest.approx(0.2)
    assert harm.index == stability_index([600, 200], [2, 1])


@pytest.mark.parametrize("value", ["perhaps", 3, 2.5, True])
def test_an_answer_that_the_table_has_no_place_for_is_counted_apart(value):
    watch = _watch(counts=[600, 200])
    for one in ("yes", "no", value):
        watch.add({"harm": one})
    (harm,) = watch.drift()
    assert (harm.cases, harm.unlisted, harm.not_answered_now) == (3, 1, 0)
    assert harm.index == stability_index([600, 200], [1, 1])


def test_where_nothing_is_known_there_is_no_index():
    watch = _watch(counts=[600, 200])
    assert watch.drift() == []
    watch.add({})
    (harm,) = watch.drift()
    assert (harm.index, harm.noise, harm.not_answered_now) == (None, None, 1.0)


def test_a_number_s_bins_are_taken_together():
    feature = {"name": "visits", "kind": "count", "minimum": 0, "maximum": 100, "direction": "raises"}
    values = [place / 10 for place in range(30)]
    term = {**yes_no_term("visits", 0, 5, 0), "values": values, "edges": list(range(1, 30)), "counts": [40] * 30}
    watch = Watch(built_model(plain_dictionary(feature), [term], training={"rows": 1200}))
    for visits in range(30):
        watch.add({"visits": visits})
    (visits,) = watch.drift()
    assert visits.noise == pytest.approx((MOST_BINS - 1) * (1 / 30 + 1 / 1200))
