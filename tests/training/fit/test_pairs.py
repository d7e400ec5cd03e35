"""Pairs of features: found where there are any, none where there are none, exact and within the promises."""

from __future__ import annotations

from itertools import combinations

import numpy as np
import pytest
import shap
from hypothesis import assume, given, settings
from hypothesis import strategies as st

from tests.training.fit.test_promises import training_data
from training.fit.compile import compile_table, keep_promises, violations
from training.fit.ensemble import AdditiveEnsemble
from training.fit.objective import log_loss_and_chance
from training.fit.pair_choice import clearly_gains
from training.fit.pair_detection import candidates, deviation_by_chance
from training.fit.pair_fit import codes_by, fit_pairs, margin_by
from training.fit.pair_grid import coarse_groups, fit_grid, least_squares, problem_of
from training.fit.refits import refit_by_family
from training.fit.table_regression import TableRegression
from training.fit.terms import FittedTerm, Table, TermSpec, purified
from training.policy import POLICY


def together(X):
    """What history and concern say together in the planted truth; nothing where either is not known."""
    return np.nan_to_num(1.5 * (X[:, 0] - 0.3) * (X[:, 2] - 1.5))


def planted(drawn, seed=5):
    margin = drawn.margin + together(drawn.X)
    return (np.random.default_rng(seed).random(len(margin)) < 1 / (1 + np.exp(-margin))).astype(int)


@pytest.fixture(scope="module")
def found(cases):
    drawn = cases(3000)
    y = planted(drawn)
    return drawn, y, AdditiveEnsemble(drawn.specs, bags=2, folds=4, seed=4).fit(drawn.X, y, drawn.groups)


def test_a_planted_pair_is_found_and_lowers_the_loss_of_other_families(found, cases):
    drawn, y, model = found
    assert model.pairs_ == ((0, 2),)
    additive = AdditiveEnsemble(drawn.specs, bags=2, folds=4, seed=4, most_pairs=0).fit(drawn.X, y, drawn.groups)
    assert additive.pairs_ == additive.table_.pairs == ()
    other = cases(8000, seed=77)
    later = planted(other, seed=78)
    losses = [log_loss_and_chance(m.decision_function(other.X), later)[0] for m in (additive, model)]
    assert np.mean(losses[0] - losses[1]) > 0.01
    assert np.mean(log_loss_and_chance(model.oof_margin_, y)[0]) < np.mean(
        log_loss_and_chance(additive.oof_margin_, y)[0]
    )


@pytest.mark.parametrize("seed", range(4))
def test_on_additive_data_no_pair_is_kept(cases, seed):
    drawn = cases(2500, seed=seed)
    model = AdditiveEnsemble(drawn.specs, bags=1, folds=4, seed=seed).fit(drawn.X, drawn.y, drawn.groups)
    assert model.pairs_ == ()


def test_what_only_siblings_share_is_no_pair():
    """Outcomes that follow a family's own two answers say nothing of other families: twins must not be split."""
    rng = np.random.default_rng(3)
    families = 150
    own = np.repeat(rng.integers(0, 12, (families, 2)), 20, axis=0).astype(float)
    y = np.repeat(rng.random(families) < 0.4, 20).astype(int)
    specs = [TermSpec(name, "category", levels=12) for name in "ab"]
    groups = np.repeat(np.arange(families), 20)
    assert AdditiveEnsemble(specs, bags=1, folds=5).fit(own, y, groups).pairs_ == ()
    table = TableRegression(specs).fit(own, y, groups).table_
    codes = codes_by(table, own)
    assert candidates(table, codes, margin_by(table, codes), y.astype(float))  # the rows themselves would show a pair


def test_what_rounding_leaves_of_nothing_does_not_spread():
    """Where a pair says nothing beyond either feature, what is left is rounding, and its squares may sum below 0."""
    left = np.array([[0.0, 1e-17], [-1e-17, 0.0]])
    assert deviation_by_chance(left) == 0.0
    assert deviation_by_chance(np.diag([3.0, 4.0])) == pytest.approx(50**0.5)


