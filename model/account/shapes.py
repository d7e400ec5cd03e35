"""The shape of every feature as a figure, and how much each moves scores on average."""

from __future__ import annotations

import math
from collections.abc import Mapping
from dataclasses import dataclass
from itertools import pairwise

from model.account.figures import WITHHELD, counted, disclosure_threshold, listed
from model.account.page import Dots, Figure, Mark, Section, Table
from model.additive import AdditiveModel, Term
from model.explanation import REFIT_QUANTILE

SURE = 1e-6
"""Log-odds by which two answers must differ for the mean of a table to tell how many cases gave each."""
DIRECTIONS = {"raises": "can only raise the score", "lowers": "can only lower the score", "free": "free"}
AXIS = "contribution, log-odds"


@dataclass(frozen=True, slots=True)
class Answer:
    """One slot of a table: contribution and range from refits in log-odds, and rows, or None where they are withheld.

    `said` is the rows in words: a count, *none*, or what an answer that few gave is counted with.
    """

    label: str
    contribution: float
    reach: float
    rows: int | None
    said: str


def importance(model: AdditiveModel) -> list[tuple[Term, float]]:
    """Each term with its mean absolute contribution over the training rows, log-odds, largest first."""
    found = [(term, _mean_size(term, _weights(model, term))) for term in model.terms]
    return sorted(found, key=lambda one: (-one[1], one[0].feature.name))


def importance_figure(model: AdditiveModel) -> Figure:
    """Mean absolute contribution by feature."""
    found = [(term.feature.label, size, f"{size:.3f}") for term, size in importance(model)]
    marks = tuple(Mark(label, size, 0.0, size, said) for label, size, said in found)
    title = "How far each feature moves a score, on average"
    return Figure(
        Dots(title, "mean size of the contribution, log-odds", marks),
        Table(title, ("Feature", "Mean absolute contribution (log-odds)"), tuple((a, b) for a, _, b in found)),
    )


def shape(model: AdditiveModel, term: Term) -> Section:
    """A feature's question, and its table as a figure."""
    feature = term.feature
    found = answers(model, term)
    marks, rows = [], []
    for answer in found:
        low, high = answer.contribution - answer.reach, answer.contribution + answer.reach
        enough = answer.rows is not None
        said = f"{answer.contribution:+.3f} ({low:+.3f} to {high:+.3f})" if enough else WITHHELD
        ends = (answer.contribution, low, high) if enough else (None, None, None)
        marks.append(Mark(answer.label, ends[0], ends[1], ends[2], said))
        rows.append((answer.label, answer.said, said))
    holders = listed([model.dictionary.agency_label(agency) for agency in feature.held_by])
    about = [f"Kind: {feature.kind.replace('_', ' ')}. Direction: {DIRECTIONS[feature.direction]}. Held by: {holders}."]
    about += [f"Source: {feature.source}"] if feature.source else []
    plot = Dots(feature.label, AXIS, tuple(marks))
    table = Table(
        f"{feature.label}: contribution and range from refits", ("Answer", "Training cases", AXIS), tuple(rows)
    )
    return Section(feature.label, (*about, Figure(plot, table)))


def answers(model: AdditiveModel, term: Term) -> list[Answer]:
    """Every slot of a term's table. The rows of *not known* and *not applicable* are what the counts leave over.

    Where rare answers were folded before the fit, an answer without a count was given by nobody, and gives none away.
    In a model that does not say so it may be a few people's, which the rows left over would give back.
    """
    labels, weights = slot_labels(term), _weights(model, term)
    threshold, folded = disclosure_threshold(model.facts), _folded(model, term)
    counts: list[int | None] = [count if count and count >= threshold else None for count in term.counts]
    left = [round(weight) for weight in weights[len(term.values) :]]
    exact = folded is not None or None not in counts
    told = exact and _told(term) and not any(0 < count < threshold for count in left)
    counts += [count if told and count else None for count in left]
    words = [
        counted(count) if count is not None else _without(label, folded if place < len(term.values) or told else None)
        for place, (label, count) in enumerate(zip(labels, counts, strict=True))
    ]
    reach = _reach(term, weights)
    return [Answer(*one) for one in zip(labels, term.contributions, reach, counts, words, strict=True)]


