"""The questions of the form, made from the dictionary: grouped by who is likely to hold the answer."""

from __future__ import annotations

from dataclasses import dataclass

from model.case import bounds
from model.dictionary import NOT_APPLICABLE, NOT_KNOWN, Dictionary, Feature


@dataclass(frozen=True, slots=True)
class Question:
    """One question. It rests at *not known*: the first of its `choices`, or for a number an empty field.

    A number has no choices; `apart` is the state that can be ticked instead of giving it, where there is one.
    """

    feature: Feature
    choices: tuple[str, ...]
    apart: str | None
    holders: tuple[str, ...]
    low: float | None
    high: float | None
    agency: str = ""
    """Of whom it is asked, where one form asks several agencies."""

    @property
    def name(self) -> str:
        """The name of its field."""
        return f"{self.agency}.{self.feature.name}" if self.agency else self.feature.name

    @property
    def apart_name(self) -> str:
        """The name of the box that says that a number does not apply."""
        return f"{self.name}-apart"


@dataclass(frozen=True, slots=True)
class Group:
    """Questions whose answers one agency is likely to hold. `own`: it is the agency that asks."""

    agency: str
    label: str
    own: bool
    questions: tuple[Question, ...]


def question_groups(dictionary: Dictionary, agency: str) -> tuple[Group, ...]:
    """Every question of the dictionary once: what `agency` may hold first, then by the first agency that may."""
    order = [agency, *(a.id for a in dictionary.agencies if a.id != agency)]
    grouped: dict[str, list[Question]] = {name: [] for name in order}
    grouped[""] = []
    for feature in dictionary.features:
        holder = agency if agency in feature.held_by else next(iter(feature.held_by), "")
        grouped[holder].append(_question(dictionary, feature))
    labels = {a.id: a.label for a in dictionary.agencies}
    return tuple(
        Group(name, labels.get(name, ""), name == agency, tuple(questions))
        for name, questions in grouped.items()
        if questions
    )


def questions_of(dictionary: Dictionary, agency: str) -> Group:
    """What one agency of several is asked: the questions whose answers it may hold."""
    held = [feature for feature in dictionary.features if agency in feature.held_by]
    questions = tuple(_question(dictionary, feature, agency) for feature in held)
    return Group(agency, dictionary.agency_label(agency), True, questions)


def _question(dictionary: Dictionary, feature: Feature, agency: str = "") -> Question:
    apart = NOT_APPLICABLE if feature.not_applicable else None
    choices = () if feature.is_numeric else (NOT_KNOWN, *feature.levels, *((apart,) if apart else ()))
    low, high = bounds(feature) if feature.is_numeric else (None, None)
    holders = tuple(dictionary.agency_label(holder) for holder in feature.held_by)
    return Question(feature, choices, apart if feature.is_numeric else None, holders, low, high, agency)
