"""Checks a vignette's words: nobody identified, no cause, no blame, no certainty, plain English, short.

Hindsight makes what happened look as if it could have been foreseen (Fischhoff 1975), so words that say so are refused
too, and what might have been otherwise must be worded as a hypothesis.
"""

from __future__ import annotations

import re
from collections.abc import Iterator

from model.identifiers import identifier_kind
from service.learning.vignette import Vignette
from service.words.plain_english import banned_phrase
from service.words.reading_age import reading_age

READING_AGE = 12.5
"""Years, by Flesch-Kincaid: about twelve."""
STORY_WORDS = (80, 320)
"""Words of the story: two minutes' reading at most."""

REWORD = (
    (r"\b(did|does|do|would|will) not engage\b|\bnon[- ]?(engag|complian)\w*|\bhard[- ]to[- ]reach\b|\brefused to\b|"
     r"\b(did|does) not (attend|bother|care)\b|\bDNAs?\b",
     "it blames a family; say what happened, for instance: was not brought, said no to"),
    (r"\b(ought to have|must have|obvious(ly)?|clearly|of course|in hindsight|warning signs?|red flags?|ignored|"
     r"overlooked|missed (the )?(chance|opportunity|signs?)|negligent|careless|incompetent|would have)\b",
     "it judges with hindsight; say what was known and what was not"),
    (r"\b(bad|poor|unfit) (mother|father|parent)\w*|\b(lied|lying|manipulative|perpetrator|abuser|addict|junkie)\b",
     "it labels a person; say what was seen or recorded"),
    (r"\b(is|are|was|were|be|been|seems?|seemed|looks?|looked|feels?|felt|keeps?|kept)"
     r"( \w+)?( (quite|perfectly|now|still|very))? safe\b|\bno (concern|danger|worr)\w*",
     "nobody can find that; say what was asked and what came back"),
    (r"\b(always|never|everyone|nobody ever) (knows?|knew|hurts?|harms?)\b|"
     r"\b(surely|undoubtedly|no doubt|inevitabl\w+)",
     "it is too sure; say may, might or could"),
)  # fmt: skip
"""Patterns with the reason and the fix; what all words of Grounds must keep to comes on top."""
_REWORD = tuple((re.compile(pattern, re.IGNORECASE), fix) for pattern, fix in REWORD)

_SENTENCE = re.compile(r"(?<=[.?!])\s+")
_HYPOTHESIS = re.compile(r"\b(might|may|could|perhaps|cannot be known|nobody can know)\b", re.IGNORECASE)
_CAPITAL = re.compile(r"(?<![.?!:;] )(?<!^)(?<![A-Za-z'’\"“‘(-])[A-Z][a-z]+")
_NOT_NAMES = frozenset({
    "Monday", "Tuesday", "Wednesday", "Thursday", "Friday", "Saturday", "Sunday", "January", "February", "March",
    "April", "May", "June", "July", "August", "September", "October", "November", "December", "Christmas", "Easter",
    "English", "Grounds",
})  # fmt: skip


def language_faults(vignette: Vignette) -> Iterator[str]:
    """One line a fault: key, fix."""
    told = dict(_told(vignette))
    for key, text in told.items():
        if kind := identifier_kind(text):
            yield f"{key}: looks like {kind}; take it out, no vignette identifies anybody"
        if name := _name(text):
            yield f"{key}: {name!r} may be a name; say who it is by role, for instance: the mother, her partner"
    for key, text in {**told, **dict(_cited(vignette))}.items():
        if phrase := banned_phrase(text):
            yield f"{key}: {phrase!r} says too much; word it without cause, blame or certainty"
        for pattern, fix in _REWORD:
            if found := pattern.search(text):
                yield f"{key}: {found[0]!r}: {fix}"
    for sentence in _SENTENCE.split(vignette.hindsight.counterfactual.strip()):
        if not _HYPOTHESIS.search(sentence):
            yield f"hindsight.counterfactual: {sentence!r} is no hypothesis; say might, may, could or nobody can know"
    words = sum(len(paragraph.split()) for paragraph in vignette.story)
    if not STORY_WORDS[0] <= words <= STORY_WORDS[1]:
        yield f"story: {words} words; write {STORY_WORDS[0]} to {STORY_WORDS[1]}"
    age = vignette_reading_age(vignette)
    if age > READING_AGE:
        yield f"reading age: {age:.1f} years; write shorter sentences and words, for {READING_AGE} or less"


def vignette_reading_age(vignette: Vignette) -> float:
    """Years (Flesch-Kincaid grade plus five) of all that the reader is told, sources left out."""
    return reading_age(" ".join(_ended(text) for _, text in _told(vignette)))


def _ended(text: str) -> str:
    return text if text.rstrip()[-1:] in ".?!:" else f"{text}."


def _told(vignette: Vignette) -> Iterator[tuple[str, str]]:
    """Every text of the story's own, by key."""
    yield "title", vignette.title
    yield "theme", vignette.theme
    yield "reader.role", vignette.role
    for key, texts in (("story", vignette.story), ("hindsight.story", vignette.hindsight.story)):
        yield from ((f"{key}[{number}]", text) for number, text in enumerate(texts, 1))
    yield "hindsight.counterfactual", vignette.hindsight.counterfactual
    for number, known in enumerate(vignette.known, 1):
        yield f"agency[{number}].words", known.words
    for number, choice in enumerate(vignette.choices, 1):
        yield f"choice[{number}].text", choice.text
        yield f"choice[{number}].feedback", choice.feedback
    for number, ask in enumerate(vignette.asks, 1):
        yield f"ask[{number}].text", ask.text
        yield f"ask[{number}].answer", ask.answer
    for number, point in enumerate(vignette.points, 1):
        yield f"point[{number}].text", point.text
    yield from ((f"discussion[{number}]", text) for number, text in enumerate(vignette.discussion, 1))


def _cited(vignette: Vignette) -> Iterator[tuple[str, str]]:
    """Titles and names of published sources, in which capitals are no sign of a person."""
    yield "source", vignette.source
    yield "synthetic_case", vignette.synthetic_case
    for number, point in enumerate(vignette.points, 1):
        yield f"point[{number}].guidance", point.guidance


def _name(text: str) -> str | None:
    """A capitalised word inside a sentence that is no day, month or short form: perhaps the name of a person."""
    return next((found[0] for found in _CAPITAL.finditer(text) if found[0] not in _NOT_NAMES), None)
