"""Protected characteristics and proxies are never drafted as features, and the draft says so and still trains."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pandas as pd
import pytest

from tests.training.cases.drafts import OUTCOME, ROWS, drafted, drawn, one

POOR, PLACE = "a measure of poverty", "stands for poverty and ethnicity by place"


@pytest.mark.parametrize(
    ("name", "column", "reason"),
    [
        ("hh_income", drawn(*range(6000, 9000, 100)), POOR),
        ("benefits", drawn("yes", "no"), POOR),
        ("universalCredit", drawn("yes", "no"), POOR),
        ("housing_tenure", drawn("owned", "rented"), POOR),
        ("FSM eligible", drawn(0, 1), POOR),
        ("imd_decile", drawn(*range(1, 11)), PLACE),
        ("home_postcode_area", drawn(1, 2, 3), PLACE),
        ("is_asylum_seeker", drawn("yes", "no"), "stands for ethnicity and nationality"),
        ("first_language", drawn("English", "Polish"), "stands for ethnicity and nationality"),
    ],
)
def test_a_proxy_by_its_name_is_left_out_with_the_reason_and_a_comment(
    tmp_path: Path, name: str, column: list[object], reason: str
) -> None:
    found = one(tmp_path, column, name)
    assert found["reason"].startswith(reason)
    line = next(line for line in (tmp_path / "draft.toml").read_text().splitlines() if name in line)
    assert line.endswith(
        '# not scored, by its name; if the name misleads, write it as a [[feature]] with accepted = "why"'
    )


@pytest.mark.parametrize(
    "name", ["ethnicity", "mother_race", "Religion", "child_sex", "parentGender", "has_disability"]
)
def test_a_protected_characteristic_is_watched_and_not_scored(tmp_path: Path, name: str) -> None:
    column = ["rare faith"] * 9 + drawn("a", "b", "Not stated", "")[9:]
    found = one(tmp_path, column, name)
    assert found["levels"] == ["Not stated", "a", "b"]
    assert "kind" not in found
    draft = (tmp_path / "draft.toml").read_text()
    assert f'name = "{name}"  # a protected characteristic, by its name: watched for fairness, never scored' in draft
    assert "rare faith" not in draft


@pytest.mark.parametrize(
    ("name", "column", "fix"),
    [
        ("ethnic group", drawn("a", "b"), "rename the column to letters, digits and _ to watch it"),
        ("ethnicity", drawn(*range(60)), "group its answers into a few levels to watch it"),
    ],
)
def test_one_that_cannot_be_watched_as_it_stands_is_left_out_with_the_fix(
    tmp_path: Path, name: str, column: list[object], fix: str
) -> None:
    assert one(tmp_path, column, name)["reason"] == f"a protected characteristic, by its name: {fix}"


@pytest.mark.parametrize("name", ["sex_offender_in_household", "stage", "visits", "reference_score", "traced"])
def test_a_name_that_only_sounds_like_one_is_scored(tmp_path: Path, name: str) -> None:
    assert one(tmp_path, drawn("yes", "no"), name)["kind"] == "yes_no"


def test_a_feature_that_gives_what_is_watched_away_is_left_out_as_well(tmp_path: Path) -> None:
    ethnicity = np.array(drawn("A", "B", "C"))
    nearly = np.where(ethnicity == "A", "1", "2")
    nearly[3] = "1"
    frame = pd.DataFrame({"ethnicity": ethnicity, "code": nearly, "visits": np.arange(ROWS) % 7, "outcome": OUTCOME})
    dictionary, _ = drafted(frame, tmp_path)
    assert [feature.name for feature in dictionary.features] == ["visits"]
    assert [watched.name for watched in dictionary.monitored] == ["ethnicity"]
    assert dictionary.excluded[0].reason.startswith("nearly follows from column ethnicity, which is monitored")
