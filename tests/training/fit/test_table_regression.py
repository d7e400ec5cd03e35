from __future__ import annotations

import numpy as np
import pytest
from scipy.optimize import LinearConstraint, minimize
from sklearn.metrics import log_loss
from sklearn.utils.estimator_checks import check_estimator

from training.fit.basis import build_basis
from training.fit.binning import Binner
from training.fit.objective import LogisticLoss
from training.fit.smoothing import fit_smooth, solve, start_at
from training.fit.table_regression import TableRegression
from training.fit.terms import TermSpec


def test_is_a_scikit_learn_classifier():
    results = check_estimator(TableRegression(), on_skip=None, on_fail=None)
    failed = {r["check_name"]: repr(r["exception"]) for r in results if r["status"] in ("failed", "xfail")}
    assert failed == {}
    assert len(results) > 40


def test_recovers_a_known_additive_truth(cases):
    drawn = cases(30_000, seed=1)
    model = TableRegression(drawn.specs).fit(drawn.X, drawn.y)
    fresh = cases(20_000, seed=2)
    margin = model.decision_function(fresh.X)
    assert np.corrcoef(margin, fresh.margin)[0, 1] > 0.985
    oracle = log_loss(fresh.y, 1 / (1 + np.exp(-fresh.margin)))
    assert log_loss(fresh.y, model.predict_proba(fresh.X)[:, 1]) < oracle + 0.003
    history = model.table_.terms[0]
    assert history.values[1] - history.values[0] == pytest.approx(0.9, abs=0.12)
    assert history.not_known - history.values[0] == pytest.approx(0.5, abs=0.12)


def test_not_applicable_is_told_apart_from_not_known(cases):
    drawn = cases(20_000, seed=1)
    gap = TableRegression(drawn.specs).fit(drawn.X, drawn.y).table_.terms[6]
    reference = gap.values[gap.reference_bin]
    assert gap.not_known >= reference
    assert gap.not_applicable < reference - 0.3  # no previous child protects, and may: it has no floor


def test_not_known_that_protects_is_held_at_the_reference():
    rng = np.random.default_rng(0)
    x = rng.integers(0, 3, 4000).astype(float)
    margin = -1.0 + 0.8 * x
    x[missing := rng.random(4000) < 0.3] = np.nan
    margin[missing] = -4.0
    y = rng.random(4000) < 1 / (1 + np.exp(-margin))
    term = TableRegression([TermSpec("x", "ordinal", "raises", 0.0, levels=3)]).fit(x[:, None], y).table_.terms[0]
    assert term.not_known == term.values[0]
    assert term.values[0] < term.values[1] < term.values[2]


def test_a_feature_never_missing_in_training_is_neutral_when_not_known():
    rng = np.random.default_rng(0)
    x = (rng.random(3000) < 0.4).astype(float)
    y = rng.random(3000) < 0.1 + 0.3 * x
    term = TableRegression([TermSpec("x", "yes_no", "raises", levels=2)]).fit(x[:, None], y).table_.terms[0]
    assert term.values[0] < term.not_known < term.values[1]
    assert term.not_known == pytest.approx(0.0, abs=1e-3)


