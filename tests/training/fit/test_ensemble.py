from __future__ import annotations

import numpy as np
import pytest
from sklearn.metrics import log_loss
from sklearn.utils.estimator_checks import check_estimator

from training.fit.ensemble import AdditiveEnsemble, stacking_weights


@pytest.fixture(scope="module")
def fitted(cases):
    drawn = cases(3000)
    stages = []
    model = AdditiveEnsemble(drawn.specs, bags=3, bags_in_folds=1, folds=3, seed=4)
    model.fit(drawn.X, drawn.y, drawn.groups, lambda stage, fraction: stages.append((stage, fraction)))
    return drawn, model, stages


def test_is_a_scikit_learn_classifier():
    small = AdditiveEnsemble(bags=1, bags_in_folds=1, folds=2)
    results = check_estimator(small, on_skip=None, on_fail=None)
    failed = {r["check_name"]: repr(r["exception"]) for r in results if r["status"] in ("failed", "xfail")}
    assert failed == {}
    assert len(results) > 40


def test_weights_are_a_mixture_and_the_table_is_their_average(fitted):
    drawn, model, _ = fitted
    assert sum(model.weights_.values()) == pytest.approx(1.0)
    assert min(model.weights_.values()) >= 0
    margins = {name: learner.decision_function(drawn.X) for name, learner in model.learners_.items()}
    average = sum(model.weights_[name] * margin for name, margin in margins.items())
    assert np.allclose(model.decision_function(drawn.X), average, atol=1e-13, rtol=0)


def test_the_table_equals_the_estimators_own_predictions(fitted):
    drawn, model, _ = fitted
    assert np.abs(model.estimator_margin(drawn.X) - model.decision_function(drawn.X)).max() < 1e-12


def test_out_of_fold_margins_do_not_know_their_own_outcome(fitted):
    """Outcomes of pure noise cannot be predicted out of fold, whatever is predicted in the fold."""
    drawn, _, _ = fitted
    rng = np.random.default_rng(0)
    noise = np.repeat(rng.random(1000) < 0.3, 3)  # families alike in outcome, and in one telling feature
    X = np.column_stack([np.repeat(rng.normal(size=1000), 3), rng.normal(size=3000)])
    model = AdditiveEnsemble(bags=1, bags_in_folds=1, folds=3).fit(X, noise, drawn.groups)
    chance = 1 / (1 + np.exp(-model.oof_margin_))
    constant = np.full(3000, noise.mean())
    assert log_loss(noise, chance) > log_loss(noise, constant) - 0.001


def test_the_result_does_not_depend_on_the_number_of_jobs(fitted):
    drawn, model, _ = fitted
    again = AdditiveEnsemble(drawn.specs, bags=3, bags_in_folds=1, folds=3, seed=4, n_jobs=2)
    again.fit(drawn.X, drawn.y, drawn.groups)
    assert again.table_ == model.table_
    assert again.weights_ == model.weights_
    assert np.array_equal(again.oof_margin_, model.oof_margin_)


def test_progress_is_told_stage_by_stage_to_the_end(fitted):
    _, _, stages = fitted
    assert [stage for stage, fraction in stages if fraction == 1.0] == [
        "out of fold",
        "pairs: search",
        "boosted bags",
        "table regression",
    ]


def test_too_few_families_for_folds_give_equal_weights(cases):
    drawn = cases(120)
    model = AdditiveEnsemble(drawn.specs, bags=1, bags_in_folds=1)
    model.fit(drawn.X, drawn.y, np.zeros(120))
    assert set(model.weights_.values()) == {0.5}
    assert np.isnan(model.oof_margin_).all()


def test_weights_follow_the_better_learner_and_stay_equal_for_twins():
    rng = np.random.default_rng(0)
    margin = rng.normal(size=4000)
    y = (rng.random(4000) < 1 / (1 + np.exp(-margin))).astype(float)
    noise = rng.normal(size=4000)
    assert stacking_weights(np.column_stack([margin, noise]), y)[0] > 0.95
    assert stacking_weights(np.column_stack([margin, margin]), y) == pytest.approx([0.5, 0.5])
    assert stacking_weights(np.column_stack([margin, np.full(4000, np.nan)]), y) == pytest.approx([0.5, 0.5])


def test_weights_given_beforehand_are_used_as_they_are(fitted):
    drawn, model, _ = fitted
    again = AdditiveEnsemble(drawn.specs, bags=3, seed=4, weights=model.weights_).fit(drawn.X, drawn.y, drawn.groups)
    assert again.table_ == model.table_
    assert np.isnan(again.oof_margin_).all()


@pytest.mark.parametrize("weight", [0.0, 1.0])
def test_the_estimators_say_what_the_table_says_where_one_learner_has_no_weight(cases, weight):
    drawn = cases(800)
    weights = {"table_regression": 1.0 - weight, "boosted_bags": weight}
    model = AdditiveEnsemble(drawn.specs, bags=2, weights=weights).fit(drawn.X, drawn.y, drawn.groups)
    np.testing.assert_allclose(model.estimator_margin(drawn.X), model.decision_function(drawn.X), atol=1e-12, rtol=0)


@pytest.mark.parametrize("weights", [{"table_regression": 1.0}, {"table_regression": 1.2, "boosted_bags": -0.2}])
def test_weights_that_are_no_mixture_are_refused(weights):
    with pytest.raises(ValueError, match="weights must be"):
        AdditiveEnsemble(weights=weights).fit(np.arange(60.0)[:, None], np.arange(60) % 2)
