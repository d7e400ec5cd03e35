"""Grounds for a referral that hold whatever the score: which are met, and which hang on one answer."""

from __future__ import annotations

from dataclasses import dataclass

from model.case import Case
from model.condition import answers_that_meet
from model.dictionary import Dictionary, Ground


@dataclass(frozen=True, slots=True)
class UndecidedGround:
    """A ground that would be met if the answers to `features`, which are not known, were of the one kind."""

    ground: Ground
    features: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class Grounds:
    """The grounds of a case, in dictionary order."""

    met: tuple[Ground, ...]
    undecided: tuple[UndecidedGround, ...]


def find_grounds(dictionary: Dictionary, case: Case) -> Grounds:
    """Evaluates every ground in three-valued logic.

    A ground is undecided when at most `policy.ground_answers` answers that are not known could make it met. With the
    shipped policy of one, a ground is undecided exactly when a single answer would decide it.
    """
    met, undecided = [], []
    for ground in dictionary.grounds:
        answers = answers_that_meet(ground.when, case.values)
        if answers == ():
            met.append(ground)
        elif answers is not None and len(answers) <= dictionary.policy.ground_answers:
            undecided.append(UndecidedGround(ground, answers))
    return Grounds(tuple(met), tuple(undecided))
