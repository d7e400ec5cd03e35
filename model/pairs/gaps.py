"""Gaps of a model with pairs: what an answer would move depends on the other answers.

Alone, an answer moves its own table and its pairs with the others as they are. Together, the answers of features that
are not known and share a pair are chosen jointly (`model.pairs.completions`); all others are free of one another.
Every change is counted from the case as it is, so that staying not known is exactly no change.
"""

from __future__ import annotations

import math
import operator
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from functools import reduce
from typing import Any

from model.additive import AdditiveModel
from model.pairs.completions import Factor, best_of
from model.pairs.table import PairTerm

Choice = tuple[float, tuple[int, ...]]
"""A change of the margin in log-odds, and the positions of the features that are answered for it."""


@dataclass(frozen=True, slots=True)
class Moves:
    """By position of a feature that is not known: by slot, what that answer alone would move, in log-odds.

    `joint` are the pairs between two features that are not known; `order` is the features in them, as they are to be
    eliminated.
    """

    slots: tuple[int, ...]
    alone: dict[int, list[float]]
    joint: tuple[PairTerm, ...]
    order: tuple[int, ...]

    def free(self) -> list[int]:
        """The features that are not known and in no pair with another such."""
        return [place for place in self.alone if place not in self.order]


def moves(model: AdditiveModel, slots: Sequence[int]) -> Moves:
    """What the answers to all that is not known about a case would move, given its slots."""
    unknown = [place for place, term in enumerate(model.terms) if slots[place] == len(term.values)]
    return moves_of(model, unknown, slots)


def moves_of(model: AdditiveModel, unknown: Sequence[int], slots: Sequence[int]) -> Moves:
    """What the answers to the features at the positions `unknown` would move, given the slots of all.

    Slots count only of these features and of their partners in pairs.
    """
    alone = {}
    for place in unknown:
        table = model.terms[place].table
        moved = [value - table[slots[place]] for value in table]
        for pair in model.pairs:
            if place in (pair.first, pair.second):
                now = pair.cells[pair.cell(slots)]
                moved = [step + (pair.along(place, slot, slots) - now) for slot, step in enumerate(moved)]
        alone[place] = moved
    joint = tuple(pair for pair in model.pairs if pair.first in alone and pair.second in alone)
    inside = {place for pair in joint for place in (pair.first, pair.second)}
    order = tuple(place for place in model.elimination_order if place in inside)
    return Moves(tuple(slots), alone, joint, order)


def extremes(found: Moves, margin: float) -> tuple[float, float]:
    """The lowest and the highest that all answers together could bring the margin to, log-odds; rounded once."""
    lowest, highest = (math.fsum([margin, *_parts(found, pick)]) for pick in (min, max))
    return lowest, highest


def _parts(found: Moves, pick: Callable[[Any], float]) -> list[float]:
    free = [pick(found.alone[place]) for place in found.free()]
    return [*free, *joint_parts(found, pick)] if found.joint else free


def joint_parts(found: Moves, pick: Callable[[Any], float]) -> list[float]:
    """By each lot of features that hang together, all of them not known: the least (`min`) or most their answers move.

    In the order of the lots' last features in `found.order`. Lots add up, in any order.
    """
    alone = found.alone
    factors = _factors(found, lambda place, slots: pick([alone[place][slot] for slot in slots]), float)
    return best_of(found.order, factors, operator.add, pick)


def highest_by_answers(found: Moves) -> dict[int, Choice]:
    """By how many features are answered: the most that so many answers could move the margin, and which they are.

    None of the others is answered. Exact: where answers hang together they are chosen together.
    """
    alone = found.alone
    gains = sorted((-max(alone[place]), place) for place in found.free())
    free: dict[int, Choice] = {0: (0.0, ())}
    for number, (loss, place) in enumerate(gains):
        before, chosen = free[number]
        free[number + 1] = (before - loss, (*chosen, place))
    return _answered_together(joint_by_answers(found), free) if found.joint else free


def joint_by_answers(found: Moves) -> dict[int, Choice]:
    """The same of the features in joint pairs alone."""
    alone = found.alone

    def own(place: int, slots: list[int]) -> dict[int, Choice]:
        if found.slots[place] in slots:  # not known is a class of its own: no answer
            return {0: (0.0, ())}
        return {1: (max(alone[place][slot] for slot in slots), (place,))}

    factors = _factors(found, own, lambda moved: {0: (moved, ())})
    return reduce(_answered_together, best_of(found.order, factors, _answered_together, _most_by_answers))


def _answered_together(one: dict[int, Choice], other: dict[int, Choice]) -> dict[int, Choice]:
    """Choices of two sets of features that do not hang together, put together."""
    return _most_by_answers([{a + b: (x + y, (*p, *q))} for a, (x, p) in one.items() for b, (y, q) in other.items()])


def _most_by_answers(choices: list[dict[int, Choice]]) -> dict[int, Choice]:
    most: dict[int, Choice] = {}
    for choice in choices:
        for answered, one in choice.items():
            if answered not in most or one[0] > most[answered][0]:
                most[answered] = one
    return most


def _factors(found: Moves, own: Callable[[int, list[int]], Any], joined: Callable[[float], Any]) -> list[Factor]:
    """A table for each feature in a joint pair and for each joint pair, over classes of slots.

    Slots that no joint pair tells apart are one class; `own` says what a class (feature, slots) comes to.
    """
    classes = {place: _classes(found, place) for place in found.order}
    factors = [
        Factor((place,), {(number,): own(place, slots) for number, slots in enumerate(members)})
        for place, members in classes.items()
    ]
    for pair in found.joint:
        a, b = pair.first, pair.second
        rest: dict[tuple[int, ...], Any] = {
            (i, j): joined(_beyond_each_alone(pair, found.slots, s[0], t[0]))
            for i, s in enumerate(classes[a])
            for j, t in enumerate(classes[b])
        }
        factors.append(Factor((a, b), rest))
    return factors


def _classes(found: Moves, place: int) -> list[list[int]]:
    own = [pair.groups_of(place) for pair in found.joint if place in (pair.first, pair.second)]
    members: dict[tuple[int, ...], list[int]] = {}
    for slot, told in enumerate(zip(*own, strict=True)):
        members.setdefault(told, []).append(slot)
    return list(members.values())


def _beyond_each_alone(pair: PairTerm, slots: Sequence[int], s: int, t: int) -> float:
    """What answers s and t to both move a pair, less what each moves alone; nothing where either is not answered."""
    with_second = pair.cells[pair.row_starts[s] + pair.groups[1][t]] - pair.along(pair.second, t, slots)
    return with_second - (pair.along(pair.first, s, slots) - pair.cells[pair.cell(slots)])
