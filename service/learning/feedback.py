"""What a lesson has to say about, chosen from what it shows: topics in a fixed order, and never a mark."""

from __future__ import annotations

from dataclasses import dataclass, field

from model.condition import NOT_KNOWN
from model.dictionary import Dictionary
from model.prompt import LEVELS
from service.learning.lesson import Lesson, View

NOT_KNOWN_TOPIC = "not_known_is_not_safe"
SECOND_PARENT = "second_parent"
OTHER_ADULT = "other_adult"
ONE_AGENCY = "one_agencys_view"
CONFLICT = "records_differ"
SETTLED = "asking_settled"

ABOUT = {SECOND_PARENT: "second_parent_", OTHER_ADULT: "other_adult_"}
"""Topics about a person of the household, and how the names of the questions about that person begin."""


@dataclass(frozen=True, slots=True)
class Remark:
    """A topic of feedback; `tone` picks the sentence, `numbers` and levels fill it in."""

    topic: str
    tone: str
    numbers: dict[str, int | str] = field(default_factory=dict)


def remarks(lesson: Lesson, dictionary: Dictionary) -> tuple[Remark, ...]:
    """What to say about a lesson."""
    found = [_not_known(lesson)]
    found += [remark for topic in ABOUT for remark in _person(lesson, topic, dictionary)]
    found += [*_one_agency(lesson), *_conflict(lesson), *_settled(lesson)]
    return tuple(found)


def _not_known(lesson: Lesson) -> Remark:
    numbers = {"count": len(lesson.own.answer["not_known"]), "asked": sum(asked.chosen for asked in lesson.asked)}
    return Remark(NOT_KNOWN_TOPIC, "asked" if numbers["asked"] else "not_asked", dict(numbers))


def _person(lesson: Lesson, topic: str, dictionary: Dictionary) -> list[Remark]:
    """About somebody of whom the reader's agency knew nothing, or less than all; none where all was known."""
    questions = [f.name for f in dictionary.features if f.name.startswith(ABOUT[topic])]
    unknown = [name for name in questions if lesson.own.features.get(name, NOT_KNOWN) == NOT_KNOWN]
    offered = [asked for asked in lesson.asked if asked.ask.feature in questions]
    if not unknown or not offered:
        return []
    tone = "asked" if any(asked.chosen for asked in offered) else "not_asked"
    return [Remark(topic, tone, {"count": len(unknown), "of": len(questions)})]


def _one_agency(lesson: Lesson) -> list[Remark]:
    if len(lesson.alone) < 2:
        return []
    more = len(lesson.pooled.features) - len(lesson.own.features)
    tone = "differs" if lesson.own.level != lesson.pooled.level else "same"
    return [Remark(ONE_AGENCY, tone, {"own": lesson.own.level, "pooled": lesson.pooled.level, "more": more})]


def _conflict(lesson: Lesson) -> list[Remark]:
    return [Remark(CONFLICT, "differ", {"count": len(lesson.conflicts)})] if lesson.conflicts else []


def _settled(lesson: Lesson) -> list[Remark]:
    """Where every answer together leads to less of a prompt than the reader's agency had: asking can settle a worry."""
    if _urgency(lesson.full) <= _urgency(lesson.own):
        return []
    return [Remark(SETTLED, "less", {"own": lesson.own.level, "full": lesson.full.level})]


def _urgency(view: View) -> int:
    return LEVELS.index(view.level)
