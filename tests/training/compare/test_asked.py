"""Cases as another dictionary would have asked them."""

from __future__ import annotations

import numpy as np

from tests.builders import built_dictionary
from training.compare.asked import as_asked_by, same_outcome, same_questions, shared_features

NAN, REST = np.nan, -np.inf
OLD = built_dictionary(
    {"name": "visits", "kind": "count"},
    {"name": "source", "kind": "category", "levels": ["gp", "police", "school"]},
    {"name": "gone", "kind": "yes_no"},
    {"name": "gap", "kind": "number"},
)
NEW = built_dictionary(
    {"name": "source", "kind": "category", "levels": ["school", "gp", "charity"]},
    {"name": "gap", "kind": "number", "not_applicable": True},
    {"name": "visits", "kind": "number"},
    {"name": "fresh", "kind": "yes_no"},
)
X = np.array([[0.0, 2.5, 3.0, 1.0], [1.0, REST, NAN, 0.0], [2.0, NAN, 0.0, NAN], [NAN, 1.0, 1.0, 1.0]])


def test_levels_go_by_name_and_what_is_not_asked_or_not_an_answer_there_is_not_known() -> None:
    expected = [[3.0, 2.0, NAN, 2.5], [NAN, 0.0, NAN, NAN], [0.0, NAN, NAN, NAN], [1.0, NAN, NAN, 1.0]]
    np.testing.assert_array_equal(as_asked_by(OLD, NEW, X), expected)
    assert shared_features(OLD, NEW) == ["visits", "source", "gap"]


def test_by_the_same_dictionary_nothing_changes() -> None:
    np.testing.assert_array_equal(as_asked_by(NEW, NEW, X), X)
    assert same_questions(NEW, NEW)
    assert not same_questions(OLD, NEW)


def test_a_number_is_no_level_of_that_name() -> None:
    other = built_dictionary({"name": "visits", "kind": "yes_no"})
    assert shared_features(OLD, other) == []
    assert np.isnan(as_asked_by(OLD, other, np.array([[1.0]]))).all()


def test_outcomes_are_the_same_by_column_and_answers() -> None:
    outcome = {"column": "outcome", "meaning": "in other words", "positive": ["1"]}
    assert same_outcome(OLD, built_dictionary({"name": "visits", "kind": "count"}, outcome=outcome))
    for change in ({"positive": ["2"]}, {"column": "other"}):
        assert not same_outcome(OLD, built_dictionary({"name": "visits", "kind": "count"}, outcome=outcome | change))
