"""The words of the pages: plain English, no cause, no certainty, no blame; and every sentence is used."""

from __future__ import annotations

import re
import tomllib
from pathlib import Path

import pytest

from service.words.plain_english import banned_phrase
from service.words.reading_age import reading_age
from service.words.topics import FOLDER, Topic, WordsMissing, topic, topics

ROOT = Path(__file__).parents[3]
MODEL_WORDS = ROOT / "model" / "words.toml"


def sentences(words, name=""):
    if isinstance(words, dict):
        for key, value in words.items():
            yield from sentences(value, f"{name}.{key}")
    elif isinstance(words, list):
        for place, value in enumerate(words):
            yield from sentences(value, f"{name}[{place}]")
    elif isinstance(words, str):
        yield name, words


FILES = [MODEL_WORDS, *sorted(FOLDER.glob("*.toml"))]
ALL = [(file.stem, *one) for file in FILES for one in sentences(tomllib.loads(file.read_text(encoding="utf-8")))]


@pytest.mark.parametrize(("file", "name", "text"), ALL, ids=[f"{file}{name}" for file, name, _ in ALL])
def test_no_cause_no_certainty_no_blame(file, name, text):
    assert banned_phrase(text) is None, f"{file}{name}: {banned_phrase(text)!r}"


@pytest.mark.parametrize("file", FILES, ids=lambda path: path.stem)
def test_a_topic_reads_at_about_twelve(file):
    text = [words for _, words in sentences(tomllib.loads(file.read_text(encoding="utf-8")))]
    whole = " ".join(words if words.rstrip()[-1:] in ".?!:" else f"{words}." for words in text if " " in words)
    assert reading_age(whole) <= 13


def test_every_sentence_of_a_page_is_used():
    used = "".join(
        path.read_text(encoding="utf-8")
        for folder in ("service", "model")
        for path in sorted((ROOT / folder).rglob("*"))
        if path.suffix in (".py", ".html") and "node_modules" not in path.parts
    )
    looked_up_by_code = (
        "navigation",
        "roles",
        "level",
        "action",
        "home",
        "about",
        "kind",
        "checks",
        "looked_at",
        "field",
    )
    for name in topics():
        for key, _ in sentences(tomllib.loads((FOLDER / f"{name}.toml").read_text(encoding="utf-8"))):
            last = re.sub(r"\[\d+\]", "", key).split(".")[-1]
            if not any(part in (name, *key.split(".")) for part in looked_up_by_code):
                assert re.search(rf"\b{last}\b", used), f"service/words/{name}.toml{key} is used nowhere"


def test_a_missing_sentence_is_an_error_and_no_blank():
    words = Topic("test", {"there": "Yes.", "inner": {"there": "Yes."}})
    assert words.there == words.inner["there"] == "Yes."
    for look in (lambda: words.gone, lambda: words["gone"], lambda: words.inner.gone, lambda: topic("no_such_topic")):
        with pytest.raises(WordsMissing, match=r"missing|cannot be read"):
            look()
