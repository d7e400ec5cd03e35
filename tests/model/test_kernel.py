"""The compiled kernel gives what the Python gives, to the last bit; and where it would not, it is not used."""

import sys
from itertools import product
from types import SimpleNamespace

import pytest
from hypothesis import example, given
from hypothesis import strategies as st

from model import compiled
from model.additive import AdditiveModel
from model.case import Case
from model.compiled import COMPILED, DIFFERS, NOT_BUILT, NOT_FOR_THIS, kernel_of, look
from model.dictionary import NOT_KNOWN
from model.explanation import ExplanationError, explain
from model.gaps import find_gaps
from model.grounds import GroundRules
from model.kernel import Kernel
from model.refits import LARGEST_DEVIATION
from model.view import view
from service.screening.answer import AnswerWriter
from tests.builders import built_model, cases, models, plain_dictionary, yes_no_term


def yes_no_model(*terms: dict, **top) -> AdditiveModel:
    return built_model(
        plain_dictionary(*[{"name": term["feature"], "kind": "yes_no"} for term in terms]), [*terms], **top
    )


def assert_same(model: AdditiveModel, case: Case) -> None:
    kernel, state = kernel_of(model)
    assert state == COMPILED
    explanation, gaps = look(kernel, model, case)
    expected = explain(model, case)
    assert repr(explanation) == repr(expected)  # which tells -0.0 from 0.0, and 1 from 1.0
    assert repr(gaps) == repr(find_gaps(model, expected))
    by_python, by_kernel = (view(model, GroundRules(model.dictionary), case, one) for one in (None, kernel))
    assert AnswerWriter(model).write("id", "ref", [], by_kernel) == AnswerWriter(model).write(
        "id", "ref", [], by_python
    )


@given(st.data())
def test_any_case_of_any_model_without_pairs_is_seen_alike(data):
    model = data.draw(models())
    assert_same(model, data.draw(cases(model)))


@pytest.mark.parametrize("kind", ["count", "number"])
def test_numbers_at_the_edges_of_bins_are_seen_alike(kind):
    raw = plain_dictionary({"name": "a", "kind": kind, "minimum": -(2**53) + 1, "maximum": 2**53 - 1})
    term = {**yes_no_term("a", 0.0, 0.5, 0.5), "edges": [1, 2.5], "values": [0.0, 0.25, 0.5], "counts": [90, 90, 90]}
    model = built_model(raw, [term])
    whole = [-(2**53) + 1, -1, 0, 1, 2, 3, 2**53 - 1]
    for value in [*whole, *([0.5, 1.0000000000000002, 2.5, 2.4999999999999996] if kind == "number" else [])]:
        assert_same(model, Case({"a": value}))


@given(st.lists(st.sampled_from([0.0, 2.0**-40, 1.5, -1.5, 64.0, LARGEST_DEVIATION, -LARGEST_DEVIATION]), min_size=6))
@example([LARGEST_DEVIATION] * 6)
def test_refits_that_spread_further_than_its_numbers_reach_are_left_to_the_python(deviations):
    half = len(deviations) // 2
    spread = [deviations[:half], deviations[half : 2 * half], [0.0] * half]
    model = yes_no_model(yes_no_term("a", 0.0, 0.1, 0.5, deviations=spread), yes_no_term("b", 0.0, 0.1, 0.5))
    for a, b in product(("no", "yes", NOT_KNOWN), repeat=2):
        assert_same(model, Case({"a": a, "b": b}))


def test_equally_large_contributions_stand_in_the_order_of_the_terms():
    model = yes_no_model(
        yes_no_term("a", 0.0, 0.1, 0.5), yes_no_term("b", 0.0, 0.1, 0.7), yes_no_term("c", 0.0, 0.1, 0.5)
    )
    kernel, _ = kernel_of(model)
    explanation, _ = look(kernel, model, Case({"a": "yes", "b": "yes", "c": "yes"}))
    assert explanation.order == (1, 0, 2)


def test_a_text_that_is_no_level_is_no_case():
    model = yes_no_model(yes_no_term("a", 0.0, 0.1, 0.5))
    kernel, _ = kernel_of(model)
    for values in ({"a": "maybe"}, {}, {"a": None}):
        with pytest.raises(KeyError):
            kernel.look(values)


def test_the_sum_is_checked_outside_of_it(monkeypatch):
    model = yes_no_model(yes_no_term("a", 0.0, 0.1, 0.5))
    kernel, _ = kernel_of(model)
    object.__setattr__(model, "base_value", model.base_value + 1e-6)
    with pytest.raises(ExplanationError):
        look(kernel, model, Case({"a": "yes"}))


