"""What agencies know together: the riskier known answer counts, and nobody can rule out what they hold no record of."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from model.condition import NOT_KNOWN
from service.learning.together import riskiest, together
from service.learning.vignette import Known
from tests.builders import values
from tests.service.learning.conftest import DICTIONARY

AGENCIES = [agency.id for agency in DICTIONARY.agencies]


def part(agency, **features):
    return Known(agency, "", features)


@st.composite
def parts(draw):
    """Parts of one case by any agencies about a few questions, their answers drawn at random."""
    asked = [
        DICTIONARY.feature(name)
        for name in ("domestic_abuse", "missed_appointments", "child_stage", "injury_or_bruise")
    ]
    drawn = {f.name: values(f) | st.just(NOT_KNOWN) for f in asked}
    return draw(
        st.lists(st.builds(lambda a, f: Known(a, "", f), st.sampled_from(AGENCIES), st.fixed_dictionaries(drawn)))
    )


@given(parts(), st.randoms())
def test_the_order_of_the_agencies_makes_no_difference(given_parts, random):
    shuffled = list(given_parts)
    random.shuffle(shuffled)
    assert together(given_parts, DICTIONARY).features == together(shuffled, DICTIONARY).features


@given(parts())
def test_every_known_answer_was_given_and_none_that_is_riskier_is_dropped(given_parts):
    found = together(given_parts, DICTIONARY)
    for name, value in found.features.items():
        answers = [one.features[name] for one in given_parts]
        assert value in (*answers, NOT_KNOWN)
        if name == "domestic_abuse" and "yes" in answers:
            assert value == "yes"
    for one in given_parts:
        if one.features["domestic_abuse"] == "yes":
            assert found.features["domestic_abuse"] == "yes"


@pytest.mark.parametrize(
    ("name", "given_values", "counted"),
    [
        ("domestic_abuse", ["no", "yes"], "yes"),
        ("second_parent_identified", ["no", "yes"], "no"),
        ("missed_appointments", [3, 2], 3),
        ("birth_weight_g", [3400, 2100], 2100),
        ("household_protection_plan", ["now", "never"], "now"),
        ("child_stage", ["newborn", "unborn"], NOT_KNOWN),
        ("injury_or_bruise", ["not_applicable", "yes"], "yes"),
        ("injury_or_bruise", ["not_applicable"], "not_applicable"),
    ],
)
def test_the_riskier_known_answer_counts(name, given_values, counted):
    assert riskiest(DICTIONARY.feature(name), given_values) == counted


def test_only_an_agency_that_holds_the_record_can_rule_something_out():
    found = together([part("housing", domestic_abuse="no"), part("gp", injury_or_bruise="no")], DICTIONARY)
    assert found.features == {"injury_or_bruise": "no"}
    assert together([part("housing", domestic_abuse="yes")], DICTIONARY).features == {"domestic_abuse": "yes"}


def test_a_conflict_names_who_said_what():
    (conflict,) = together(
        [part("gp", domestic_abuse="no"), part("police", domestic_abuse="yes")], DICTIONARY
    ).conflicts
    assert conflict.answers == (("gp", "no"), ("police", "yes"))
    assert conflict.counted == "yes"
