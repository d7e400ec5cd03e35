"""Grounds for a referral that hold whatever the score: which are met, and which hang on one answer."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from operator import itemgetter
from typing import NamedTuple

from model.case import Case
from model.condition import answers_that_meet, operands
from model.dictionary import Dictionary, Ground, Value

REMEMBERED = 4096
"""Combinations of answers kept in mind for each ground; few grounds ask for more than a dozen different ones."""


class UndecidedGround(NamedTuple):
    """A ground that would be met if the answers to `features`, which are not known, were of the one kind."""

    ground: Ground
    features: tuple[str, ...]


Found = Ground | UndecidedGround | None
"""What a ground's few answers make of it: met (itself), undecided, or neither."""


class Grounds(NamedTuple):
    """The grounds of a case, in dictionary order."""

    met: tuple[Ground, ...]
    undecided: tuple[UndecidedGround, ...]


class GroundRules:
    """The grounds of a dictionary, ready to be asked of many cases. Safe to share between threads.

    A ground asks a handful of features, so the same few answers come again and again: what they make of the ground is
    remembered, by those answers alone and apart from any case.
    """

    def __init__(self, dictionary: Dictionary) -> None:
        self._limit = dictionary.policy.ground_answers
        self._rules = [(ground, _asked(ground), dict[tuple[Value, ...], Found]()) for ground in dictionary.grounds]

    def find(self, case: Case) -> Grounds:
        """Evaluates every ground in three-valued logic.

        A ground is undecided when at most `policy.ground_answers` answers that are not known could make it met. With
        the shipped policy of one, a ground is undecided exactly when a single answer would decide it.
        """
        met: list[Ground] = []
        undecided: list[UndecidedGround] = []
        values = case.values
        for ground, asked, remembered in self._rules:
            seen = asked(values)
            try:
                found = remembered[seen]
            except KeyError:
                found = self._look(ground, values)
                if len(remembered) >= REMEMBERED:
                    remembered.clear()
                remembered[seen] = found
            if isinstance(found, UndecidedGround):
                undecided.append(found)
            elif found is not None:
                met.append(found)
        return Grounds(tuple(met), tuple(undecided))

    def _look(self, ground: Ground, values: Mapping[str, Value]) -> Found:
        answers = answers_that_meet(ground.when, values)
        if answers == ():
            return ground
        return None if answers is None or len(answers) > self._limit else UndecidedGround(ground, answers)


def find_grounds(dictionary: Dictionary, case: Case) -> Grounds:
    """The grounds of one case; `GroundRules` is for many."""
    return GroundRules(dictionary).find(case)


def _asked(ground: Ground) -> Callable[[Mapping[str, Value]], tuple[Value, ...]]:
    features = list(dict.fromkeys(operand.feature for operand in operands(ground.when)))
    # With one name alone itemgetter would give the value and not a tuple of it.
    return itemgetter(*features) if len(features) > 1 else itemgetter(*features * 2)