def test_solution_is_the_brute_force_optimum_of_the_written_out_problem():
    """The problem of the module's docstrings over values themselves, with constraints, by another solver."""
    rng = np.random.default_rng(5)
    x = np.column_stack([rng.integers(0, 3, 120), rng.integers(0, 2, 120)]).astype(float)
    x[rng.random((120, 2)) < 0.2] = np.nan
    y = (rng.random(120) < 0.4).astype(float)
    specs = [TermSpec("a", "ordinal", "raises", 0.0, levels=3), TermSpec("b", "yes_no", "lowers", levels=2)]
    binner = Binner(specs).fit(x)
    basis, codes = build_basis(binner), binner.transform(x)
    penalties = np.array([2.0, 0.7])
    loss = LogisticLoss(codes, basis.sizes, y, np.ones(120))
    found = solve(loss, basis, penalties, start_at(loss, basis))

    counts_a, counts_b = (c[:-2] / c[:-2].sum() for c in binner.counts_)

    def cost(v):  # intercept, a0 a1 a2, a not known, b0 b1, b not known
        a, b = v[1:5], v[5:8]
        margin = v[0] + a[codes[:, 0]] + b[codes[:, 1]]
        rough_a = 2 * (a[1] - a[0]) ** 2 + 2 * (a[2] - a[1]) ** 2 + (a[3] - counts_a @ a[:3]) ** 2
        rough_b = (b[1] - b[0]) ** 2 + (b[2] - counts_b @ b[:2]) ** 2
        return np.sum(np.logaddexp(0, margin) - y * margin) + rough_a + 0.35 * rough_b

    def difference(high, low):
        return np.eye(8)[high] - np.eye(8)[low]

    promises = np.array([difference(*pair) for pair in [(2, 1), (3, 2), (4, 1), (7, 6), (5, 7)]])
    brute = minimize(
        cost,
        np.zeros(8),
        method="SLSQP",
        constraints=LinearConstraint(promises, 0, np.inf),
        options={"ftol": 1e-14, "maxiter": 1000},
    )
    values = found.by_code(basis)
    ours = found.parameters[0] + values[codes[:, 0]] + values[basis.sizes[0] + codes[:, 1]]
    theirs = brute.x[0] + brute.x[1:5][codes[:, 0]] + brute.x[5:8][codes[:, 1]]
    assert np.allclose(ours, theirs, atol=2e-4)
    mine = np.concatenate([[found.parameters[0]], values[:4], values[5:8]])
    assert cost(mine) <= brute.fun + 1e-7


def test_penalties_tell_signal_from_noise():
    rng = np.random.default_rng(2)
    X = rng.normal(size=(6000, 2))
    y = rng.random(6000) < 1 / (1 + np.exp(-1.5 * np.sin(2 * X[:, 0])))
    binner = Binner([TermSpec("signal", "number"), TermSpec("noise", "number")]).fit(X)
    basis = build_basis(binner)
    solution = fit_smooth(LogisticLoss(binner.transform(X), basis.sizes, y.astype(float), np.ones(6000)), basis)
    assert solution.penalties[1] > 10 * solution.penalties[0]


def test_linear_design_reproduces_the_margin(cases):
    drawn = cases(800)
    model = TableRegression(drawn.specs).fit(drawn.X, drawn.y)
    design = model.linear_design(drawn.X)
    assert design.shape[1] == len(model.design_columns_) == model.coef_.shape[1]
    assert (design.sum(axis=1) == len(drawn.specs)).all()
    margin = model.intercept_ + design @ model.coef_[0]
    assert np.allclose(margin, model.decision_function(drawn.X), atol=1e-13, rtol=0)


def test_the_same_rows_give_the_same_floats(cases):
    drawn = cases(1000)
    first, second = (TableRegression(drawn.specs).fit(drawn.X, drawn.y) for _ in range(2))
    assert first.table_ == second.table_


def test_terms_are_centred_over_the_training_rows(cases):
    drawn = cases(1000)
    model = TableRegression(drawn.specs).fit(drawn.X, drawn.y)
    assert np.allclose(model.table_.values(drawn.X).mean(axis=0), 0, atol=1e-14)
    assert model.predict_proba(drawn.X)[:, 1].mean() == pytest.approx(drawn.y.mean(), abs=1e-4)


@pytest.mark.parametrize(
    ("change", "message"),
    [
        ({"y": np.zeros(60)}, "one class|1 class"),
        ({"y": np.arange(60) % 3}, "Only binary"),
        ({"groups": np.zeros(59)}, "groups"),
        ({"specs": [TermSpec("a", "number")] * 3}, "3 specs"),
        ({"X": np.full((60, 2), np.inf)}, "infinity"),
    ],
)
def test_what_cannot_be_fitted_is_refused(change, message):
    given = {"X": np.random.default_rng(0).normal(size=(60, 2)), "y": np.arange(60) % 2, "groups": None, "specs": None}
    given |= change
    with pytest.raises(ValueError, match=message):
        TableRegression(given["specs"]).fit(given["X"], given["y"], given["groups"])
