"""Many cases at once give what one case gives, to the last bit."""

import math

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from model.columns.exact_sum import exact_sum
from model.columns.screen import ColumnModel, logistic
from model.dictionary import NOT_APPLICABLE, NOT_KNOWN, shipped_dictionary
from model.explanation import ExplanationError
from model.grounds import GroundRules
from model.prompt import LEVELS
from model.view import view
from tests.builders import built_dictionary, built_model, cases, models, plain_dictionary, yes_no_term
from tests.service.conftest import hand_made_model

FINITE = st.floats(-1e6, 1e6)


def agree(model, drawn):
    """Screens the cases both ways and compares everything."""
    columns = ColumnModel(model)
    names = [term.feature.name for term in model.terms]
    encoded = [[of.code(case.values[name]) for case in drawn] for of, name in zip(columns.codes, names, strict=True)]
    found = columns.screen(np.array(encoded, dtype=np.uint8))
    for row, case in enumerate(drawn):
        seen = view(model, GroundRules(model.dictionary), case)
        assert found.score[row] == seen.explanation.score
        assert (found.score_low[row], found.score_high[row]) == seen.gaps.score_range
        assert found.band[row] == seen.explanation.band
        assert LEVELS[found.prompt[row]] == seen.prompt.level
        assert found.not_known[row] == len(seen.gaps.gaps)
        assert tuple(found.contributions[:, row]) == seen.explanation.contributions
        met = [ground for ground, is_met in zip(model.dictionary.grounds, found.met[:, row], strict=True) if is_met]
        assert met == list(seen.grounds.met)


@settings(deadline=None)
@given(st.data())
def test_any_model_and_cases_give_the_same_as_one_by_one(data):
    model = data.draw(models(pairs=data.draw(st.sampled_from([0, 4]))))
    agree(model, data.draw(st.lists(cases(model), min_size=1, max_size=6)))


@pytest.fixture(scope="module")
def shipped():
    from model.artefact import read_model

    return read_model(hand_made_model(shipped_dictionary()))


@settings(deadline=None, max_examples=60)
@given(st.data())
def test_the_shipped_dictionary_with_all_its_grounds(shipped, data):
    agree(shipped, data.draw(st.lists(cases(shipped), min_size=1, max_size=4)))


@pytest.mark.parametrize("comparison", ["<", "<=", ">", ">="])
def test_a_ground_may_compare_inside_a_bin(comparison):
    raw = plain_dictionary(
        {"name": "weight", "kind": "number", "minimum": 0, "maximum": 9},
        ground=[
            {
                "code": "g",
                "label": "G",
                "when": f"weight {comparison} 2.5",
                "text": "Text.",
                "action": "discuss",
                "source": "Test",
            }
        ],
    )
    term = {
        "feature": "weight",
        "edges": [2.0, 3.0],
        "values": [0.0, 0.5, 1.0],
        "not_known": 0.6,
        "not_applicable": None,
        "mean": 0.1,
        "reference": 0,
        "counts": [100, 100, 100],
    }
    model = built_model(raw, [term])
    from model.case import Case

    near = (0, 1.99, 2, 2.4999, 2.5, math.nextafter(2.5, 3), 2.6, 3, 9, NOT_KNOWN)
    agree(model, [Case({"weight": value}) for value in near])


@settings(deadline=None)
@given(FINITE, st.lists(st.lists(FINITE | st.just(0.0), min_size=3, max_size=3), min_size=1, max_size=40))
def test_sums_are_rounded_once(first, columns):
    summed = exact_sum(first, [np.array(column) for column in columns])
    assert summed.tolist() == [math.fsum([first, *(column[row] for column in columns)]) for row in range(3)]


@pytest.mark.parametrize("halves", [[1.0, 2.0**-53], [1.0, 2.0**-53, 2.0**-106], [1.0, 2.0**-54, -(2.0**-54)]])
@pytest.mark.parametrize("sign", [1, -1])
def test_sums_half_way_between_two_numbers(halves, sign):
    terms = [halves[0], *(sign * half for half in halves[1:])]
    assert exact_sum(terms[0], [np.array([term]) for term in terms[1:]])[0] == math.fsum(terms)


@settings(deadline=None)
@given(st.lists(st.floats(-700, 700), min_size=1))
def test_the_logistic_function_is_the_same(margins):
    from model.additive import probability

    assert logistic(np.array(margins)).tolist() == [probability(margin) for margin in margins]


def test_a_model_that_does_not_sum_is_refused():
    raw = plain_dictionary({"name": "a", "kind": "yes_no"})
    model = built_model(raw, [yes_no_term("a", 0.0, 0.1, 0.5)])
    object.__setattr__(model, "base_value", model.base_value + 1e-6)
    with pytest.raises(ExplanationError):
        ColumnModel(model).screen(np.array([[0, 1]], dtype=np.uint8))


def test_not_applicable_has_a_code_where_the_feature_allows_it():
    raw = plain_dictionary({"name": "a", "kind": "yes_no", "not_applicable": True})
    model = built_model(raw, [yes_no_term("a", 0.0, 0.1, 0.5, not_applicable=0.2)])
    (codes,) = ColumnModel(model).codes
    assert [codes.code(value) for value in ("no", "yes", NOT_KNOWN, NOT_APPLICABLE)] == [0, 1, 2, 3]
    assert built_dictionary({"name": "a", "kind": "yes_no"}).features[0].levels == ("no", "yes")