def test_a_gain_is_counted_by_family():
    gain = np.r_[np.full(50, 0.1), np.full(50, -0.05)]
    assert clearly_gains(gain, np.arange(100))
    assert not clearly_gains(gain, np.repeat([0, 1], 50))
    assert not clearly_gains(gain, np.zeros(100, dtype=int))


def test_pairs_fixed_beforehand_are_fitted_without_folds(found):
    drawn, y, model = found
    again = AdditiveEnsemble(drawn.specs, bags=2, seed=4, weights=model.weights_, pairs=model.pairs_)
    again.fit(drawn.X, y, drawn.groups)
    assert again.table_ == model.table_
    assert np.isnan(again.oof_margin_).all()


def test_the_result_does_not_depend_on_jobs(found):
    drawn, y, model = found
    again = AdditiveEnsemble(drawn.specs, bags=2, folds=4, seed=4, n_jobs=2).fit(drawn.X, y, drawn.groups)
    assert again.table_ == model.table_
    assert np.array_equal(again.oof_margin_, model.oof_margin_)


def test_a_purified_table_is_the_same_function_and_its_pairs_say_nothing_of_one_feature_alone(found):
    drawn, _, model = found
    assert np.abs(model.estimator_margin(drawn.X) - model.table_.margin(drawn.X)).max() < 1e-12
    (pair,) = model.table_.pairs
    shares = pair.shares()
    assert np.abs(pair.grid() @ shares.sum(axis=0)).max() < 1e-15
    assert np.abs(shares.sum(axis=1) @ pair.grid()).max() < 1e-15
    assert np.abs(model.table_.background_mean()).max() < 1e-12


@pytest.mark.parametrize("against_training_rows", [True, False])
def test_contributions_are_shapley_values(cases, against_training_rows):
    drawn = cases(200)
    given = {"table_regression": 0.5, "boosted_bags": 0.5}
    model = AdditiveEnsemble(drawn.specs, bags=1, weights=given, pairs=[(0, 2), (2, 5)])
    model.fit(drawn.X, planted(drawn), drawn.groups)
    explained = drawn.X[:3] if against_training_rows else drawn.X[:20]
    behind = drawn.X if against_training_rows else drawn.X[40:60]
    masker = shap.maskers.Independent(behind, max_samples=len(behind))
    judge = shap.PermutationExplainer(model.estimator_margin, masker, seed=0)
    judged = judge(explained, max_evals=2 * explained.shape[1] + 1, silent=True)
    ours = model.table_.contributions(explained, None if against_training_rows else behind)
    assert np.abs(judged.values - ours).max() < 1e-9


@settings(max_examples=40, deadline=None)
@given(training_data(), st.booleans())
def test_pairs_keep_the_promises_whatever_the_data_say(data, every_pair):
    chosen, X, y, groups = data
    assume(len(chosen) > 1)
    both = list(combinations(range(len(chosen)), 2))
    pairs = both if every_pair else both[:1]
    rng, known = np.random.default_rng(len(y)), np.where(np.isfinite(X), X, 7.0)
    y = np.where(rng.random(len(y)) < 0.5, (known[:, 0] * 3 + known[:, 1]) % 2 > 0, y).astype(int)
    y[:2] = [0, 1]
    ensemble = AdditiveEnsemble(
        chosen, bags=1, weights={"table_regression": 1.0, "boosted_bags": 0.0}, pairs=pairs
    ).fit(X, y, groups)
    table = compile_table(ensemble)
    assert violations(table) == []
    assert np.isfinite(table.margin(X)).all()
    assert np.abs(ensemble.estimator_margin(X) - table.margin(X)).max() < 1e-6


def test_a_table_whose_pair_breaks_a_promise_is_refused(found):
    _, _, model = found
    (pair,) = model.table_.pairs
    steep = Table(model.table_.intercept, model.table_.terms, (pair.with_grid(-30 * pair.grid()),))
    assert {violation.promise for violation in violations(steep)} == {"monotone", "not_known"}
    with pytest.raises(ValueError, match="with its pairs"):
        keep_promises(steep)


