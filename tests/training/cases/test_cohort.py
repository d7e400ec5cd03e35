"""The synthetic cohort keeps what it says: sources, truth apart, realistic gaps, and the same bytes for a seed."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pandas as pd
import pytest

from model.case import Case, admit
from model.dictionary import Dictionary, shipped_dictionary
from model.dictionary_rules import read_dictionary
from model.grounds import find_grounds
from training.cases.cohort import (
    Cohort,
    crude_odds_ratios,
    ground_shares,
    make_cohort,
    odds_ratio_report,
    unknown_shares,
    write_cohort,
)
from training.cases.cohort_plan import read_plan
from training.cases.file import read_cases

FAMILIES = 60_000
SEED = 20260401


@pytest.fixture(scope="module")
def dictionary() -> Dictionary:
    return shipped_dictionary()


@pytest.fixture(scope="module")
def cohort(dictionary: Dictionary) -> Cohort:
    return make_cohort(FAMILIES, SEED, dictionary)


@pytest.fixture(scope="module")
def written(cohort: Cohort, tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("cohort")
    write_cohort(cohort, folder)
    return folder


def outcome(cohort: Cohort) -> np.ndarray:
    return np.asarray(cohort.cases[cohort.dictionary.outcome.column])


def test_the_same_seed_gives_the_same_bytes_and_another_seed_others(dictionary: Dictionary, tmp_path: Path) -> None:
    for name, seed in (("first", 5), ("again", 5), ("other", 6)):
        write_cohort(make_cohort(800, seed, dictionary), tmp_path / name)
    for file in ("cohort.csv", "truth.csv"):
        first, again, other = ((tmp_path / name / file).read_bytes() for name in ("first", "again", "other"))
        assert first == again
        assert first != other


def test_one_family_is_enough(dictionary: Dictionary) -> None:
    assert 1 <= len(make_cohort(1, 1, dictionary).cases) <= 3


def test_some_families_have_brothers_and_sisters(cohort: Cohort) -> None:
    sizes = cohort.cases["family_id"].value_counts()
    assert len(sizes) == FAMILIES
    assert set(sizes.unique()) == {1, 2, 3}
    assert 0.2 < (sizes > 1).mean() < 0.3


def test_brothers_and_sisters_share_what_is_the_familys(cohort: Cohort, dictionary: Dictionary) -> None:
    """Mothers are as old for one child as for the next within the two years; outcomes go together."""
    by_family = cohort.cases[["family_id", "mother_age_years"]].replace("", np.nan).dropna()
    assert (by_family.groupby("family_id")["mother_age_years"].nunique() == 1).all()
    y = pd.Series(outcome(cohort)).groupby(cohort.cases["family_id"])
    pairs = y.agg(["sum", "size"])[lambda family: family["size"] == 2]["sum"]
    both, expected = (pairs == 2).mean(), (pairs.mean() / 2) ** 2
    assert both > 2 * expected


def test_the_base_rate_is_the_one_derived_from_published_figures(cohort: Cohort, dictionary: Dictionary) -> None:
    rate = read_plan(dictionary).base_rate
    assert rate == pytest.approx(0.0225, abs=0.0001)
    assert cohort.truth["true_probability"].mean() == pytest.approx(rate, rel=1e-3)
    assert outcome(cohort).mean() == pytest.approx(rate, rel=0.06)


def test_every_outcome_is_recorded_and_every_reference_differs(cohort: Cohort) -> None:
    assert set(np.unique(outcome(cohort))) == {0, 1}
    assert cohort.cases["case_ref"].is_unique
    assert cohort.cases["contact_month"].between(1, 24).all()


def test_every_value_is_one_that_the_dictionary_allows(cohort: Cohort, dictionary: Dictionary) -> None:
    for feature in dictionary.features:
        for text in cohort.cases[feature.file_column].unique():
            if text == "":
                continue
            number = feature.is_numeric and text != "not_applicable"
            assert (
                admit(feature, (int(text) if feature.kind == "count" else float(text)) if number else text) is not None
            )
    for monitored in dictionary.monitored:
        assert set(cohort.cases[monitored.name]) == set(monitored.levels)


def test_training_reads_the_file_back_to_the_same_matrix(written: Path, cohort: Cohort, dictionary: Dictionary) -> None:
    cases = read_cases(written / "cohort.csv", dictionary)
    np.testing.assert_array_equal(cases.X, cohort.X)
    np.testing.assert_array_equal(cases.y, outcome(cohort))
    assert cases.ignored == ("case_ref",)
    assert len(np.unique(cases.groups)) == FAMILIES


def test_the_truth_is_not_in_the_cases(written: Path, cohort: Cohort) -> None:
    header = (written / "cohort.csv").read_text(encoding="utf-8").splitlines()[0].split(",")
    assert not {"true_probability", "observed_oracle"} & set(header)
    truth = pd.read_csv(written / "truth.csv")
    assert list(truth) == ["case_ref", "true_probability", "observed_oracle"]
    assert (truth["case_ref"] == cohort.cases["case_ref"]).all()


@pytest.mark.parametrize("column", ["true_probability", "observed_oracle"])
def test_probabilities_of_the_truth_are_calibrated(cohort: Cohort, column: str) -> None:
    """In each of seven bands the outcomes are as many as the probability says, within chance and approximation."""
    probability, y = cohort.truth[column].to_numpy(), outcome(cohort)
    bands = np.searchsorted(np.quantile(probability, [0.5, 0.8, 0.9, 0.95, 0.98, 0.995]), probability)
    for band in range(7):
        expected, happened = probability[bands == band].sum(), y[bands == band].sum()
        assert abs(happened - expected) < 4 * np.sqrt(expected) + 0.08 * expected, f"band {band}"


def test_the_oracle_stands_between_the_base_rate_and_the_whole_truth(cohort: Cohort) -> None:
    y = outcome(cohort)

    def log_loss(p: np.ndarray) -> float:
        return float(-np.mean(y * np.log(p) + (1 - y) * np.log1p(-p)))

    truth, oracle = (cohort.truth[c].to_numpy().clip(1e-6, 1 - 1e-6) for c in ("true_probability", "observed_oracle"))
    assert log_loss(truth) < log_loss(oracle) < 0.9 * log_loss(np.full(len(y), y.mean()))


def test_crude_odds_ratios_are_near_the_published_ones_where_they_compare(
    cohort: Cohort, dictionary: Dictionary
) -> None:
    ratios = crude_odds_ratios(cohort, dictionary)
    comparable = ratios[ratios["compare"] == "yes"]
    assert len(comparable) >= 10
    # Allows for chance: some interval end must lie within the factor.
    assert (comparable["low"] / comparable["published"] < 1.5).all()
    assert (comparable["high"] / comparable["published"] > 1 / 1.5).all()
    assert np.exp(np.abs(np.log(comparable["ratio"])).median()) < 1.3


def test_odds_ratios_of_other_outcomes_are_raised_and_say_why_they_do_not_compare(
    cohort: Cohort, dictionary: Dictionary
) -> None:
    other = crude_odds_ratios(cohort, dictionary).query("compare == 'no'")
    assert (other["low"] > 1).all()
    assert (other["note"] != "").all()
    assert (other["cohort_or"] < 1.5 * other["published"]).all()


def test_what_is_not_known_says_something(cohort: Cohort, dictionary: Dictionary) -> None:
    """Nothing known of the second parent goes with a higher rate; essential questions are nearly always answered."""
    shares = unknown_shares(cohort, dictionary).set_index("feature")
    for name in ("second_parent_violence_history", "second_parent_mental_health_history"):
        assert shares.loc[name, "not_known"] > 0.2
        assert shares.loc[name, "rate_not_known"] > 1.3 * shares.loc[name, "rate_known"]
    essential = [feature.name for feature in dictionary.features if feature.essential]
    assert (shares.loc[essential, "not_known"] < 0.02).all()
    assert shares["not_known"].mean() > 0.1


def test_does_not_apply_where_it_cannot_apply(cohort: Cohort) -> None:
    cases = cohort.cases
    unborn = cases["child_stage"] == "unborn"
    for name in ("birth_weight_g", "injury_or_bruise", "child_mobility"):
        assert (cases.loc[unborn, name] == "not_applicable").all()
        assert (cases.loc[~unborn, name] != "not_applicable").all()
    alone = cases["children_in_household"] == "1"
    assert (cases.loc[alone, "previous_child_removed"] == "not_applicable").mean() > 0.9
    no_other = cases["other_adult_in_household"] == "no"
    assert (cases.loc[no_other, "other_adult_violence_history"] == "not_applicable").all()
    assert (cases.loc[cases["other_adult_in_household"] == "", "other_adult_violence_history"] == "").all()


def test_grounds_stay_within_the_alert_budget(cohort: Cohort, dictionary: Dictionary) -> None:
    shares = ground_shares(cohort.X, dictionary).set_index("ground")
    assert shares.loc["any", "met"] < 0.035
    assert shares.loc["any", "undecided"] < 0.10
    assert (shares["met"] > 0).all()


def test_ground_shares_agree_with_the_service_case_by_case(cohort: Cohort, dictionary: Dictionary) -> None:
    rows = 400
    X = cohort.X[:rows]
    met = {ground.code: 0 for ground in dictionary.grounds}
    undecided = dict(met)
    for row in range(rows):
        cells = cohort.cases.iloc[row]
        given = {
            f.name: float(cells[f.name])
            if f.is_numeric and cells[f.name] not in ("", "not_applicable")
            else cells[f.name]
            for f in dictionary.features
        }
        found = find_grounds(dictionary, Case.of(dictionary, {k: v for k, v in given.items() if v != ""}))
        for ground in found.met:
            met[ground.code] += 1
        for hanging in found.undecided:
            undecided[hanging.ground.code] += 1
    shares = ground_shares(X, dictionary).set_index("ground")
    for code in met:
        assert shares.loc[code, "met"] * rows == pytest.approx(met[code])
        assert shares.loc[code, "undecided"] * rows == pytest.approx(undecided[code])


def test_the_report_prints_every_published_factor_with_its_source(dictionary: Dictionary) -> None:
    report = odds_ratio_report(make_cohort(500, 1, dictionary))
    for published in read_plan(dictionary).raw["published"]:
        assert published["factor"] in report
        assert published["source"] in report


def test_a_dictionary_with_other_features_is_refused(dictionary: Dictionary) -> None:
    raw = dict(dictionary.raw)
    raw["feature"] = [*raw["feature"], {"name": "other_feature", "label": "Other", "kind": "yes_no"}]
    with pytest.raises(ValueError, match="other_feature"):
        make_cohort(10, 1, read_dictionary(raw, "test"))
