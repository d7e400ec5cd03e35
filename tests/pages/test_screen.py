"""Screening a case in the browser: from the form to the result, to what was done about it."""

from __future__ import annotations

import re

import orjson

from model.dictionary import shipped_dictionary
from tests.pages.browser import press
from tests.pages.site import UNBORN


def test_every_question_is_asked_once_and_rests_at_not_known(site, practitioner):
    page = practitioner
    page.goto("/screen/health_visiting")
    for feature in shipped_dictionary().features:
        fields = page.locator(f'[name="{feature.name}"]')
        if feature.is_numeric:
            assert fields.count() == 1
            assert fields.input_value() == ""
        else:
            assert fields.evaluate_all("all => all.find(one => one.checked).value") == "not_known"


def test_the_agency_that_asks_comes_first(site, practitioner):
    practitioner.goto("/screen/police")
    assert practitioner.locator("main h2").first.inner_text() == "What Police may know"
    assert practitioner.locator("main section").first.locator('[name="domestic_abuse_police_incidents"]').count()


def test_a_screening_shows_prompt_then_grounds_then_gaps_then_contributions(site, practitioner):
    page = site.screen(practitioner, UNBORN)
    headings = page.locator("main h2").all_inner_texts()
    assert headings[0].endswith("Consider a referral")
    assert headings[1:5] == [
        "Grounds for a referral",
        "What is not known, and who may know",
        "The score and how far it could move",
        "What the score is made of",
    ]
    text = page.locator("main").inner_text()
    assert "nothing known of the second parent" in text
    assert "associated with" in text.lower()
    assert "because" not in text.lower()
    first = page.locator("main table").first
    assert first.locator("caption").inner_text() == "Ask first"
    assert "Second parent" in first.locator("tbody th").first.inner_text()


def test_what_is_shown_is_what_the_log_holds(site, practitioner):
    page = site.screen(practitioner, UNBORN, reference="case-7001")
    entry = site.log.get(page.url.rsplit("/", 1)[1])
    answer = orjson.loads(entry.payload)["answer"]
    page.locator("details").evaluate_all("all => all.forEach(one => one.open = true)")
    shown = page.locator("main").inner_text()
    assert entry.leaf_hash in shown
    for contribution in answer["explanation"]["contributions"]:
        assert contribution["text"] in shown
    figures = [float(cell) for cell in page.locator("main table").last.locator("td:last-child").all_inner_texts()]
    base = float(re.search(r"stands at ([+-][0-9.]+) log-odds", shown)[1])
    total = float(re.search(r"sums to ([+-][0-9.]+)", shown)[1])
    assert abs(base + sum(figures) - total) < 0.0005 * (len(figures) + 2)


def test_errors_name_the_field_and_keep_what_was_typed(site, practitioner):
    page = site.screen(practitioner, {"gestation_at_birth_weeks": 400, **UNBORN}, reference="no digits")
    summary = page.locator(".govuk-error-summary")
    assert summary.get_by_role("link").count() == 2
    assert page.title().startswith("Error: ")
    assert page.locator('[name="gestation_at_birth_weeks"]').input_value() == "400"
    assert page.locator('[name="parent_mental_health_history"][value="yes"]').is_checked()
    summary.get_by_role("link").first.click()
    assert page.evaluate("document.activeElement.id") in ("case_ref", "gestation_at_birth_weeks")


def test_a_name_is_refused_and_not_repeated_in_the_log(site, practitioner):
    size = site.log.size()
    site.screen(practitioner, {}, reference="Alexandra Whitfield 1")
    refusal = site.log.get_index(size)
    assert refusal.kind == "refusal"
    assert b"Whitfield" not in refusal.payload


def test_what_was_done_is_recorded_and_can_be_corrected(site, practitioner):
    page = site.screen(practitioner, UNBORN, reference="case-7002")
    press(page, "Record what I did")
    assert "choose what you did" in page.locator(".govuk-error-summary").inner_text()
    page.get_by_label("Decided otherwise than the prompt").check()
    press(page, "Record what I did")
    assert "Why" not in page.locator("h1").inner_text()
    assert "needs at least one reason" in page.locator(".govuk-error-summary").inner_text()
    page.get_by_label("An answer that was sent was wrong or out of date").check()
    press(page, "Record what I did")
    page.get_by_label("Referred to children's social care").check()
    press(page, "Record a correction")
    recorded = page.locator("#response ~ ol li").all_inner_texts()
    assert len(recorded) == 2
    assert "Decided otherwise than the prompt" in recorded[0]
    assert "Corrected later" in recorded[0]
    assert "Referred to children's social care" in recorded[1]


def test_sending_the_form_twice_makes_one_screening(site, practitioner):
    page = practitioner
    page.goto("/screen/gp")
    page.get_by_label("Your own reference for this case").fill("case-7003")
    form = page.locator("main form").evaluate("form => Object.fromEntries(new FormData(form))")
    send = {"form": form, "max_redirects": 0, "headers": {"Origin": site.address}}
    first = page.request.post(f"{site.address}/screen/gp", **send)
    second = page.request.post(f"{site.address}/screen/gp", **send)
    assert first.status == second.status == 303
    assert first.headers["location"] == second.headers["location"]


def test_another_practitioner_does_not_see_it(site, practitioner, browser):
    page = site.screen(practitioner, UNBORN, reference="case-7004")
    other = browser.new_context(base_url=site.address).new_page()
    site.sign_in(other, site.second_practitioner)
    response = other.goto(page.url)
    assert response.status == 404
    assert "not for this key" in other.locator("main").inner_text()
    other.context.close()