def test_rows_of_small_cells_are_not_learned_from(cases):
    drawn = cases(600)
    table = TableRegression(drawn.specs).fit(drawn.X, drawn.y, drawn.groups).table_
    codes = codes_by(table, drawn.X)
    margin, y = margin_by(table, codes), drawn.y.astype(float)
    (pair,) = fit_pairs(table, codes, margin, y, [(2, 5)]).pairs
    few = np.array(pair.counts) < POLICY.disclosure_threshold
    rows, columns = (np.array(groups) for groups in pair.groups)
    inside = few[rows[codes[:, 2]], columns[codes[:, 5]]]
    assert 0 < inside.sum() < 100
    turned = np.where(inside, 1.0 - y, y)
    (same,) = fit_pairs(table, codes, margin, turned, [(2, 5)]).pairs
    assert same == pair


@pytest.mark.parametrize("kind", ["number", "category"])
def test_groups_put_neighbours_or_rare_levels_together(kind):
    spec = TermSpec("x", kind, levels=0 if kind == "number" else 20)
    edges = tuple(float(e) for e in range(1, 20)) if kind == "number" else ()
    counts = tuple(range(20, 0, -1))
    groups = coarse_groups(FittedTerm(spec, edges, (0.0,) * 20, 0.0, None, 0, counts, 5, 0))
    known, not_known = groups[:20], groups[20]
    assert not_known == 8
    assert len(set(known)) == 8
    if kind == "number":
        assert list(known) == sorted(known)
    else:
        assert known[:7] == (0, 1, 2, 3, 4, 5, 6)
        assert set(known[7:]) == {7}


@given(st.integers(0, 2**32 - 1))
@settings(max_examples=40, deadline=None)
def test_constrained_least_squares_is_the_optimum(seed):
    rng = np.random.default_rng(seed)
    root = rng.normal(size=(6, 6))
    hessian, linear = root @ root.T + 0.1 * np.eye(6), rng.normal(size=6)
    constraints, least = rng.normal(size=(4, 6)), rng.normal(size=4)
    x = least_squares(hessian, linear, constraints, least)
    slack = constraints @ x - least
    assert slack.min() > -1e-8
    pressing = slack < 1e-6  # the gradient is a non-negative mix of the constraints that press
    gradient = hessian @ x - linear
    held = constraints[pressing].T
    force = np.linalg.lstsq(held, gradient, rcond=None)[0] if pressing.any() else np.zeros(0)
    assert np.abs(held @ force - gradient).max() < 1e-5
    assert (force > -1e-5).all()


def test_a_grid_without_anything_to_say_is_drawn_to_nothing(cases):
    drawn = cases(2000)
    table = TableRegression(drawn.specs).fit(drawn.X, drawn.y, drawn.groups).table_
    codes = codes_by(table, drawn.X)
    (pair,) = fit_pairs(table, codes, margin_by(table, codes), drawn.y.astype(float), [(3, 5)]).pairs
    assert np.abs(pair.purified()[0].grid()).max() < 0.25
    problem = problem_of(table, pair, ())
    empty = np.zeros(0, dtype=np.intp)
    grid, _ = fit_grid(problem, empty, np.zeros(0), np.zeros(0), np.zeros(0))
    assert np.abs(grid).max() < 1e-5


def test_refits_carry_the_pairs(found):
    drawn, y, model = found
    refits = refit_by_family(
        model.learners_["table_regression"], drawn.X, y, drawn.groups, refits=6, seed=3, pairs=model.grids_
    )
    (cells,) = refits.pairs
    pair = model.table_.pairs[0]
    assert cells.shape == (6, len(pair.values), len(pair.values[0]))
    assert np.allclose(cells.mean(axis=0), 0, atol=1e-12)
    assert np.abs(cells).max() > 0.01
    assert purified(model.table_).pairs[0].grid() == pytest.approx(pair.grid(), abs=1e-12)
