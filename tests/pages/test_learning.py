"""A learner in a real browser: a story, a choice, a lesson, and progress that stays in the browser."""

from __future__ import annotations

import pytest

from tests.pages.browser import press, violations
from tests.pages.site import serving
from tests.service.learning.conftest import VIGNETTES
from tests.service.learning.conftest import vignette_file as vignette_file

TITLE = VIGNETTES["half-a-picture"].title


def learn(page, choice="Nothing stands out today", ask="Ask the mother who the father is"):
    page.goto("/learn")
    press(page, TITLE, role="link")
    page.get_by_label(choice).check()
    if ask:
        page.get_by_label(ask).check()
    with page.expect_navigation():  # until the lesson's script has run
        page.get_by_role("button", name="Show the lesson").click()
    return page


def test_the_reader_speaks_first_and_then_sees_grounds_gaps_parts_and_hindsight(site, page):
    before = site.log.size()
    page.goto("/learn/half-a-picture")
    story = page.locator("main").inner_text()
    for later in ("He lives with her and works nights", "very unwell", "Consider a referral now", "Log-odds"):
        assert later not in story
    learn(page)
    assert page.locator("h1").inner_text() == f"Lesson: {TITLE}"
    headings = page.locator("h2").all_inner_texts()
    wanted = [
        "What you chose", "What you asked", "What the service shows with what you knew", "Grounds for a referral",
        "What is not known, and who may know", "What the score is made of", "What each agency knew",
        "What was found out later", "Things to think about", "To talk about in a group",
    ]  # fmt: skip
    assert [heading for heading in headings if heading in wanted] == wanted
    row = page.get_by_role("row", name="Ask the mother who the father is")
    assert "Asked" in row.inner_text()
    assert "He lives with her and works nights" in row.inner_text()
    pooled = page.get_by_role("row", name="All together", exact=False).first
    assert "Consider a referral" in pooled.inner_text()
    assert "Nobody can know whether that night might have been different" in page.locator("main").inner_text()
    assert "You asked about the second parent" in page.locator("main").inner_text()
    assert site.log.size() == before
    assert page.context.cookies() == []


def test_who_chose_nothing_is_told_what_to_do_and_keeps_what_was_ticked(page):
    page.goto("/learn/half-a-picture")
    page.get_by_label("Ask the mother who the father is").check()
    press(page, "Show the lesson")
    assert page.title().startswith("Error: ")
    assert page.get_by_label("Ask the mother who the father is").is_checked()
    page.get_by_role("link", name="Choose what you might do").click()
    assert page.evaluate("document.activeElement.name") == "do"


def test_progress_stays_in_the_browser_and_can_be_forgotten(page):
    page.goto("/learn")
    assert not page.get_by_role("heading", name="Your progress").is_visible()
    learn(page)
    page.goto("/learn")
    read = page.locator("[data-case]", has_text=TITLE)
    assert read.get_by_text("Read", exact=True).is_visible()
    assert page.get_by_text("Read", exact=True).locator("visible=true").count() == 1
    assert f"You have read 1 of {len(VIGNETTES)}." in page.locator("main").inner_text()
    assert violations(page) == []
    page.get_by_role("button", name="Forget my progress").click()
    assert page.get_by_role("status").inner_text() == "Your progress is forgotten."
    assert not read.get_by_text("Read", exact=True).is_visible()
    assert page.evaluate("localStorage.length") == 0


def test_what_lies_in_the_storage_may_be_anything(page):
    page.goto("/learn")
    for kept in ("no json {", '{"a": 1}', '["no-such-case", 7]'):
        page.evaluate("kept => localStorage.setItem('grounds.learning.read', kept)", kept)
        page.reload()
        assert not page.get_by_role("heading", name="Your progress").is_visible()
    learn(page)
    page.goto("/learn")
    assert page.get_by_role("heading", name="Your progress").is_visible()


@pytest.mark.parametrize("code", VIGNETTES)
def test_every_lesson_fits_a_phone_and_passes_axe(page, code):
    page.set_viewport_size({"width": 320, "height": 640})
    page.goto(f"/learn/{code}")
    for name in ("do", "ask"):
        page.locator(f'input[name="{name}"]').last.check()
    press(page, "Show the lesson")
    assert page.locator("h1").inner_text() == f"Lesson: {VIGNETTES[code].title}"
    assert not page.evaluate("document.documentElement.scrollWidth > document.documentElement.clientWidth")
    assert violations(page) == []


class TestWithoutJavaScript:
    @pytest.fixture
    def context_options(self):
        return {"java_script_enabled": False}

    def test_a_lesson_is_whole_and_no_progress_is_shown(self, page):
        learn(page, ask=None)
        assert page.locator("h1").inner_text() == f"Lesson: {TITLE}"
        page.goto("/learn")
        assert not page.get_by_role("button", name="Forget my progress").is_visible()


def test_a_printed_story_holds_the_choices_and_questions(page):
    page.goto("/learn/half-a-picture")
    page.emulate_media(media="print")
    printed = page.locator("main").inner_text()
    vignette = VIGNETTES["half-a-picture"]
    assert all(choice.text in printed for choice in vignette.choices)
    assert all(ask.text in printed for ask in vignette.asks)
    assert page.get_by_role("button").locator("visible=true").count() == 0


def test_a_facilitators_own_case_is_shown_and_one_with_faults_is_left_out(vignette_file, tmp_path_factory, browser):
    own = vignette_file('code = "half-a-picture"', 'code = "our-own"', name="our-own")
    own.write_text(own.read_text(encoding="utf-8").replace(TITLE, "Our own case"), encoding="utf-8")
    vignette_file("mother_age_years", "mother_age", name="with-faults")
    with serving(tmp_path_factory.mktemp("own"), vignettes=own.parent) as site:
        page = browser.new_page(base_url=site.address)
        page.goto("/learn")
        assert page.locator("[data-case]").count() == len(VIGNETTES) + 1
        assert "Some training cases are left out" in page.locator("main").inner_text()
        press(page, "Our own case", role="link")
        assert page.locator("h1").inner_text() == "Our own case"
        page.close()
