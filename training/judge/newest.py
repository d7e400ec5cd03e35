"""Would last year's model have served this year? The newest part of the cases, held out from a fit of its own."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from training.cases.file import CaseFile
from training.cases.moments import DAY, TIME, moments, written
from training.fit.ensemble import AdditiveEnsemble
from training.fit.terms import TermSpec
from training.judge.disclosure import Disclosure, Facts, Mask, enough
from training.judge.evaluate import evaluate
from training.judge.resample import Draws

NEWEST_SHARE = 0.2
BAGS = 2


def newest_period(cases: CaseFile, specs: Sequence[TermSpec], seed: int, jobs: int) -> Facts:
    """Fits on families without a case in the newest part, and judges on all of the newest part.

    Both learners with equal weights, fewer bags and no recalibration: nothing is chosen by looking at newer cases, so
    the figures may be a little worse than the released model's, never better for having seen the answers.
    """
    if cases.time is None:
        return {"judged": False, "why": "the dictionary has no [time] column"}
    period = in_order(cases.time)
    if period is None:
        return {"judged": False, "why": "the time of the contact is not known in some rows"}
    new = newest(period)
    old = ~np.isin(cases.groups, cases.groups[new])
    events = [len(np.unique(cases.groups[side & (cases.y == 1)])) for side in (old, new)]
    others = [int((side & (cases.y == 0)).sum()) for side in (old, new)]
    if not all(map(enough, [*events, *others])):
        return {"judged": False, "why": "too few outcomes before or in the newest part"}
    _, family = np.unique(cases.groups[old], return_inverse=True)
    fitted = AdditiveEnsemble(
        specs, bags=BAGS, seed=seed, n_jobs=jobs, weights={"boosted_bags": 0.5, "table_regression": 0.5}
    ).fit(cases.X[old], cases.y[old], family)
    figures = evaluate(cases.y[new], fitted.table_.margin(cases.X[new]), Draws.of(cases.groups[new], seed))
    facts: Facts = {
        "judged": True,
        "fitted_rows": int(old.sum()),
        "rows": int(new.sum()),
        "families": len(np.unique(cases.groups[new])),
        "events": int(cases.y[new].sum()),
        "share_of_periods": float(np.round(len(np.unique(period[new])) / len(np.unique(period)), 4)),
        "outcome_share_before": float(np.round(cases.y[old].mean(), 5)),
        "outcome_share": float(np.round(cases.y[new].mean(), 5)),
        **{name: measured.plain() for name, measured in figures.items()},
    }
    _disclose(facts, cases.y == 1, old, new)
    return facts


def _disclose(facts: Facts, outcome: Mask, old: Mask, new: Mask) -> None:
    """Withholds what would tell of few: older cases of families that have a newer one too are in neither part."""
    disclosure = Disclosure(np.ones(len(outcome), dtype=bool), outcome)
    parts = (new, old, ~(new | old))
    for count, share, part in (("rows", "outcome_share", new), ("fitted_rows", "outcome_share_before", old)):
        disclosure.offer((facts, count), part)
        disclosure.offer_rate((facts, share), outcome, part, rank=1)
    disclosure.offer((facts, "events"), new & outcome, new & ~outcome)
    for whole in (np.ones(len(outcome), dtype=bool), outcome):
        disclosure.add_up([part & whole for part in parts])
    disclosure.settle()


def in_order(time: NDArray[np.str_]) -> NDArray[np.intp] | None:
    """The rank of each row's time, (rows,), by day where there is a time of day, or None where one is not known."""
    read = moments(pd.Series(time, dtype="str"))
    by_day = read.by(max(read.step, DAY))
    return None if np.isnan(by_day).any() else np.asarray(np.unique(by_day, return_inverse=True)[1])


def span(time: NDArray[np.str_] | None, fewest: int) -> dict[str, str]:
    """The first and the last time, as written, at which at least `fewest` rows are; empty where there is no telling.

    The day alone where there is a time of day, which would tell of one case.
    """
    period = None if time is None else in_order(time)
    if time is None or period is None:
        return {}
    often = np.flatnonzero(np.bincount(period) >= fewest)
    if not len(often):
        return {}
    read = moments(pd.Series(time, dtype="str"))
    rows = {name: int(np.flatnonzero(period == often[at])[0]) for name, at in (("first", 0), ("last", -1))}
    if read.dates and read.step == TIME:
        return {name: written(float(read.at[row])) for name, row in rows.items()}
    return {name: str(time[row]).strip() for name, row in rows.items()}


def newest(period: NDArray[np.intp]) -> NDArray[np.bool_]:
    """True for the fewest newest periods that hold at least a fifth of the rows, (rows,)."""
    counts = np.bincount(period)
    at_or_after = np.cumsum(counts[::-1])[::-1] / len(period)
    first = int(np.flatnonzero(at_or_after >= NEWEST_SHARE)[-1])
    return period >= first
