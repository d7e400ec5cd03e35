"""Pooling what agencies know: not known is never safe, the riskier answer counts, and the order does not matter."""

from __future__ import annotations

from itertools import product

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from model.case import Case
from model.dictionary import NOT_APPLICABLE, NOT_KNOWN
from model.explanation import explain
from model.grounds import GroundRules
from model.pooling import Observation, difference, pool
from model.prompt import LEVELS
from model.view import view
from tests.builders import built_dictionary, built_model, models, plain_dictionary, values, yes_no_term

AGENCIES = ("gp", "police")


@st.composite
def pooled_requests(draw):
    """A model, and what each agency says; every agency may say anything about any feature."""
    model = draw(models(pairs=4))
    agencies = draw(st.permutations(AGENCIES)) if draw(st.booleans()) else draw(st.sampled_from([["gp"], ["police"]]))
    said = st.fixed_dictionaries({}, optional={f.name: values(f) for f in model.dictionary.features})
    return model, [Observation(agency, draw(said)) for agency in agencies]


@given(pooled_requests())
def test_the_score_is_never_below_that_of_the_riskiest_answers_that_count(drawn):
    """Whichever of the answers that count is taken for each feature; with pairs they are tried all together."""
    model, observations = drawn
    found = pool(model, observations)
    refused = {(one.feature, one.agency) for one in found.not_counted}
    margin = explain(model, found.case).margin
    given = {
        term.feature.name: {
            value
            for one in observations
            if (value := one.known(term.feature.name)) is not None and (term.feature.name, one.agency) not in refused
        }
        for term in model.terms
        if term.feature.direction != "free"
    }
    differ = [name for name, values in given.items() if len(values) > 1]
    for answers in product(*(sorted(given[name], key=str) for name in differ)):
        other = Case({**found.case.values, **dict(zip(differ, answers, strict=True))})
        assert explain(model, other).margin <= margin + 1e-9


@given(pooled_requests())
def test_leaving_a_reassuring_answer_out_never_lowers_the_score(drawn):
    """The answers of agencies that hold no such record, taken as they are, would have scored no higher."""
    model, observations = drawn
    found = pool(model, observations)
    for one in found.not_counted:
        term = next(term for term in model.terms if term.feature.name == one.feature)
        left_out, answered = (Case({**found.case.values, one.feature: value}) for value in (NOT_KNOWN, one.value))
        assert explain(model, left_out).margin >= explain(model, answered).margin - 1e-9
        assert one.agency not in term.feature.held_by


@given(pooled_requests())
def test_the_order_of_the_agencies_does_not_matter(drawn):
    model, observations = drawn
    one, other = pool(model, observations), pool(model, observations[::-1])
    assert one.case == other.case
    assert {c.feature: c.counted for c in one.conflicts} == {c.feature: c.counted for c in other.conflicts}
    assert set(one.not_counted) == set(other.not_counted)


@given(pooled_requests(), st.data())
def test_one_agency_that_holds_everything_is_an_ordinary_screening(drawn, data):
    model, _ = drawn
    features = {f.name: data.draw(values(f)) for f in model.dictionary.features if "gp" in f.held_by}
    found = pool(model, [Observation("gp", features)])
    assert found.case == Case.of(model.dictionary, features)
    assert (found.conflicts, found.not_counted) == ((), ())


@settings(max_examples=50)
@given(pooled_requests())
def test_the_facts_that_made_the_difference_are_facts_without_which_the_level_falls(drawn):
    model, observations = drawn
    rules = GroundRules(model.dictionary)
    found = pool(model, observations)
    together = view(model, rules, found.case)
    alone = [view(model, rules, Case.of(model.dictionary, one.features)) for one in observations]
    changed = difference(model, rules, together, alone)
    highest = min(LEVELS.index(one.prompt.level) for one in alone)
    assert changed.rose == (LEVELS.index(together.prompt.level) < highest)
    if not changed.rose:
        assert changed.facts == ()
    for facts in [(fact,) for fact in changed.facts] if changed.each else [changed.facts] if changed.facts else []:
        without = Case({**found.case.values, **dict.fromkeys(facts, NOT_KNOWN)})
        assert LEVELS.index(view(model, rules, without).prompt.level) >= highest
        assert all(found.sources[fact] for fact in facts)


def _model(feature, **term):
    return built_model(plain_dictionary(feature), [yes_no_term(feature["name"], 0.0, 0.2, 1.0, **term)])


YES_NO = {"name": "harm", "kind": "yes_no", "direction": "raises", "held_by": ["police"]}


