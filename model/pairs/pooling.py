"""Which of two answers is the riskier where that hangs on other answers: a level, or that the question does not apply.

Levels have an order, and pairs keep to it whatever the partners say (`model.pairs.promises`). *Not applicable* has no
place in that order: beside one answer of a partner it may be the riskier, beside another not. So where agencies differ
on it, and the feature is in a pair, all such answers of a case are chosen together, and exactly.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import NamedTuple

from model.additive import AdditiveModel
from model.pairs.completions import Factor, best_of

LEVEL, DOES_NOT_APPLY = 0, 1


class _Choice(NamedTuple):
    """What choices come to in log-odds, and the features (positions) whose level was chosen."""

    margin: float
    levels: tuple[int, ...] = ()


def riskier_levels(
    model: AdditiveModel, slots: Mapping[int, int], either: Mapping[int, tuple[int, int]]
) -> tuple[int, ...]:
    """The features, of those in `either`, whose level counts for the highest score; of the others the state counts.

    By position: `slots` of the features that are settled, and in `either` the slots of the level and of *not
    applicable*. Where both come to the same, levels count.
    """
    factors = [Factor((place,), dict(_own(model, slots, place, both))) for place, both in either.items()]
    joined = [pair for pair in model.pairs if pair.first in either and pair.second in either]
    for pair in joined:
        values: dict[tuple[int, ...], _Choice] = {
            (a, b): _Choice(pair.cells[pair.row_starts[s] + pair.groups[1][t]])
            for a, s in enumerate(either[pair.first])
            for b, t in enumerate(either[pair.second])
        }
        factors.append(Factor((pair.first, pair.second), values))
    order = [place for place in model.elimination_order if place in either]
    return tuple(place for lot in best_of(order, factors, _add, _riskier) for place in lot.levels)


def _own(
    model: AdditiveModel, settled: Mapping[int, int], place: int, both: tuple[int, int]
) -> list[tuple[tuple[int], _Choice]]:
    """What each of the two answers of a feature comes to, with the partners that are settled."""
    pairs = [pair for pair in model.pairs if place in (pair.first, pair.second) and pair.other(place) in settled]
    found = []
    for answer, slot in ((LEVEL, both[LEVEL]), (DOES_NOT_APPLY, both[DOES_NOT_APPLY])):
        slots = {**settled, place: slot}
        margin = model.terms[place].table[slot] + sum(
            pair.cells[pair.row_starts[slots[pair.first]] + pair.groups[1][slots[pair.second]]] for pair in pairs
        )
        found.append(((answer,), _Choice(margin, (place,) if answer == LEVEL else ())))
    return found


def _add(one: _Choice, other: _Choice) -> _Choice:
    return _Choice(one.margin + other.margin, (*one.levels, *other.levels))


def _riskier(choices: Sequence[_Choice]) -> _Choice:
    return max(choices, key=lambda choice: (choice.margin, len(choice.levels)))
