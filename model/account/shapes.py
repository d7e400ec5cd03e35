"""The shape of every feature as a figure, and how much each moves scores on average."""

from __future__ import annotations

import math
from dataclasses import dataclass
from itertools import pairwise

from model.account.figures import WITHHELD, cases, listed
from model.account.page import Dots, Figure, Mark, Section, Table
from model.additive import AdditiveModel, Term
from model.explanation import REFIT_QUANTILE

LEAST = 10
"""Training rows on which what is shown rests at least: the threshold of `training/policy.toml`, below which counts are
not written into a model in the first place."""
MIDDLE = LEAST / 2
"""What a withheld count (1 to 9) weighs in an average."""
DIRECTIONS = {"raises": "can only raise the score", "lowers": "can only lower the score", "free": "free"}
AXIS = "contribution, log-odds"


@dataclass(frozen=True, slots=True)
class Answer:
    """One slot of a table: contribution and range from refits in log-odds, rows or None where they are too few."""

    label: str
    contribution: float
    reach: float
    rows: int | None


def importance(model: AdditiveModel) -> list[tuple[Term, float]]:
    """Each term with its mean absolute contribution over the training rows, log-odds, largest first."""
    found = [(term, _mean_size(term, _rows(model))) for term in model.terms]
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
    found = answers(term, _rows(model))
    marks, rows = [], []
    for answer in found:
        low, high = answer.contribution - answer.reach, answer.contribution + answer.reach
        enough = answer.rows is not None
        said = f"{answer.contribution:+.3f} ({low:+.3f} to {high:+.3f})" if enough else WITHHELD
        ends = (answer.contribution, low, high) if enough else (None, None, None)
        marks.append(Mark(answer.label, ends[0], ends[1], ends[2], said))
        rows.append((answer.label, cases(answer.rows), said))
    holders = listed([model.dictionary.agency_label(agency) for agency in feature.held_by])
    about = [f"Kind: {feature.kind.replace('_', ' ')}. Direction: {DIRECTIONS[feature.direction]}. Held by: {holders}."]
    about += [f"Source: {feature.source}"] if feature.source else []
    plot = Dots(feature.label, AXIS, tuple(marks))
    table = Table(
        f"{feature.label}: contribution and range from refits", ("Answer", "Training cases", AXIS), tuple(rows)
    )
    return Section(feature.label, (*about, Figure(plot, table)))


def answers(term: Term, rows: int) -> list[Answer]:
    """Every slot of a term's table. The rows of *not known* and *not applicable* are what the counts leave over.

    Where a count is withheld, theirs are too: the one could be worked out from the other.
    """
    labels = slot_labels(term)
    weights = _weights(term, rows)
    hidden = any(count is None for count in term.counts)
    counts: list[int | None] = list(term.counts)
    counts += [None if hidden else round(weight) for weight in weights[len(term.values) :]]
    reach = _reach(term, weights)
    return [
        Answer(label, contribution, spread, count if count is None or count >= LEAST else None)
        for label, contribution, spread, count in zip(labels, term.contributions, reach, counts, strict=True)
    ]


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


def _weights(term: Term, rows: int) -> list[float]:
    """Training rows of each slot, as far as the artefact tells them.

    It gives the counts of known answers and the mean of the table: enough for the two others, which are left over.
    """
    known = [MIDDLE if count is None else float(count) for count in term.counts] or [0.0] * len(term.values)
    left = max(rows - math.fsum(known), 0.0)
    if term.not_applicable is None:
        return [*known, left]
    total = rows * term.mean - math.fsum(count * value for count, value in zip(known, term.values, strict=True))
    gap = term.not_known - term.not_applicable
    not_known = (total - left * term.not_applicable) / gap if abs(gap) > 1e-9 else left / 2
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


def _mean_size(term: Term, rows: int) -> float:
    weights = _weights(term, rows)
    sizes = [weight * abs(part) for weight, part in zip(weights, term.contributions, strict=True)]
    return math.fsum(sizes) / (math.fsum(weights) or 1.0)


def _rows(model: AdditiveModel) -> int:
    return int(model.facts["training"]["rows"])