@pytest.mark.parametrize(
    ("gp", "police", "counted", "refused", "conflict"),
    [
        ("no", None, NOT_KNOWN, True, False),  # nobody else can know that police have nothing
        ("no", "no", "no", True, False),
        ("no", "yes", "yes", True, True),
        ("yes", "no", "yes", False, True),
        ("yes", None, "yes", False, False),
        (None, "no", "no", False, False),
        (NOT_KNOWN, "no", "no", False, False),
        (None, None, NOT_KNOWN, False, False),
    ],
)
def test_only_a_holder_can_say_that_there_is_nothing(gp, police, counted, refused, conflict):
    found = pool(_model(YES_NO), [Observation("gp", {"harm": gp}), Observation("police", {"harm": police})])
    assert found.case.values["harm"] == counted
    assert bool(found.not_counted) == refused
    assert bool(found.conflicts) == conflict


def test_where_no_answer_is_riskier_a_conflict_counts_as_not_known():
    free = {"name": "reason", "kind": "category", "levels": ["a", "b"], "held_by": ["gp", "police"]}
    model = built_model(plain_dictionary(free), [yes_no_term("reason", 0.0, 0.2, 1.0)])
    found = pool(model, [Observation("gp", {"reason": "a"}), Observation("police", {"reason": "b"})])
    assert found.case.values["reason"] == NOT_KNOWN
    assert found.conflicts[0].counted == NOT_KNOWN


def test_a_fact_is_not_lost_where_the_table_is_flat():
    """A feature without weight still decides grounds: the worrying answer counts, by the declared direction."""
    flat = built_model(plain_dictionary(YES_NO), [yes_no_term("harm", 0.0, 0.0, 0.0)])
    found = pool(flat, [Observation("gp", {"harm": "yes"}), Observation("police", {"harm": "no"})])
    assert found.case.values["harm"] == "yes"


def test_not_applicable_gives_way_to_a_level():
    feature = {**YES_NO, "held_by": ["gp", "police"], "not_applicable": True}
    model = built_model(plain_dictionary(feature), [yes_no_term("harm", 0.0, 0.2, 1.0, not_applicable=0.0)])
    observations = [Observation("gp", {"harm": NOT_APPLICABLE}), Observation("police", {"harm": "no"})]
    assert pool(model, observations).case.values["harm"] == "no"


def test_a_number_that_more_worries_counts():
    feature = {"name": "visits", "kind": "count", "minimum": 0, "maximum": 100, "direction": "lowers"}
    raw = plain_dictionary({**feature, "held_by": ["gp", "police"]})
    term = {**yes_no_term("visits", 0.5, 0.6, 0.1), "edges": [5], "reference": 0}
    model = built_model(raw, [term])
    found = pool(model, [Observation("gp", {"visits": 7}), Observation("police", {"visits": 6})])
    assert found.case.values["visits"] == 6
    assert explain(model, found.case).score > 0


def test_sources_name_who_gave_the_answer_that_counts():
    assert built_dictionary(YES_NO).features[0].held_by == ("police",)
    found = pool(_model(YES_NO), [Observation("gp", {"harm": "yes"}), Observation("police", {"harm": "no"})])
    assert found.sources == {"harm": ("gp",)}


def test_a_partner_decides_whether_a_level_or_not_applicable_is_the_riskier():
    """By their own tables the level is the riskier; beside the partner's yes, that the question does not apply is."""
    features = [
        {"name": "harm", "kind": "yes_no", "direction": "raises", "not_applicable": True, "held_by": ["gp", "police"]},
        {"name": "alone", "kind": "yes_no", "direction": "raises", "held_by": ["gp", "police"]},
    ]
    terms = [yes_no_term("harm", 0.0, 0.2, 0.6, not_applicable=0.5), yes_no_term("alone", 0.0, 0.5, 1.0)]
    pair = {
        "features": ["harm", "alone"],
        "groups": [[0, 1, 2, 3], [0, 1, 2]],
        "values": [[0.0, 0.0, 0.0], [0.0, 0.0, 0.0], [0.0, 0.0, 0.0], [-0.1, 0.2, -0.1]],
        "mean": 0.0,
        "counts": [[None] * 3] * 4,
        "deviations": [],
    }
    model = built_model(plain_dictionary(*features), terms, format=2, pairs=[pair])

    def counted(alone):
        gp = Observation("gp", {"harm": NOT_APPLICABLE, "alone": alone})
        return pool(model, [gp, Observation("police", {"harm": "yes"})]).case.values["harm"]

    assert (counted("no"), counted("yes")) == ("yes", NOT_APPLICABLE)
