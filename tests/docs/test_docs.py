"""What the documents say is held true."""

import re
from pathlib import Path

import pytest

from model.dictionary import shipped_dictionary
from training.artefact import shipped_words

ROOT = Path(__file__).parents[2]
PAGES = sorted([*ROOT.glob("*.md"), *ROOT.glob("docs/**/*.md"), *ROOT.glob("training/examples/**/*.md")])


def targets():
    return set(re.findall(r"^([a-z]+):", (ROOT / "Makefile").read_text(), re.MULTILINE))


@pytest.mark.parametrize("page", PAGES, ids=lambda page: str(page.relative_to(ROOT)))
def test_every_make_target_and_link_exists(page):
    text = page.read_text(encoding="utf-8")
    for target in re.findall(r"(?:^    |`)make ([a-z]+)\b", text, re.MULTILINE):
        assert target in targets(), target
    for link in re.findall(r"\]\(([^)#]+)\)", text):
        assert (page.parent / link).exists(), link
    for path in re.findall(r"`((?:model|service|training|tests|docs|benchmarks)/[\w./-]+)`", text):
        assert (ROOT / path).exists(), path


def test_the_worked_case_shows_the_words_that_are_really_shown():
    page = (ROOT / "docs/worked-case.md").read_text(encoding="utf-8")
    ground = next(g for g in shipped_dictionary().grounds if g.code == "mental_ill_health_and_baby")
    assert ground.text in page
    assert shipped_words()["prompt"]["consider_referral"] in page
    assert "synthetic" in page
    assert "hypothesis" in page


def test_the_readme_says_what_it_is_not():
    text = (ROOT / "README.md").read_text(encoding="utf-8")
    for words in ("must never be used for", "make run", "make test", "synthetic", "not the chance of harm"):
        assert words in text


def test_no_page_says_because():
    for page in PAGES:
        for line in page.read_text(encoding="utf-8").splitlines():
            assert "because" not in line.lower() or "never" in line.lower(), f"{page}: {line}"


def test_the_glossary_has_every_prompt_level():
    text = (ROOT / "GLOSSARY.md").read_text(encoding="utf-8")
    for level in ("consider_referral", "seek_information", "no_prompt"):
        assert f"`{level}`" in text
