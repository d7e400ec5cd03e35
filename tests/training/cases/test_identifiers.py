"""Columns of direct identifiers are known by what they hold or are called, wherever in the file they stand."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pandas as pd
import pytest

from model.dictionary import shipped_dictionary
from model.identifiers import is_nhs_number
from tests.builders import built_dictionary
from training.cases.file import read_cases
from training.cases.identifiers import column_identifier, names_a_person
from training.cases.table import CaseFileError

GIVEN = ["Sarah", "James", "Aisha", "Zoë", "Mary-Anne", "Kwame"]
FAMILY = ["Jones", "O'Brien", "Khan", "Okonkwo-Smith"]
PEOPLE = [f"{given} {family}" for given in GIVEN for family in FAMILY]
NHS = [str(number) for number in range(4000000000, 4000000400) if is_nhs_number(str(number))]


@pytest.mark.parametrize(
    ("tokens", "kind"),
    [
        (PEOPLE, "names of people"),
        ([f"{family}, {given}" for given in GIVEN for family in FAMILY], "names of people"),
        ([*FAMILY, *GIVEN, "Patel", "Smith", "Novak", "Silva", "Mensah", "Kaur"], "names of people"),
        (NHS, "an NHS number"),
        ([f"{number[:3]} {number[3:6]} {number[6:]}" for number in NHS], "an NHS number"),
        ([f"{number}.0" for number in NHS], "an NHS number"),
        ([f"200{year}0{month}15" for year in range(5) for month in range(1, 9)], "a date"),
        ([f"{day}/03/2019" for day in range(1, 28)], "a date"),
        (["SW1A 1AA", "M1 1AE", "LS2 9JT", "", "not_known"], "a postcode"),
        (["SW1A", "LS2 9", "CB1", "NG7", "M1"], "parts of postcodes"),
        (["E01000001", "W01000034", "E01032739"], "codes of small areas"),
        (["07700900123", "07700900456"], "a phone number"),
        (["7700900123.0", "7700900456.0"], "a phone number"),
        (["someone@example.org", "other@example.org"], "an e-mail address"),
        ([f"seen at home {number} times this month" for number in range(20)], "free text"),
    ],
)
def test_a_column_that_holds_identifiers_is_known_under_any_name(tokens: list[str], kind: str) -> None:
    assert column_identifier("x", tokens) == kind


@pytest.mark.parametrize(
    "tokens",
    [
        ["White British", "Black African", "Mixed Other", ""],
        ["gp", "police", "school"],
        ["E11", "I10", "F32", "M54", "S72", "K21", "J45", "C50", "A09", "D64"],
        [str(number) for number in range(5000000000, 5000000300)],
        [str(weight) for weight in range(400, 5000, 7)],
        [f"{number / 7:.3f}" for number in range(300)],
        ["", "not_known"],
    ],
)
def test_ordinary_columns_pass(tokens: list[str]) -> None:
    assert column_identifier("x", tokens) is None


def test_levels_that_the_dictionary_declares_are_answers_whatever_they_look_like() -> None:
    assert column_identifier("x", PEOPLE, PEOPLE) is None
    assert column_identifier("surname", ["yes", "no", ""]) is None
    assert column_identifier("notes", [str(number) for number in range(40)]) is None
    assert column_identifier("surname", ["aa", "bb"]) == "a direct identifier, by its name"


@pytest.mark.parametrize(
    "name",
    ["surname", "DateOfBirth", "NHS Number", "nhs_no", "mother_name", "postcode", "name", "dob", "E-mail", "Notes"],
)
def test_a_direct_identifiers_name_is_known(name: str) -> None:
    assert names_a_person(name)


def test_no_feature_of_the_shipped_dictionary_is_named_like_an_identifier() -> None:
    names = [feature.file_column for feature in shipped_dictionary().features]
    assert [name for name in names if names_a_person(name)] == []
    assert not any(map(names_a_person, ["renamed", "child_mobility", "addressed", "unnamed_count"]))


@pytest.mark.parametrize("suffix", ["csv", "parquet"])
@pytest.mark.parametrize("role", ["category", "number", "group", "monitored", "unused", "excluded"])
def test_identifiers_are_refused_wherever_they_stand_and_never_repeated(tmp_path: Path, role: str, suffix: str) -> None:
    """A category takes what it does not list for `other`, and a number takes ten digits: only the column tells."""
    path = tmp_path / f"cases.{suffix}"
    frame = pd.DataFrame({"seen": ["yes", "no"] * (len(NHS) // 2)})
    frame["who"], frame["outcome"] = NHS[: len(frame)], np.arange(len(frame)) % 3 // 2
    frame.to_csv(path, index=False) if suffix == "csv" else frame.to_parquet(path, index=False)
    seen = {"name": "seen", "kind": "yes_no"}
    dictionary = {
        "category": lambda: built_dictionary(seen, {"name": "who", "kind": "category", "levels": ["gp", "other"]}),
        "number": lambda: built_dictionary(seen, {"name": "who", "kind": "number"}),
        "group": lambda: built_dictionary(seen, group={"column": "who"}),
        "monitored": lambda: built_dictionary(seen, monitored=[{"name": "who", "label": "W", "levels": ["a", "b"]}]),
        "unused": lambda: built_dictionary(seen),
        "excluded": lambda: built_dictionary(seen, excluded=[{"name": "who", "reason": "an identifier"}]),
    }[role]()
    if role == "excluded":
        assert read_cases(path, dictionary).ignored == ("who",)
        return
    with pytest.raises(CaseFileError) as caught:
        read_cases(path, dictionary)
    assert len(caught.value.errors) == 1
    assert "column who: holds what looks like an NHS number; " in caught.value.errors[0]
    assert not any(number in str(caught.value) for number in NHS)