def test_a_model_with_pairs_has_none():
    model = yes_no_model(yes_no_term("a", 0.0, 0.1, 0.5), yes_no_term("b", 0.0, 0.1, 0.5))
    object.__setattr__(model, "pairs", ("a pair",))
    assert kernel_of(model) == (None, NOT_FOR_THIS)


@pytest.mark.parametrize(("refits", "state"), [(64, COMPILED), (65, NOT_FOR_THIS)])
def test_a_model_with_more_refits_than_there_is_room_for_has_none(refits, state):
    term = yes_no_term("a", 0.0, 0.1, 0.5, deviations=[[0.1] * refits, [0.3, *[0.0] * (refits - 1)], [0.2] * refits])
    assert kernel_of(yes_no_model(term))[1] == state


def test_a_kernel_of_other_sources_is_not_used(monkeypatch):
    monkeypatch.setattr("model.kernel.SOURCES", "0" * 64)
    assert kernel_of(yes_no_model(yes_no_term("a", 0.0, 0.1, 0.5))) == (None, DIFFERS)


def test_a_kernel_that_cannot_be_loaded_is_not_used(monkeypatch):
    def of_another_python(*_):
        raise ValueError("size changed, may indicate binary incompatibility")

    monkeypatch.delitem(sys.modules, "model.kernel")
    monkeypatch.delattr("model.kernel")
    monkeypatch.setattr(sys, "meta_path", [type("Finder", (), {"find_spec": of_another_python})()])
    assert kernel_of(yes_no_model(yes_no_term("a", 0.0, 0.1, 0.5))) == (None, DIFFERS)


def test_what_a_kernel_forgets_of_a_case_of_which_nothing_is_known_is_seen(monkeypatch):
    model = yes_no_model(*[yes_no_term(f"f{place}", 0.0, 0.1, 0.5) for place in range(20)])
    kernel, _ = kernel_of(model)

    def forgetful(*_):
        def look(values):
            explained, unknown = kernel.look(values)
            return explained, (*unknown[:-1], (0.0, 1.0)) if len(unknown[0]) == len(values) else unknown

        return SimpleNamespace(look=look)

    monkeypatch.setattr("model.kernel.Kernel", forgetful)
    assert kernel_of(model) == (None, DIFFERS)


def test_a_score_that_nothing_explains_says_nothing_against_the_kernel():
    model = yes_no_model(yes_no_term("a", 0.0, 0.1, 45.0))
    kernel, state = kernel_of(model)
    assert state == COMPILED
    for explained in (lambda case: look(kernel, model, case), lambda case: explain(model, case)):
        with pytest.raises(ExplanationError):
            explained(Case({"a": "yes"}))


def test_a_number_beyond_a_table_is_refused_and_not_looked_up():
    model = yes_no_model(yes_no_term("a", 0.0, 0.1, 0.5))
    object.__setattr__(model.terms[0], "edges", tuple(float(edge) for edge in range(3000)))
    kernel = Kernel(model, 1.0, 1.0)
    for number in (5, 2999, 10**9):
        with pytest.raises(IndexError):
            kernel.look({"a": number})


@pytest.mark.parametrize("column", ["contributions", "deviations"])
def test_a_term_whose_columns_have_not_the_same_length_has_none(column):
    model = yes_no_model(yes_no_term("a", 0.0, 0.1, 0.5, deviations=[[0.1], [0.2], [0.3]]))
    object.__setattr__(model.terms[0], column, getattr(model.terms[0], column)[:2])
    with pytest.raises(ValueError, match="length"):
        Kernel(model, 1.0, 1.0)


def test_a_kernel_that_reaches_less_far_is_not_used(monkeypatch):
    spread = [[0.1, -0.1], [0.2, 0.3], [0.0, 0.5]]
    model = yes_no_model(yes_no_term("a", 0.0, 0.1, 0.5, deviations=spread))
    monkeypatch.setattr(compiled, "REFIT_QUANTILE", 1.96)
    assert kernel_of(model) == (None, DIFFERS)


@pytest.mark.parametrize("slot", [0, 1, 2])
def test_every_value_of_every_table_is_tried(slot, monkeypatch):
    model = yes_no_model(yes_no_term("a", 0.0, 0.1, 0.5), yes_no_term("b", 0.0, 0.1, 0.5))
    other = list(model.terms[1].table)
    other[slot] += 2.0**-40
    kernel, _ = kernel_of(model)
    object.__setattr__(model, "_tables", (model.terms[0].table, tuple(other)))
    monkeypatch.setattr("model.kernel.Kernel", lambda *_: kernel)
    assert kernel_of(model) == (None, DIFFERS)


def test_where_it_was_not_built_the_python_is_used(monkeypatch):
    monkeypatch.setitem(sys.modules, "model.kernel", None)
    assert kernel_of(yes_no_model(yes_no_term("a", 0.0, 0.1, 0.5))) == (None, NOT_BUILT)
