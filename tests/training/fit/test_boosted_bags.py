from __future__ import annotations

import numpy as np
import pytest
from sklearn.metrics import roc_auc_score

from training.fit import boosted_bags
from training.fit.boosted_bags import BoostedBags
from training.fit.folds import held_out_families
from training.fit.terms import TermSpec


@pytest.fixture(scope="module")
def fitted(cases):
    drawn = cases(4000)
    return drawn, BoostedBags(drawn.specs, bags=3, seed=7).fit(drawn.X, drawn.y, drawn.groups)


def test_bags_are_cut_back_to_their_best_round(fitted):
    _, model = fitted
    for bag in model.bags_:
        scores = bag.estimator.validation_score_
        assert bag.estimator.n_iter_ == max(int(np.argmax(scores)), 1) < len(scores) - 1


def test_each_bag_leaves_out_other_families(fitted):
    _, model = fitted
    assert len({bag.estimator.n_iter_ for bag in model.bags_} | {bag.table() for bag in model.bags_}) > 3


def test_every_tree_looks_at_one_column_and_design_columns_name_its_feature(fitted):
    drawn, model = fitted
    for bag in model.bags_:
        assert bag.design(drawn.X).shape == (len(drawn.y), len(bag.design_columns))
        assert set(bag.design_columns) == set(range(len(drawn.specs)))
        assert all(tree[0].get_n_leaf_nodes() <= 2 for tree in bag.estimator._predictors)


def test_bags_rank_fresh_cases_nearly_as_well_as_the_truth(fitted, cases):
    _, model = fitted
    fresh = cases(8000, seed=9)
    assert roc_auc_score(fresh.y, model.decision_function(fresh.X)) > roc_auc_score(fresh.y, fresh.margin) - 0.02


def test_the_table_is_the_same_whatever_the_number_of_jobs(fitted):
    drawn, model = fitted
    again = BoostedBags(drawn.specs, bags=3, seed=7, n_jobs=2).fit(drawn.X, drawn.y, drawn.groups)
    assert again.table_ == model.table_


def test_category_levels_are_ordered_by_rate_so_that_few_stumps_part_them():
    rng = np.random.default_rng(0)
    x = rng.integers(0, 20, 6000)
    risky = x % 2 == 0
    y = rng.random(6000) < np.where(risky, 0.4, 0.1)
    term = BoostedBags([TermSpec("x", "category", levels=20)], bags=2).fit(x[:, None], y).table_.terms[0]
    values = np.array(term.values)
    assert values[::2].min() > values[1::2].max()


def test_with_too_few_events_to_stop_early_it_still_fits(cases):
    drawn = cases(200)
    y = np.zeros(200)
    y[:4] = 1
    model = BoostedBags(drawn.specs, bags=1).fit(drawn.X, y)
    assert np.isfinite(model.decision_function(drawn.X)).all()


def test_of_very_many_rows_each_bag_draws_families_of_its_own_and_ranks_as_well(cases, monkeypatch):
    drawn, fresh = cases(12_000), cases(8000, seed=9)
    whole = BoostedBags(drawn.specs, bags=2, seed=7).fit(drawn.X, drawn.y, drawn.groups)
    seen = []

    def noted(y, groups, share, seed):
        chosen = held_out_families(y, groups, share, seed)
        seen.append((groups, chosen))
        return chosen

    monkeypatch.setattr(boosted_bags, "held_out_families", noted)
    monkeypatch.setattr(boosted_bags, "MOST_ROWS", 4_000)
    part = BoostedBags(drawn.specs, bags=2, seed=7).fit(drawn.X, drawn.y, drawn.groups)
    draws, left_out = seen[::2], seen[1::2]
    for (groups, chosen), (left, _) in zip(draws, left_out, strict=True):
        assert set(groups[chosen]).isdisjoint(groups[~chosen])
        assert 3_600 < len(left) == chosen.sum() < 4_400
    assert (draws[0][1] != draws[1][1]).any()
    assert part.table_ != whole.table_
    aucs = [roc_auc_score(fresh.y, model.decision_function(fresh.X)) for model in (whole, part)]
    assert aucs[1] > aucs[0] - 0.02
