"""What is not known about a case, how far that could move its score, and who may know."""

from __future__ import annotations

import operator
from collections.abc import Sequence
from functools import reduce
from itertools import compress
from typing import NamedTuple

from model.additive import AdditiveModel, Term, probabilities
from model.explanation import Explanation
from model.pairs.gaps import Moves, extremes, highest_by_answers, moves


class Gap(NamedTuple):
    """One feature that is not known.

    `gain` is the most that an answer could raise the log-odds, at least 0; the scores are those if this answer
    alone became known, at its lowest and highest.
    """

    term: Term
    gain: float
    score_if_lowest: float
    score_if_highest: float


class Gaps(NamedTuple):
    """All that is not known: the gaps, those that could raise the score most first, and the range of the score.

    Column by column, as an answer shows them: `terms`, `gains`, and the scores at each one's lowest and highest. The
    range runs over every combination of answers, each of which may also stay not known, so the score itself always
    lies within it. `moves` is there where the model has pairs.
    """

    terms: Sequence[Term]
    gains: Sequence[float]
    scores_if_lowest: Sequence[float]
    scores_if_highest: Sequence[float]
    score_range: tuple[float, float]
    moves: Moves | None = None

    @property
    def gaps(self) -> tuple[Gap, ...]:
        """The same, one by one."""
        return tuple(map(Gap, self.terms, self.gains, self.scores_if_lowest, self.scores_if_highest))


def find_gaps(model: AdditiveModel, explanation: Explanation) -> Gaps:
    """The gaps of a case. Exact: without pairs the terms are independent, so extremes of the sum are sums of extremes;
    with pairs the answers that hang together are chosen together."""
    if model.pairs:
        return _find_in_pairs(model, explanation)
    by_gain, margin = model.by_gain, explanation.margin
    unknown = list(map(operator.eq, by_gain.slots_in_order(explanation.slots), by_gain.not_known))
    drops, gains = list(compress(by_gain.drops, unknown)), list(compress(by_gain.gains, unknown))
    lowest, highest = reduce(operator.add, drops, margin), reduce(operator.add, gains, margin)
    return _scored(list(compress(by_gain.terms, unknown)), margin, drops, gains, (lowest, highest))


def _find_in_pairs(model: AdditiveModel, explanation: Explanation) -> Gaps:
    margin, found = explanation.margin, moves(model, explanation.slots)
    alone = sorted(found.alone.items(), key=lambda item: -max(item[1]))
    terms = [model.terms[place] for place, _ in alone]
    drops, gains = [min(moved) for _, moved in alone], [max(moved) for _, moved in alone]
    return _scored(terms, margin, drops, gains, extremes(found, margin), found)


def _scored(
    terms: Sequence[Term],
    margin: float,
    drops: Sequence[float],
    gains: Sequence[float],
    extreme: tuple[float, float],
    found: Moves | None = None,
) -> Gaps:
    lowest, highest = [margin + drop for drop in drops], [margin + gain for gain in gains]
    low, high, *scores = probabilities([*extreme, *lowest, *highest])
    return Gaps(terms, gains, scores[: len(terms)], scores[len(terms) :], (low, high), found)


def fewest_answers(model: AdditiveModel, explanation: Explanation, gaps: Gaps) -> tuple[Term, ...] | None:
    """The fewest not-known answers that would carry the score over the referral threshold, all others staying unknown.

    Of several sets as small, the one that could carry it furthest. `()` when it is over already, None when all of
    them together would not.
    """
    margin = explanation.margin
    if margin >= model.threshold:
        return ()
    if gaps.moves is not None and gaps.moves.joint:
        return _fewest_in_pairs(model, margin, gaps, gaps.moves)
    for number, gain in enumerate(gaps.gains, 1):
        margin += gain
        if margin >= model.threshold:
            return tuple(gaps.terms[:number])
    return None


def _fewest_in_pairs(model: AdditiveModel, margin: float, gaps: Gaps, found: Moves) -> tuple[Term, ...] | None:
    if extremes(found, margin)[1] < model.threshold:
        return None
    for _, (gain, places) in sorted(highest_by_answers(found).items()):
        if margin + gain >= model.threshold:
            names = {model.terms[place].feature.name for place in places}
            return tuple(term for term in gaps.terms if term.feature.name in names)
    return None
