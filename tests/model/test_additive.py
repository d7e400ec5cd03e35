"""What goes over many at once gives what goes over one."""

import math

import pytest
from hypothesis import given
from hypothesis import strategies as st

from model.additive import probabilities, probability, several
from model.case import Case
from tests.builders import built_model, plain_dictionary, yes_no_term

margins = st.floats(-800, 800) | st.sampled_from([0.0, -0.0, 1e-300, -1e-300, 709.9, -745.2])


@given(st.lists(margins, max_size=30))
def test_probabilities_are_those_of_each_margin_to_the_last_bit(several_margins):
    assert probabilities(several_margins) == [probability(margin) for margin in several_margins]


@pytest.mark.parametrize("margin", [-800.0, -1.0, 0.0, 1.0, 800.0])
def test_a_probability_is_the_logistic_function(margin):
    expected = 1 / (1 + math.exp(-margin)) if margin > -700 else 0.0
    assert probability(margin) == pytest.approx(expected, rel=1e-15)


@pytest.mark.parametrize("keys", [[], [2], [2, 0], [1, 1, 0]])
def test_several_gives_a_tuple_however_many_are_asked_for(keys):
    assert several(keys)(["a", "b", "c"]) == tuple("abc"[key] for key in keys)


def test_a_model_of_one_feature_is_scored_like_any_other():
    model = built_model(plain_dictionary({"name": "a", "kind": "yes_no"}), [yes_no_term("a", 0.0, 0.1, 0.5)])
    assert [model.slots(Case({"a": value})) for value in ("no", "yes", "not_known")] == [[0], [1], [2]]


def test_a_text_that_is_no_level_has_no_slot():
    model = built_model(plain_dictionary({"name": "a", "kind": "yes_no"}), [yes_no_term("a", 0.0, 0.1, 0.5)])
    with pytest.raises(KeyError):
        model.slots(Case({"a": "maybe"}))
