"""Each learner in a process of its own: what it may see, what it costs, and what happens when it fails."""

import json

import numpy as np
import pytest
from sklearn.metrics import roc_auc_score

from benchmarks.learners.fit import LEARNERS, FitFailed, fit_apart, write_task
from benchmarks.learners.ours import OURS, WITHOUT_FLOOR
from benchmarks.learners.splits import of_set


@pytest.fixture
def task(small, tmp_path):
    split = of_set(small).split(0)
    write_task(tmp_path, split)
    return split, tmp_path


@pytest.mark.parametrize("name", [OURS, "table regression", "logistic regression", "binned logistic regression"])
def test_a_learner_finds_what_is_there(task, name):
    split, folder = task
    fitted = fit_apart(name, folder)
    assert roc_auc_score(split.outcome, fitted.margin) > 0.68
    assert fitted.seconds > 0
    assert 0 <= fitted.megabytes < 500


def test_the_outcomes_that_it_is_judged_by_are_not_in_the_task(task):
    split, folder = task
    assert sorted(path.name for path in folder.iterdir()) == ["T.npy", "X.npy", "groups.npy", "specs.json", "y.npy"]
    assert np.array_equal(np.load(folder / "y.npy"), split.y)


def test_the_floor_holds_in_ours_and_is_lifted_in_the_variant(small):
    hidden = np.where(small.X[:, 0] == 0, np.nan, small.X[:, 0])
    X = small.X.copy()
    X[:, 0] = np.where(np.arange(len(X)) % 2, hidden, X[:, 0])  # not known is then a sign of no
    y = np.where(np.isnan(X[:, 0]), 0, small.y).astype(np.int8)
    answers = np.array([[0.0, 6.0, 1.0, 20.0], [np.nan, 6.0, 1.0, 20.0]])
    absent, unknown = LEARNERS[OURS](small.specs, X, y, small.groups)(answers)
    assert unknown >= absent
    absent, unknown = LEARNERS[WITHOUT_FLOOR](small.specs, X, y, small.groups)(answers)
    assert unknown < absent - 0.5


def test_a_learner_that_fails_says_why_in_one_line(task):
    _, folder = task
    specs = json.loads((folder / "specs.json").read_text())
    (folder / "specs.json").write_text(json.dumps(specs[:-1]))
    with pytest.raises(FitFailed, match="X has 4 features, but 3 specs were given") as failed:
        fit_apart(OURS, folder)
    assert "\n" not in str(failed.value)
