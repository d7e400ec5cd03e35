"""What practitioners would have been shown: the real prompt rules, case by case, on held-out cases."""

from __future__ import annotations

import math
from collections.abc import Iterator
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from model.additive import AdditiveModel
from model.case import Case
from model.dictionary import NOT_APPLICABLE, NOT_KNOWN, Feature, Value
from model.explanation import Explanation, ExplanationError, explain
from model.gaps import fewest_answers, find_gaps
from model.grounds import GroundRules
from model.prompt import CONSIDER_REFERRAL, LEVELS, SEEK_INFORMATION, decide_prompt
from training.fit.terms import Floats
from training.judge.certainty import CertainScore
from training.judge.disclosure import Disclosure, Facts, Mask
from training.judge.held import Held
from training.judge.resample import figure, ratio

MOST_CASES = 20_000
"""Held-out cases that are put to the rules; of more, whole families are drawn. About 0.2 ms each."""
REFERRAL_RULES = ("ground", "score")
SEEK_RULES = ("ground_undecided", "answers_would_change", "essential_not_known", "too_little_known")
LEVEL, RULE, GROUND = 2, 4, 6
"""How much a figure matters where not all can be shown (`Disclosure`): lower first; outcomes come one after shares."""


@dataclass(frozen=True, slots=True)
class Prompted:
    """What the rules said. `rows` are positions in the held-out cases; the rest is in the same order.

    `level`: index into `model.prompt.LEVELS`. `rules`: (rows, rules), which of `REFERRAL_RULES` and `SEEK_RULES` hold,
    each by itself. `grounds`: (rows, grounds), the grounds met, in dictionary order.
    """

    rows: NDArray[np.intp]
    level: NDArray[np.intp]
    rules: NDArray[np.bool_]
    grounds: NDArray[np.bool_]


def put_to_the_rules(model: AdditiveModel, held: Held) -> Prompted:
    """Every held-out case, or `MOST_CASES` of them by whole families, through `model.prompt`. Raises `CertainScore`."""
    rows = sampled_families(held.groups, MOST_CASES, held.seed)
    codes = [ground.code for ground in model.dictionary.grounds]
    find = GroundRules(model.dictionary).find
    level = np.zeros(len(rows), dtype=np.intp)
    rules = np.zeros((len(rows), len(REFERRAL_RULES) + len(SEEK_RULES)), dtype=bool)
    met = np.zeros((len(rows), len(codes)), dtype=bool)
    for number, case in enumerate(cases_of(model.dictionary.features, held.X[rows])):
        explanation, grounds = _explained(model, case), find(case)
        gaps = find_gaps(model, explanation)
        level[number] = LEVELS.index(decide_prompt(model, case, explanation, gaps, grounds).level)
        answers = fewest_answers(model, explanation, gaps)
        rules[number] = (
            bool(grounds.met),
            explanation.margin >= model.threshold,
            bool(grounds.undecided),
            answers is not None and len(answers) <= model.dictionary.policy.answers,
            any(case.values[name] == NOT_KNOWN for name in model.dictionary.essential),
            case.known() < model.dictionary.policy.minimum_known,
        )
        for ground in grounds.met:
            met[number, codes.index(ground.code)] = True
    return Prompted(rows, level, rules, met)


def _explained(model: AdditiveModel, case: Case) -> Explanation:
    try:
        return explain(model, case)
    except ExplanationError:
        raise CertainScore from None


def prompt_facts(held: Held, prompted: Prompted, disclosure: Disclosure) -> Facts:
    """Share of cases at each level with the outcomes found there, split by the rule and the ground that gave it.

    Rules of `consider_referral` are apart: ground only, score only, both. Those of `seek_information` may hold
    together, so each has the share of cases in which it holds and in which no other of them does. All are offered to
    `disclosure`.
    """
    shares = _Shares(held, prompted, disclosure)
    ground, score = prompted.rules[:, 0], prompted.rules[:, 1]
    seek = prompted.level == LEVELS.index(SEEK_INFORMATION)
    asked = prompted.rules[:, len(REFERRAL_RULES) :] & seek[:, None]
    levels = {name: prompted.level == number for number, name in enumerate(LEVELS)}
    given_by = {"ground_only": ground & ~score, "score_only": score & ~ground, "ground_and_score": ground & score}
    shares.add_up(list(levels.values()))
    shares.add_up(list(given_by.values()))
    return {
        "cases": len(prompted.rows),
        "of_all_held_out": len(prompted.rows) == len(held.y),
        "levels": [shares.of({"level": name}, chosen, LEVEL) for name, chosen in levels.items()],
        CONSIDER_REFERRAL: [shares.of({"rule": name}, chosen, RULE) for name, chosen in given_by.items()],
        SEEK_INFORMATION: [
            shares.alone(
                shares.of({"rule": name}, asked[:, number], RULE),
                asked[:, number] & (asked.sum(axis=1) == 1),
            )
            for number, name in enumerate(SEEK_RULES)
        ],
        "grounds": [
            shares.of({"ground": ground.code}, prompted.grounds[:, number], GROUND)
            for number, ground in enumerate(held.dictionary.grounds)
        ],
    }


