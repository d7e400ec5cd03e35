"""How much is not known about a group's people: over all features, and over those that each agency may hold.

Agencies share features, so that the answers missing at one less those missing at another could be a few people's.
Shares are therefore rounded to steps of at least as many answers as the disclosure threshold: no difference is exact.
"""

from __future__ import annotations

import numpy as np

from training.judge.coarse import in_steps, step_of
from training.judge.disclosure import Facts, Mask, enough
from training.judge.held import Held
from training.judge.resample import figure, ratio

COARSEST = 0.1
"""A step above this says too little to be shown."""


def not_known(held: Held, inside: Mask) -> Facts:
    """The share of the group's answers that are not known; None where it would tell of few."""
    unknown = np.isnan(held.X[inside])
    features = held.dictionary.features
    held_by = {
        agency.id: [j for j, feature in enumerate(features) if agency.id in feature.held_by]
        for agency in held.dictionary.agencies
    }
    named = {agency: columns for agency, columns in held_by.items() if columns}
    found = [_share(held, inside, unknown[:, columns]) for columns in (range(len(features)), *named.values())]
    return {"all": found[0], "by_agency": dict(zip(named, found[1:], strict=True))}


def _share(held: Held, inside: Mask, unknown: Mask) -> dict[str, float | None] | None:
    gaps, answers = int(unknown.sum()), unknown.size
    if not enough(gaps) or not enough(answers - gaps):
        return None
    step = step_of(answers)
    of_case = np.column_stack([unknown.mean(axis=1), np.ones(len(unknown))])
    part, cases = held.draws.only(inside).sums(of_case).T
    share = in_steps(figure(ratio(part, cases)), step)
    # Rounded to none or all, it would say more than is so.
    told = step <= COARSEST and share is not None and share["value"] not in (0.0, 1.0)
    return share if told else None
