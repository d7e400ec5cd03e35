"""Less recorded is less known: the figures say how much less, and of which agency."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest
from sklearn.metrics import roc_auc_score

from tests.training.judge.conftest import released
from training.judge.held import Held
from training.judge.robustness import OVER, robustness, shift, thinned


def test_an_agency_that_falls_silent_takes_all_that_it_holds(held: Held) -> None:
    found = released(held, lambda disclosure: robustness(held, disclosure))
    rows = {row["agency"]: row for row in found["without_agency"]}
    assert (rows["gp"]["features"], rows["gp"]["held_by_no_other"]) == (5, 4)
    assert (rows["police"]["features"], rows["police"]["held_by_no_other"]) == (2, 1)
    X = held.X.copy()
    X[:, [3, 5]] = np.nan
    auc = roc_auc_score(held.y, held.table.margin(X))
    assert rows["police"]["auc"]["value"] == pytest.approx(auc, abs=1e-5)
    before = roc_auc_score(held.y, held.margin)
    assert found["as_recorded"]["auc"]["value"] == pytest.approx(before, abs=1e-5)
    assert rows["police"]["auc_change"]["value"] == pytest.approx(auc - before, abs=1e-5)
    assert rows["gp"]["auc_change"]["high"] < 0  # nearly all that is known comes from there
    assert rows["gp"]["log_loss_change"]["low"] > 0


def test_where_few_are_over_the_threshold_no_share_gives_their_count_back(held: Held) -> None:
    few = replace(held, threshold=float(np.sort(held.margin)[-5]))
    found = released(few, lambda disclosure: robustness(few, disclosure))
    rows = [found["as_recorded"], *found["without_agency"], *found["at_random"]]
    assert [row[OVER] for row in rows] == [None] * len(rows)
    shown = released(held, lambda disclosure: robustness(held, disclosure))
    assert shown["as_recorded"][OVER] is not None


def test_the_more_is_lost_the_worse(held: Held) -> None:
    rows = released(held, lambda disclosure: robustness(held, disclosure))["at_random"]
    assert [row["share"] for row in rows] == [0.1, 0.3, 0.5]
    aucs = [row["auc"]["value"] for row in rows]
    assert aucs == sorted(aucs, reverse=True)
    assert rows[-1]["auc_change"]["high"] < 0
    assert not np.isnan(held.X).all()  # the cases themselves are as they were


def test_answers_are_lost_at_the_rate_stated_and_not_applicable_with_them(held: Held) -> None:
    lost = thinned(held.X, 0.3, 1)
    known = ~np.isnan(held.X)
    assert np.isnan(lost[known]).mean() == pytest.approx(0.3, abs=0.02)
    np.testing.assert_array_equal(lost[~np.isnan(lost)], held.X[~np.isnan(lost)])
    assert 0 < np.isneginf(lost).sum() < np.isneginf(held.X).sum()


def test_another_authority_is_the_same_families_recorded_less(held: Held) -> None:
    found = released(held, lambda disclosure: shift(held, disclosure))
    assert len(found["features"]) == 3
    assert found["cases"] == pytest.approx(len(held.y) / 2, abs=2)
    assert found == released(held, lambda disclosure: shift(held, disclosure))
    assert found["change"]["auc"]["value"] < 0
    assert found["recorded_less"]["log_loss"]["value"] > found["as_recorded"]["log_loss"]["value"]
    before, after = found["as_recorded"]["calibration_slope"], found["recorded_less"]["calibration_slope"]
    change = after["value"] - before["value"]
    assert found["change"]["calibration_slope"]["value"] == pytest.approx(change, abs=1e-4)