class _Shares:
    """Rows of figures about some of the cases that were put to the rules, each offered for release."""

    def __init__(self, held: Held, prompted: Prompted, disclosure: Disclosure) -> None:
        self._outcome = held.y[prompted.rows] == 1
        self._draws = held.draws.only(prompted.rows)
        self._rows, self._of = prompted.rows, len(held.y)
        self._disclosure = disclosure

    def of(self, row: Facts, chosen: Mask, rank: int) -> Facts:
        """Adds to `row` the share of the chosen among all, the outcomes in them, and the share of all outcomes."""
        outcome, everyone = self._outcome, np.ones(len(self._outcome), dtype=bool)
        columns = np.column_stack([everyone, outcome, chosen, chosen & outcome]).astype(np.float64)
        cases, events, among, found = self._draws.sums(columns).T
        for name, part, whole, figures, more in (
            ("share", chosen, everyone, ratio(among, cases), 0),
            ("outcome_share", outcome, chosen, ratio(found, among), 1),
            ("share_of_outcomes", chosen, outcome, ratio(found, events), 1),
        ):
            row[name] = figure(figures)
            self._disclosure.offer_rate((row, name), self._held(part), self._held(whole), rank=rank + more)
        return row

    def alone(self, row: Facts, chosen: Mask) -> Facts:
        """Adds the share in which the rule holds and no other."""
        columns = np.column_stack([np.ones(len(chosen)), chosen]).astype(np.float64)
        cases, among = self._draws.sums(columns).T
        row["share_alone"] = figure(ratio(among, cases))
        everyone = self._held(np.ones(len(chosen), dtype=bool))
        self._disclosure.offer_rate((row, "share_alone"), self._held(chosen), everyone, rank=GROUND)
        return row

    def add_up(self, parts: list[Mask]) -> None:
        """Says that these parts make up a whole, and their outcomes too."""
        for within in (np.ones(len(self._outcome), dtype=bool), self._outcome):
            self._disclosure.add_up([self._held(part & within) for part in parts])

    def _held(self, chosen: Mask) -> Mask:
        """The chosen as a set of all held-out cases."""
        return among(self._rows, chosen, self._of)


def among(rows: NDArray[np.intp], chosen: Mask, of: int) -> Mask:
    """Those of `rows` that are chosen, as a set of all `of` held-out cases."""
    inside = np.zeros(of, dtype=bool)
    inside[rows[chosen]] = True
    return inside


def cases_of(features: tuple[Feature, ...], X: Floats) -> Iterator[Case]:
    """The rows as the service would have admitted them."""
    names = [feature.name for feature in features]
    columns = [_values(feature, X[:, j]) for j, feature in enumerate(features)]
    for row in zip(*columns, strict=True):
        yield Case(dict(zip(names, row, strict=True)))


def _values(feature: Feature, column: Floats) -> list[Value]:
    return [_value(feature, code) for code in column.tolist()]


def _value(feature: Feature, code: float) -> Value:
    if math.isnan(code):
        return NOT_KNOWN
    if math.isinf(code):
        return NOT_APPLICABLE
    return code if feature.is_numeric else feature.levels[int(code)]


def sampled_families(groups: NDArray[np.int64], most: int, seed: int) -> NDArray[np.intp]:
    """Rows of families drawn at random until there are `most`; all rows where there are no more than that. Rising."""
    if len(groups) <= most:
        return np.arange(len(groups))
    _, family = np.unique(groups, return_inverse=True)
    sizes = np.bincount(family)
    order = np.random.default_rng(seed).permutation(len(sizes))
    chosen = np.zeros(len(sizes), dtype=bool)
    chosen[order[np.cumsum(sizes[order]) <= most]] = True
    return np.flatnonzero(chosen[family])
