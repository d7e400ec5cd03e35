"""The newest part is judged by a fit that saw none of its families, and only where the order of time is certain."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest
from sklearn.metrics import roc_auc_score

from tests.training.conftest import Run
from training.cases.specs import term_specs
from training.fit.ensemble import AdditiveEnsemble
from training.judge.newest import in_order, newest, newest_period, span


@pytest.mark.parametrize(
    ("times", "fewest", "said"),
    [
        (["2025-09"] * 3 + ["2025-10"] * 2 + [" 2025-08"], 1, {"first": "2025-08", "last": "2025-10"}),
        (["2025-09"] * 3 + ["2025-10"] * 2 + [" 2025-08"], 3, {"first": "2025-09", "last": "2025-09"}),
        (["9", "10", "10", "9"], 2, {"first": "9", "last": "10"}),
        (["2025-09", "2025-10"], 2, {}),
        (["soon", "later"], 1, {}),
        (
            ["2025-09-02 09:30", "2025-09-02T17:05", "03/09/2025 10:00"],
            2,
            {"first": "2025-09-02", "last": "2025-09-02"},
        ),
    ],
)
def test_the_span_leaves_out_times_of_few_cases(times: list[str], fewest: int, said: dict[str, str]) -> None:
    assert span(np.array(times), fewest) == said
    assert span(None, fewest) == {}


@pytest.mark.parametrize(
    ("times", "ranks"),
    [
        (["9", "10", " 9"], [0, 1, 0]),
        (["2025", "2024.5", "-1"], [2, 1, 0]),
        (["2025-10-01", "2025-09-30"], [1, 0]),
        (["2025-10", "2025-09"], [1, 0]),
        (["01/02/2025", "02/01/2025"], [1, 0]),
        (["2025-10-01", "2025-10", "2025-09-30"], [1, 1, 0]),
        (["2025-10-01 09:30:00", "2025-10-01T08:00Z", "2025-09-30"], [1, 1, 0]),
        (["10", ""], None),
    ],
)
def test_times_are_ordered_or_left_alone(times: list[str], ranks: list[int] | None) -> None:
    found = in_order(np.array(times))
    assert (found is None) if ranks is None else list(found) == ranks


def test_the_newest_periods_hold_a_fifth() -> None:
    assert list(newest(np.array([0, 0, 1, 1, 2, 2, 3, 3, 4, 5]))) == [False] * 8 + [True] * 2
    assert list(newest(np.array([0, 0, 0, 0, 0, 0, 0, 0, 0, 1]))) == [True] * 10


def test_the_fit_saw_no_family_of_the_newest_part(run: Run, monkeypatch: pytest.MonkeyPatch) -> None:
    rows, period = len(run.cases.y), np.random.default_rng(1).integers(1, 11, len(run.cases.y))
    cases = replace(run.cases, time=period.astype(str))
    seen: list[np.ndarray] = []
    fit = AdditiveEnsemble.fit

    def watched(self: AdditiveEnsemble, X: np.ndarray, *rest: object) -> AdditiveEnsemble:
        seen.append(X)
        return fit(self, X, *rest)

    monkeypatch.setattr(AdditiveEnsemble, "fit", watched)
    found = newest_period(cases, term_specs(run.dictionary), 1, 1)
    new = period >= 9
    families = np.isin(cases.groups, cases.groups[new])
    np.testing.assert_array_equal(seen[0], cases.X[~families])
    assert found["judged"]
    assert (found["rows"], found["fitted_rows"]) == (new.sum(), rows - families.sum())
    assert found["share_of_periods"] == 0.2
    assert found["events"] == cases.y[new].sum()
    assert found["auc"]["low"] < found["auc"]["value"] < found["auc"]["high"]
    assert found["auc"]["value"] > 0.55


def test_a_change_in_the_newest_part_shows(run: Run) -> None:
    """Outcomes of the newest part are turned round: a split that ignores time would not see it."""
    period = np.where(np.arange(len(run.cases.y)) < 900, 1, 2)
    y = np.where(period == 2, 1 - run.cases.y, run.cases.y).astype(np.int8)
    found = newest_period(replace(run.cases, y=y, time=period.astype(str)), term_specs(run.dictionary), 1, 1)
    assert found["auc"]["high"] < 0.5
    assert found["calibration_slope"]["high"] < 0
    assert roc_auc_score(y[:900], run.trained.estimators.table_.margin(run.cases.X[:900])) > 0.6


@pytest.mark.parametrize(
    ("time", "why"),
    [
        (None, "no [time] column"),
        ([""], "not known in some rows"),
        (["1"], "too few outcomes"),
    ],
)
def test_what_cannot_be_judged_is_said(run: Run, time: list[str] | None, why: str) -> None:
    times = None if time is None else np.array(time * len(run.cases.y))
    found = newest_period(replace(run.cases, time=times), term_specs(run.dictionary), 1, 1)
    assert found["judged"] is False
    assert why in found["why"]
