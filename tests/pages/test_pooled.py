"""The pooled view in the browser: the picture of the review, clear at a glance."""

from __future__ import annotations

from tests.pages.browser import press
from tests.pages.site import THE_REVIEW


def test_the_picture_shows_only_together(site, practitioner):
    page = site.pool(practitioner, {name: THE_REVIEW[name] for name in ("health_visiting", "gp")})
    rows = page.locator("main table").first.locator("tbody tr").all_inner_texts()
    assert ["Ask for what is not known" in row for row in rows] == [True, True, False]
    assert "All together" in rows[2]
    assert "Consider a referral" in rows[2]
    text = page.locator("main").inner_text()
    assert "Each of these facts made the difference" in text
    assert "history of mental ill health: yes (known to General practice)" in text


def test_where_agencies_differ_is_shown_with_the_answer_that_counts(site, practitioner):
    page = site.pool(practitioner, THE_REVIEW)
    text = page.locator("main").inner_text()
    assert "Where agencies differ" in text
    assert "General practice says yes; Midwifery says no" in text
    assert "The more worrying answer counts: yes" in text


def test_one_agency_is_nothing_to_pool(site, practitioner):
    page = practitioner
    page.goto("/pooled")
    page.get_by_label("Police").check()
    press(page, "Continue")
    assert "Choose two agencies or more" in page.locator(".govuk-error-summary").inner_text()
    assert page.get_by_label("Police").is_checked()


def test_errors_name_the_agency_and_keep_what_was_typed(site, practitioner):
    page = practitioner
    page.goto("/pooled?agency=gp&agency=health_visiting")
    page.get_by_label("Your own reference for this case").fill("case-0007")
    page.locator('[name="gp.mother_age_years"]').fill("999")
    page.locator('[name="health_visiting.mother_age_years"]').fill("old")
    press(page, "See it together")
    summary = page.locator(".govuk-error-summary")
    assert "(Health visiting)" in summary.inner_text()
    assert "(General practice)" in summary.inner_text()
    assert page.locator('[name="gp.mother_age_years"]').input_value() == "999"


def test_an_agency_is_asked_only_what_it_may_hold(site, practitioner):
    page = practitioner
    page.goto("/pooled?agency=housing&agency=police")
    dictionary = site.released.model.dictionary
    for agency in ("housing", "police"):
        asked = {f.name for f in dictionary.features if page.locator(f'[name="{agency}.{f.name}"]').count()}
        assert asked == {f.name for f in dictionary.features if agency in f.held_by}


def test_without_javascript_it_is_the_same(site, browser):
    context = browser.new_context(base_url=site.address, java_script_enabled=False)
    page = site.sign_in(context.new_page(), site.practitioner)
    site.pool(page, THE_REVIEW)
    assert "All together" in page.locator("main table").first.inner_text()
    context.close()
