"""A lesson shows what the live model shows, and leaves no trace."""

from __future__ import annotations

import html
import math
import re
from dataclasses import replace

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from model.condition import NOT_KNOWN
from model.pooling import Observation, pool
from service.learning.feedback import NOT_KNOWN_TOPIC, SECOND_PARENT, remarks
from service.learning.language import REWORD
from service.learning.lesson import Lessons, answers_to, view
from service.learning.vignette import Known
from service.screening.answer import AnswerWriter
from service.words.plain_english import banned_phrase
from tests.builders import logit
from tests.service.learning.conftest import DICTIONARY, VIGNETTES

EVERY = st.sampled_from(sorted(VIGNETTES))


def readers(data, code):
    """A reader of a vignette: what they would do, and what they would ask."""
    vignette = VIGNETTES[code]
    choice = data.draw(st.sampled_from(vignette.choices))
    return vignette, choice, data.draw(st.sets(st.sampled_from([ask.feature for ask in vignette.asks])))


@given(EVERY, st.data())
def test_what_is_shown_is_what_a_screening_would_show(lessons, code, data):
    lesson = lessons.lesson(*readers(data, code))
    for shown in (lesson.own, lesson.heard, lesson.pooled, lesson.full, *(one.view for one in lesson.alone)):
        explanation = shown.answer["explanation"]
        total = math.fsum([explanation["base_value"], *(row["contribution"] for row in explanation["contributions"])])
        assert total == pytest.approx(logit(shown.answer["score"]), abs=1e-9)
        assert len(shown.answer["not_known"]) + len(shown.features) == len(DICTIONARY.features)
        assert "record" not in shown.answer


def test_the_same_case_sent_to_the_api_gets_the_same_answer(service, released):
    vignette = VIGNETTES["half-a-picture"]
    lesson = Lessons(service.released, AnswerWriter(service.released.model)).lesson(vignette, vignette.choices[0], [])
    answered = service.screen(dict(vignette.own().features), agency=vignette.agency).get_json()
    for key in ("score", "prompt", "grounds", "not_known", "explanation", "score_range", "score_interval", "band"):
        assert answered[key] == lesson.own.answer[key]


def _beside_own(lesson, feature, value, released):
    """The answer that counts beside the one on the reader's own record, if there is one."""
    own = Observation(lesson.vignette.agency, {feature.name: lesson.own.features.get(feature.name)})
    other = Observation(feature.held_by[0], {feature.name: value})
    return pool(released.model, [own, other]).case.values[feature.name]


@pytest.mark.parametrize("code", VIGNETTES)
def test_an_answer_could_change_the_prompt_exactly_where_one_does(code, released, writer, lessons):
    vignette = VIGNETTES[code]
    lesson = lessons.lesson(vignette, vignette.choices[0], [])
    rest = vignette.agency, released, writer
    for asked in lesson.asked:
        feature = DICTIONARY.feature(asked.ask.feature)
        levels = {
            view({**lesson.own.features, feature.name: _beside_own(lesson, feature, value, released)}, *rest).level
            for value in answers_to(feature)
            # What this agency cannot rule out stays not known.
            if asked.ask.agency in feature.held_by or value != feature.reference
        }
        assert asked.could_change == (levels - {lesson.own.level} != set())
        assert asked.could_change or asked.level == lesson.own.level


@given(EVERY, st.data())
def test_asking_only_ever_adds_what_came_back(lessons, code, data):
    vignette, choice, asks = readers(data, code)
    lesson = lessons.lesson(vignette, choice, asks)
    added = {ask.feature for ask in vignette.asks if ask.feature in asks and ask.found != NOT_KNOWN}
    assert set(lesson.heard.features) == set(lesson.own.features) | added


@given(EVERY, st.data())
def test_one_readers_choices_leave_nothing_in_the_next_ones_lesson(released, writer, lessons, code, data):
    lessons.lesson(*readers(data, code))
    reader = readers(data, code)
    assert lessons.lesson(*reader) == Lessons(released, writer).lesson(*reader)


def test_feedback_speaks_of_what_the_reader_left_out_without_a_mark(lessons):
    vignette = VIGNETTES["half-a-picture"]
    tones = {}
    for asks in ((), ("second_parent_identified",)):
        lesson = lessons.lesson(vignette, vignette.choices[0], asks)
        tones[asks] = {remark.topic: remark.tone for remark in remarks(lesson, DICTIONARY)}
    assert tones[()][SECOND_PARENT] == tones[()][NOT_KNOWN_TOPIC] == "not_asked"
    assert tones["second_parent_identified",][SECOND_PARENT] == "asked"


def test_nobody_is_told_about_a_second_parent_of_whom_all_is_known(lessons):
    vignette = VIGNETTES["half-a-picture"]
    known = {f.name: f.levels[-1] for f in DICTIONARY.features if f.name.startswith("second_parent_")}
    own = Known("midwifery", "All known.", {**vignette.own().features, **known})
    lesson = lessons.lesson(replace(vignette, known=(own,)), vignette.choices[0], [])
    assert [remark.topic for remark in remarks(lesson, DICTIONARY)] == [NOT_KNOWN_TOPIC]


SLOW = settings(max_examples=40, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])


@SLOW
@given(EVERY, st.data())
def test_no_lesson_says_what_must_not_be_said(service, code, data):
    vignette, choice, asks = readers(data, code)
    before = service.log.size()
    response = service.client.post(f"/learn/{code}", data={"do": choice.code, "ask": sorted(asks)})
    assert response.status_code == 200
    text = html.unescape(re.sub(r"<[^>]+>", " ", response.get_data(as_text=True)))
    assert banned_phrase(text.replace("never says that a child is safe", "")) is None
    for pattern, fix in REWORD[:3]:
        assert not re.search(pattern, text, re.IGNORECASE), fix
    assert vignette.hindsight.counterfactual in text
    assert service.log.size() == before


def test_nothing_of_learning_enters_the_log_or_sets_a_cookie(service):
    before = service.log.size()
    client = service.client
    for code, vignette in VIGNETTES.items():
        sent = {"do": vignette.choices[0].code, "ask": [ask.feature for ask in vignette.asks]}
        shown = (client.get("/learn"), client.get(f"/learn/{code}"), client.post(f"/learn/{code}", data=sent))
        assert [one.status_code for one in shown] == [200, 200, 200]
        assert all("Set-Cookie" not in one.headers for one in shown)
        assert client.post(f"/learn/{code}", data={}).status_code == 422
    assert client.get("/learn/no-such-case", headers={"Accept": "text/html"}).status_code == 404
    assert service.log.size() == before


def test_no_case_of_a_visitors_own_can_be_screened_here(service):
    """Otherwise there would be a score without its record."""
    sent = {"do": "next-visit", "ask": ["domestic_abuse"]}
    smuggled = {**sent, "injury_or_bruise": "yes", "immediate_danger": "yes", "features": '{"immediate_danger": "yes"}'}
    smuggled["ask"] = ["domestic_abuse", "immediate_danger", "domestic_abuse=yes"]
    pages = [service.client.post("/learn/half-a-picture", data=one).get_data(as_text=True) for one in (sent, smuggled)]
    assert pages[0] == pages[1]
