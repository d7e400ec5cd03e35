"""The shipped vignettes: in order, varied, and what they say of themselves is so."""

from __future__ import annotations

import re

import pandas as pd
import pytest

from model.case import admit
from model.dictionary import NOT_KNOWN
from model.pooling import Observation, pool
from service.learning.feedback import SETTLED, remarks
from service.learning.language import vignette_reading_age
from service.learning.reader import SHIPPED, read_vignette
from tests.service.learning.conftest import DICTIONARY, VIGNETTES
from training.cases.cohort import make_cohort


@pytest.mark.parametrize("path", sorted(SHIPPED.iterdir()), ids=lambda path: path.stem)
def test_a_shipped_vignette_is_in_order_and_reads_at_twelve_or_less(path):
    read = read_vignette(path, DICTIONARY)
    assert read.faults == ()
    assert vignette_reading_age(read.vignette) <= 12


def test_they_are_told_from_many_chairs_in_an_order_of_their_own():
    vignettes = VIGNETTES.values()
    assert len(vignettes) >= 8
    assert len({vignette.agency for vignette in vignettes}) >= 6
    assert len({vignette.order for vignette in vignettes}) == len(vignettes)
    assert all(vignette.source for vignette in vignettes)


def test_no_story_rests_on_a_figure_of_one_model():
    """A model is retrained, and the words stay: no vignette says what the score is."""
    for path in SHIPPED.iterdir():
        for line in path.read_text(encoding="utf-8").splitlines():
            if not line.startswith(("source", "guidance")):
                assert not re.search(r"\d ?%|\b0\.\d", line), f"{path.name}: {line}"


def test_the_drawn_case_is_that_of_the_cohort_answer_by_answer(released):
    vignette = VIGNETTES["drawn-by-lot"]
    found = re.fullmatch(r"make_cohort\(families=(\d+), seed=(\d+)\), case (\w+)", vignette.synthetic_case)
    families, seed, case = found.groups()
    rows = make_cohort(int(families), int(seed), DICTIONARY).cases.set_index("case_ref")
    drawn = {}
    for feature in DICTIONARY.features:
        value = rows.loc[case, feature.file_column]
        if not pd.isna(value) and value != "":
            number = feature.is_numeric and value != "not_applicable"
            drawn[feature.name] = (
                admit(feature, float(value) if feature.kind == "number" else int(value)) if number else value
            )
    found = pool(released.model, [Observation(part.agency, part.features) for part in vignette.known]).case
    assert {name: value for name, value in found.values.items() if value != NOT_KNOWN} == drawn
    outcome = rows.loc[case, DICTIONARY.outcome.column]
    assert (outcome == 0) == ("no section 47 enquiry started" in " ".join(vignette.hindsight.story))
    assert all(ask.found == "not_known" or drawn[ask.feature] == ask.found for ask in vignette.asks)


@pytest.mark.parametrize("code", VIGNETTES)
def test_the_grounds_that_a_vignette_speaks_of_are_met(code, lessons):
    """Grounds hang on the dictionary and on no score, so these hold for every model."""
    vignette = VIGNETTES[code]
    lesson = lessons.lesson(vignette, vignette.choices[0], [])
    assert {ground["code"] for ground in lesson.own.answer["grounds"]} == OWN.get(code, set())
    assert {ground["code"] for ground in lesson.pooled.answer["grounds"]} == POOLED.get(code, set())


OWN = {
    "small-mark": {"injury_in_non_mobile_baby"},
    "one-phone-call": {"mental_ill_health_and_baby"},
    "late-arrival": {"concealed_pregnancy"},
}
POOLED = {
    "half-a-picture": {"mental_ill_health_and_baby"},
    "small-mark": {"injury_in_non_mobile_baby"},
    "three-calls": {"domestic_abuse_and_baby"},
    "new-partner": {"person_posing_risk"},
    "late-arrival": {"concealed_pregnancy", "mental_ill_health_and_baby"},
    "top-shelf": {"mental_ill_health_and_baby"},
}


def test_in_one_of_them_asking_takes_the_ground_away(lessons):
    lesson = lessons.lesson(VIGNETTES["one-phone-call"], VIGNETTES["one-phone-call"].choices[0], [])
    assert lesson.own.level == "consider_referral"
    assert lesson.full.answer["grounds"] == []
    assert SETTLED in [remark.topic for remark in remarks(lesson, DICTIONARY)]
