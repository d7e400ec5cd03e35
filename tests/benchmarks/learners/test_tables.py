"""What is printed: ratios, means over sets, intervals, and an aim that is missed says so."""

import io

import pytest
from rich.console import Console

from benchmarks.learners.opponents import EBM
from benchmarks.learners.ours import OURS, WITHOUT_FLOOR
from benchmarks.learners.tables import SetResults, print_results


def repeats(log_loss, auc, seconds, regret=None):
    one = {"average_precision": 0.3, "calibration_slope": 1.0, "ece": 0.01, "megabytes": 20.0, "seconds": seconds}
    extra = {} if regret is None else {"regret": regret, "oracle_auc": auc + regret}
    return [{**one, **extra, "log_loss": log_loss + shift, "auc": auc - shift} for shift in (0.0, 0.001, 0.002)]


def shown(*sets):
    console = Console(file=io.StringIO(), width=150)
    print_results(console, sets)
    return console.file.getvalue()


@pytest.fixture
def ours_ahead():
    return SetResults(
        "first",
        "rows",
        0.4,
        {OURS: repeats(0.30, 0.80, 2.0), WITHOUT_FLOOR: repeats(0.299, 0.802, 2.0), EBM: repeats(0.31, 0.79, 8.0)},
    )


@pytest.fixture
def ours_behind():
    return SetResults(
        "second", "rows", 0.0, {OURS: repeats(0.20, 0.7, 9.0, 0.004), EBM: repeats(0.16, 0.75, 1.0, 0.001)}
    )


def lines(text, *words):
    return [line for line in text.splitlines() if all(word in line for word in words)]


def test_ratios_and_the_cost_of_the_floor(ours_ahead):
    text = shown(ours_ahead)
    assert lines(text, EBM, "0.31100", "1.0332", "0.7890", "4.00")
    assert lines(text, "first", "+0.00100 (+0.00100 to +0.00100)", "-0.00200 (-0.00200 to -0.00200)")
    assert lines(text, "mean log loss at most that of EBM", "-0.01000", "met")
    assert lines(text, "no more seconds", "0.25 times", "met")
    assert "regret" not in text.split("aim:")[0]


def test_the_mean_over_sets_can_miss_what_one_set_meets(ours_ahead, ours_behind):
    text = shown(ours_ahead, ours_behind)
    assert lines(text, "mean log loss at most that of EBM", "+0.01500", "MISSED")
    assert lines(text, "no worse than EBM", "log loss", "MISSED")
    assert lines(text, "no more seconds", "1.50 times", "MISSED")
    assert lines(text, "of the oracle (second)", "0.0040", "MISSED")
    assert "second: rows; the oracle's AUC is 0.7040" in " ".join(text.split())


def test_a_learner_that_failed_on_one_set_is_not_in_the_means(ours_ahead, ours_behind):
    means = shown(ours_ahead, ours_behind).split("mean of 2 sets")[1].split("Grounds less")[0]
    assert WITHOUT_FLOOR not in means
    assert EBM in means
