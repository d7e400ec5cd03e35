"""The best that answers to several questions could come to, where the questions hang together in pairs.

A sum of tables of one question and of two is made largest (or smallest) by eliminating one question after the other:
its best answer is found for every combination of answers of those that it hangs together with (Bertele and Brioschi
1972, *Nonserial Dynamic Programming*, chapter 2). Exact, and far less than trying every combination of everything.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping, Sequence
from itertools import product
from typing import Any, NamedTuple

Answers = tuple[int, ...]


class Factor(NamedTuple):
    """A table over the answers of some questions: `values` by their answers, in the order of `questions`."""

    questions: tuple[int, ...]
    values: Mapping[Answers, Any]


def best_of(
    order: Iterable[int],
    factors: Sequence[Factor],
    join: Callable[[Any, Any], Any],
    best: Callable[[list[Any]], Any],
) -> list[Any]:
    """The best join of one value out of every factor, all for the same answers: one for each lot of questions that
    hang together, to be joined as they are.

    `order` names every question, in the order of elimination, and each has a factor of its own alone. `join` adds two
    values, `best` picks among several for different answers to one question; picking must survive adding (as `max`
    does), and both may be of any kind of value.
    """
    left, whole = list(factors), list[Factor]()
    for question in order:
        touched = [factor for factor in left if question in factor.questions]
        left = [factor for factor in left if question not in factor.questions]
        found = _eliminated(question, touched, join, best)
        (left if found.questions else whole).append(found)
    return [factor.values[()] for factor in whole]


def _eliminated(
    question: int, factors: Sequence[Factor], join: Callable[[Any, Any], Any], best: Callable[[list[Any]], Any]
) -> Factor:
    around = sorted({other for factor in factors for other in factor.questions} - {question})
    answers = {one: sorted({key[place] for key in f.values}) for f in factors for place, one in enumerate(f.questions)}
    places = {one: place for place, one in enumerate((*around, question))}
    wanted = [([places[one] for one in factor.questions], factor.values) for factor in factors]
    values: dict[Answers, Any] = {}
    for others in product(*(answers[one] for one in around)):
        choices = []
        for answer in answers[question]:
            given = (*others, answer)
            (at, table), *rest = wanted
            total = table[tuple([given[place] for place in at])]
            for at, table in rest:
                total = join(total, table[tuple([given[place] for place in at])])
            choices.append(total)
        values[others] = best(choices)
    return Factor(tuple(around), values)