def _without(label: str, folded: Mapping[str, str] | None) -> str:
    """What stands in place of a count: what the answer is counted with, *none*, or *withheld*."""
    if folded is None:
        return WITHHELD
    home = folded.get(label)
    return "none" if home is None else f"counted with {home}"


def _folded(model: AdditiveModel, term: Term) -> Mapping[str, str] | None:
    """Label of each answer that few gave, and what it is counted with; None where the model does not say."""
    found = model.facts.get("training", {}).get("folded")
    if found is None:
        return None
    ours = [one for one in found if one["feature"] == term.feature.name]
    return {one["answer"].replace("_", " "): one["counted_with"].replace("_", " ") for one in ours}


def _told(term: Term) -> bool:
    """Whether the mean of the table tells the rows of *not known* and *not applicable* apart."""
    return term.not_applicable is None or abs(term.not_known - term.not_applicable) > SURE


def slot_labels(term: Term) -> list[str]:
    """Each slot of a term's table as it is read: a level, a range of numbers, not known, not applicable."""
    feature, unit = term.feature, f" {term.feature.unit}" if term.feature.unit else ""
    if feature.is_numeric:
        ends = [f"{edge:g}" for edge in term.edges]
        middle = [f"{a} to below {b}{unit}" for a, b in pairwise(ends)]
        known = [f"below {ends[0]}{unit}", *middle, f"{ends[-1]}{unit} or more"] if ends else ["any number"]
    else:
        known = [level.replace("_", " ") for level in feature.levels]
    return [*known, "not known", *(["not applicable"] if term.not_applicable is not None else [])]


def _weights(model: AdditiveModel, term: Term) -> list[float]:
    """Training rows of each slot, as far as the artefact tells them.

    It gives the counts of known answers and the mean of the table: enough for the two others, which are left over. An
    answer without a count weighs half the threshold where a model does not say that such answers were folded.
    """
    rows = int(model.facts["training"]["rows"])
    missing = disclosure_threshold(model.facts) / 2 if _folded(model, term) is None else 0.0
    known = [missing if count is None else float(count) for count in term.counts] or [0.0] * len(term.values)
    left = max(rows - math.fsum(known), 0.0)
    if term.not_applicable is None:
        return [*known, left]
    total = rows * term.mean - math.fsum(count * value for count, value in zip(known, term.values, strict=True))
    gap = term.not_known - term.not_applicable
    not_known = (total - left * term.not_applicable) / gap if abs(gap) > SURE else left / 2
    not_known = min(max(not_known, 0.0), left)
    return [*known, not_known, left - not_known]


def _reach(term: Term, weights: list[float]) -> list[float]:
    """Half the range from refits of each contribution, which is against the mean: a shift of all answers is none."""
    if not term.deviations or not sum(weights):
        return [0.0] * len(term.table)
    refits = list(zip(*term.deviations, strict=True))
    whole = math.fsum(weights)
    centred = []
    for refit in refits:
        mean = math.fsum(weight * d for weight, d in zip(weights, refit, strict=True)) / whole
        centred.append([d - mean for d in refit])
    return [REFIT_QUANTILE * _deviation([refit[slot] for refit in centred]) for slot in range(len(term.table))]


def _deviation(values: list[float]) -> float:
    mean = math.fsum(values) / len(values)
    return math.sqrt(math.fsum((value - mean) ** 2 for value in values) / max(len(values) - 1, 1))


def _mean_size(term: Term, weights: list[float]) -> float:
    sizes = [weight * abs(part) for weight, part in zip(weights, term.contributions, strict=True)]
    return math.fsum(sizes) / (math.fsum(weights) or 1.0)
