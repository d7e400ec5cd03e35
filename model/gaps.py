"""What is not known about a case, how far that could move its score, and who may know."""

from __future__ import annotations

from dataclasses import dataclass
from typing import NamedTuple

from model.additive import AdditiveModel, Term, probability
from model.case import Case
from model.dictionary import NOT_KNOWN
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


@dataclass(frozen=True, slots=True)
class Gaps:
    """All that is not known: the gaps, those that could raise the score most first, and the range of the score.

    The range runs over every combination of answers, each of which may also stay not known, so the score itself
    always lies within it. `moves` is there where the model has pairs.
    """

    gaps: tuple[Gap, ...]
    score_range: tuple[float, float]
    moves: Moves | None = None


def find_gaps(model: AdditiveModel, case: Case, explanation: Explanation) -> Gaps:
    """The gaps of a case. Exact: without pairs the terms are independent, so extremes of the sum are sums of extremes;
    with pairs the answers that hang together are chosen together."""
    if model.pairs:
        return _find_in_pairs(model, case, explanation)
    gaps: list[Gap] = []
    values, margin = case.values, explanation.margin
    lowest = highest = margin
    for name, term, drop, gain in model.by_gain:
        if values[name] == NOT_KNOWN:
            lowest += drop
            highest += gain
            gaps.append(Gap(term, gain, probability(margin + drop), probability(margin + gain)))
    return Gaps(tuple(gaps), (probability(lowest), probability(highest)))


def _find_in_pairs(model: AdditiveModel, case: Case, explanation: Explanation) -> Gaps:
    margin, found = explanation.margin, moves(model, case, explanation.slots)
    gaps = [
        Gap(model.terms[place], max(moved), probability(margin + min(moved)), probability(margin + max(moved)))
        for place, moved in found.alone.items()
    ]
    gaps.sort(key=lambda gap: -gap.gain)
    lowest, highest = extremes(found, margin)
    return Gaps(tuple(gaps), (probability(lowest), probability(highest)), found)


def fewest_answers(model: AdditiveModel, explanation: Explanation, gaps: Gaps) -> tuple[Gap, ...] | None:
    """The fewest not-known answers that would carry the score over the referral threshold, all others staying unknown.

    Of several sets as small, the one that could carry it furthest. `()` when it is over already, None when all of
    them together would not.
    """
    margin, chosen = explanation.margin, []
    if margin >= model.threshold:
        return ()
    if gaps.moves is not None and gaps.moves.joint:
        return _fewest_in_pairs(model, margin, gaps, gaps.moves)
    for gap in gaps.gaps:
        if margin >= model.threshold:
            break
        margin += gap.gain
        chosen.append(gap)
    return tuple(chosen) if margin >= model.threshold else None


def _fewest_in_pairs(model: AdditiveModel, margin: float, gaps: Gaps, found: Moves) -> tuple[Gap, ...] | None:
    if extremes(found, margin)[1] < model.threshold:
        return None
    for _, (gain, places) in sorted(highest_by_answers(found).items()):
        if margin + gain >= model.threshold:
            names = {model.terms[place].feature.name for place in places}
            return tuple(gap for gap in gaps.gaps if gap.term.feature.name in names)
    return None
