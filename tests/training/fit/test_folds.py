from __future__ import annotations

import numpy as np

from training.fit.folds import grouped_folds, held_out_families, resampled_families

RNG = np.random.default_rng(1)
GROUPS = np.unique(RNG.integers(0, 400, 1000), return_inverse=True)[1]
Y = (RNG.random(1000) < 0.15).astype(float)


def test_families_are_never_split_and_every_row_is_held_out_once():
    folds = grouped_folds(Y, GROUPS, 5, seed=0)
    fold_of_row = np.full(1000, -1)
    for number, rows in enumerate(folds):
        assert (fold_of_row[rows] == -1).all()
        fold_of_row[rows] = number
    assert fold_of_row.min() == 0
    assert all(len(np.unique(fold_of_row[g == GROUPS])) == 1 for g in np.unique(GROUPS))


def test_events_are_spread_evenly():
    events = [Y[rows].sum() for rows in grouped_folds(Y, GROUPS, 5, seed=0)]
    assert max(events) - min(events) <= 4


def test_the_seed_deals_families_differently():
    first, second = (grouped_folds(Y, GROUPS, 5, seed=seed)[0] for seed in (0, 1))
    assert first.tolist() != second.tolist()


def test_folds_are_as_few_as_families_with_events_allow():
    y = np.zeros(20)
    y[[0, 1, 2]] = 1.0
    assert len(grouped_folds(y, np.arange(20), 5, seed=0)) == 3
    assert grouped_folds(y, np.zeros(20, dtype=np.intp), 5, seed=0) == []


def test_held_out_families_are_whole_and_about_the_share_asked_for():
    held_out = held_out_families(Y, GROUPS, 0.15, seed=3)
    assert 0.12 < held_out.mean() < 0.18
    assert not set(GROUPS[held_out]) & set(GROUPS[~held_out])
    assert abs(Y[held_out].mean() - Y.mean()) < 0.03


def test_resampling_draws_whole_families_as_many_as_there_are():
    drawn = resampled_families(GROUPS, np.random.default_rng(0))
    by_family = {g: set(drawn[g == GROUPS]) for g in np.unique(GROUPS)}
    assert all(len(times) == 1 for times in by_family.values())
    assert sum(times.pop() for times in by_family.values()) == len(by_family)
