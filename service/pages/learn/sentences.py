"""What a lesson shows, put into the words of `service/words/learning.toml`."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass

from model.additive import AdditiveModel
from model.condition import NOT_KNOWN
from model.dictionary import Dictionary
from model.wording import value_words
from service.learning.feedback import Remark
from service.learning.lesson import Asked, Lesson
from service.learning.vignette import Vignette
from service.words.topics import topic

LEVELS_IN_TEXT = ("own", "pooled", "full")
"""What of a remark's numbers is the code of a level."""


@dataclass(frozen=True, slots=True)
class AskedRow:
    """One question: what it asks, of whom, whether the reader asked it, what came back and what that did."""

    text: str
    agency: str
    chosen: bool
    answer: str
    effect: str


@dataclass(frozen=True, slots=True)
class Thought:
    """One topic of feedback, as it is read."""

    title: str
    text: str


def level_words(level: str) -> str:
    """A level as a heading says it: `Ask for what is not known`."""
    words: str = topic("result").prompt.level[level]
    return words


def answer_rows(vignette: Vignette, model: AdditiveModel) -> list[tuple[str, str]]:
    """What the reader's own agency has on record: question and answer in words."""
    features = ((model.dictionary.feature(name), value) for name, value in vignette.own().features.items())
    return [(feature.label, value_words(model, feature, value)) for feature, value in features]


def asked_rows(lesson: Lesson, dictionary: Dictionary) -> list[AskedRow]:
    """What could be asked, in the order of the vignette."""
    return [
        AskedRow(
            text=asked.ask.text,
            agency=dictionary.agency_label(asked.ask.agency),
            chosen=asked.chosen,
            answer=asked.ask.answer,
            effect=_effect(asked, lesson.own.level),
        )
        for asked in lesson.asked
    ]


def _effect(asked: Asked, before: str) -> str:
    words = topic("learning").effect
    if asked.level != before:
        return str(words.changed.format(level=level_words(asked.level)))
    if asked.ask.found == NOT_KNOWN:
        return str(words.same_unknown)
    if asked.could_change:
        return str(words.could)
    return str(words.first if asked.first else words.adds)


def conflict_lines(lesson: Lesson, model: AdditiveModel) -> list[str]:
    """One sentence for each question to which agencies gave different answers."""
    words = topic("learning").lesson
    return [
        words.conflict.format(
            label=model.dictionary.feature(conflict.feature).label,
            answers=", ".join(
                words.said.format(
                    agency=model.dictionary.agency_label(agency),
                    value=value_words(model, model.dictionary.feature(conflict.feature), value),
                )
                for agency, value in conflict.given
            ),
            counted=value_words(model, model.dictionary.feature(conflict.feature), conflict.counted),
        )
        for conflict in lesson.conflicts
    ]


def thoughts(remarks: Iterable[Remark]) -> list[Thought]:
    """The feedback in words."""
    return [_thought(remark) for remark in remarks]


def _thought(remark: Remark) -> Thought:
    words = topic("learning").topics[remark.topic]
    filled = {
        name: level_words(str(value)) if name in LEVELS_IN_TEXT else value for name, value in remark.numbers.items()
    }
    return Thought(words.title, words[remark.tone].format(**filled))
