"""Promise 1: not known is never safe."""

import itertools
import json

import pytest
from hypothesis import given
from hypothesis import strategies as st

from model.artefact import ArtefactError, promises_broken, read_model, write_model
from model.case import Case
from model.dictionary import NOT_KNOWN
from model.explanation import explain
from model.gaps import fewest_answers, find_gaps
from model.grounds import GroundRules, find_grounds
from model.prompt import NO_PROMPT, decide_prompt
from model.view import view
from service.screening.answer import AnswerWriter
from tests.builders import built_model, cases, model_content, models, plain_dictionary, values, yes_no_term


@given(st.data())
def test_forgetting_the_reference_answer_never_lowers_the_score(data):
    model = data.draw(models(pairs=4))
    case = data.draw(cases(model))
    term = data.draw(st.sampled_from(model.terms))
    reference = next(value for value in (*term.feature.levels, *(0, *term.edges)) if term.slot(value) == term.reference)
    known = Case({**case.values, term.feature.name: reference})
    forgotten = Case({**case.values, term.feature.name: NOT_KNOWN})
    assert explain(model, forgotten).margin >= explain(model, known).margin


@given(st.data())
def test_the_range_holds_the_score_under_every_answer(data):
    model = data.draw(models(pairs=4))
    case = data.draw(cases(model))
    gaps = find_gaps(model, explain(model, case))
    answers = {
        name: data.draw(values(model.dictionary.feature(name))) if value == NOT_KNOWN else value
        for name, value in case.values.items()
    }
    low, high = gaps.score_range
    slack = 1e-12
    assert low - slack <= explain(model, Case(answers)).score <= high + slack
    assert low - slack <= explain(model, case).score <= high + slack


@given(st.data())
def test_the_range_is_reached_and_no_wider(data):
    model = data.draw(models(pairs=4))
    case = data.draw(cases(model))
    gaps = find_gaps(model, explain(model, case))
    unknown = [model.dictionary.feature(name) for name in case.not_known()][:3]
    fixed = {name: value for name, value in case.values.items() if name not in {f.name for f in unknown}}
    if len(case.not_known()) > len(unknown):
        return
    options = [_one_value_a_slot(model, feature) for feature in unknown]
    scores = [
        explain(model, Case({**fixed, **dict(zip((f.name for f in unknown), combination, strict=True))})).score
        for combination in itertools.product(*options)
    ]
    reordered = [explain(model, Case({name: case.values[name] for name in case.values})).score, *scores]
    assert min(reordered) == pytest.approx(gaps.score_range[0], abs=1e-12)
    assert max(reordered) == pytest.approx(gaps.score_range[1], abs=1e-12)


def _one_value_a_slot(model, feature):
    term = next(term for term in model.terms if term.feature == feature)
    numbers = [0, *term.edges] if feature.is_numeric else []
    return [*feature.levels, *numbers, NOT_KNOWN, *(["not_applicable"] if feature.not_applicable else [])]


@given(st.data())
def test_every_unknown_is_shown_with_who_may_hold_it(data):
    model = data.draw(models(pairs=4))
    case = data.draw(cases(model))
    written = AnswerWriter(model).write("id", "ref-1", [], view(model, GroundRules(model.dictionary), case))
    answer = json.loads(written)
    assert {gap["feature"] for gap in answer["not_known"]} == set(case.not_known())
    for gap in answer["not_known"]:
        assert gap["held_by"] == list(model.dictionary.feature(gap["feature"]).held_by)
        assert gap["score_if_lowest"] <= gap["score_if_highest"]


@given(st.data())
def test_no_prompt_is_never_given_while_an_answer_could_change_it(data):
    model = data.draw(models(pairs=4))
    case = data.draw(cases(model))
    explanation = explain(model, case)
    gaps, grounds = find_gaps(model, explanation), find_grounds(model.dictionary, case)
    prompt = decide_prompt(model, case, explanation, gaps, grounds)
    if prompt.level != NO_PROMPT:
        return
    policy = model.dictionary.policy
    answers = fewest_answers(model, explanation, gaps)  # tests/model/pairs/test_table.py holds it by brute force
    assert answers is None or len(answers) > policy.answers
    assert not grounds.met
    assert not grounds.undecided
    assert case.known() >= policy.minimum_known
    assert not [f for f in model.dictionary.features if f.essential and case.values[f.name] == NOT_KNOWN]
    assert "not a finding that the child is safe" in prompt.text


def test_a_table_that_scores_not_known_below_its_reference_is_refused():
    raw = plain_dictionary({"name": "a", "kind": "yes_no", "direction": "raises"})
    content = model_content(raw, [yes_no_term("a", no=0.0, not_known=-0.000001, yes=1.0)])
    with pytest.raises(ArtefactError, match="term a: not known scores below its reference"):
        read_model(write_model(content), "m")


@pytest.mark.parametrize(("direction", "no", "yes"), [("raises", 0.1, 0.0), ("lowers", 0.0, 0.1)])
def test_a_table_against_its_direction_is_refused(direction, no, yes):
    raw = plain_dictionary({"name": "a", "kind": "yes_no", "direction": direction})
    term = yes_no_term("a", no=no, not_known=1.0, yes=yes, reference=0 if direction == "raises" else 1)
    with pytest.raises(ArtefactError, match="does not keep its direction"):
        read_model(write_model(model_content(raw, [term])), "m")


@given(models())
def test_every_model_that_loads_keeps_its_promises(model):
    assert promises_broken(model) == []


def test_absent_null_and_not_known_score_the_same():
    raw = plain_dictionary({"name": "a", "kind": "yes_no", "direction": "raises"})
    model = built_model(raw, [yes_no_term("a", 0.0, 0.5, 1.0)])
    margins = {explain(model, Case.of(model.dictionary, given)).margin for given in ({}, {"a": None}, {"a": NOT_KNOWN})}
    assert margins == {-2.5}
