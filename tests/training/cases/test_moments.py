"""However a system writes dates, the same moments are read; what cannot be read is said, never passed over."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pandas as pd
import pytest

from tests.builders import built_dictionary
from training.cases.file import read_cases
from training.cases.moments import DAY, MONTH, QUARTER, TIME, YEAR, moments, written
from training.cases.table import CaseFileError, read_table

ROWS = 600
DAYS = pd.Series(
    pd.Timestamp("2022-01-01") + pd.to_timedelta(np.random.default_rng(1).integers(0, 900, ROWS), unit="D")
)
REVIEWED = (DAYS + pd.Timedelta(days=40)).dt.strftime("%Y-%m")
WAYS = {
    "ISO": DAYS.dt.strftime("%Y-%m-%d"),
    "day first": DAYS.dt.strftime("%d/%m/%Y"),
    "day first, short": [f"{day.day}.{day.month}.{day.year}" for day in DAYS],
    "month first": DAYS.dt.strftime("%m/%d/%Y"),
    "with a time": DAYS.dt.strftime("%Y-%m-%d 09:30:00"),
    "with a T": DAYS.dt.strftime("%Y-%m-%dT09:30:00"),
    "with a zone": DAYS.dt.strftime("%Y-%m-%dT09:30:00.250Z"),
    "day first with a time": DAYS.dt.strftime("%d/%m/%Y 09:30"),
    "month": DAYS.dt.strftime("%Y-%m"),
}


@pytest.mark.parametrize(
    ("cells", "step", "first"),
    [
        (["2022-02-01", ""], DAY, "2022-02-01"),
        (["01/02/2022"], DAY, "2022-02-01"),
        (["01/02/2022", "01/13/2022"], DAY, "2022-01-02"),
        (["2022-02-01 09:30:00", "2022-02-02"], DAY, "2022-02-01"),
        (["2022-02-01T23:30:00-01:00"], TIME, "2022-02-02"),
        (["2022-02"], MONTH, "2022-02-01"),
        (["2022Q2"], QUARTER, "2022-04-01"),
        (["2022"], YEAR, "2022-01-01"),
        (["20220201"], DAY, "2022-02-01"),
    ],
)
def test_a_date_is_read_as(cells: list[str], step: float, first: str) -> None:
    found = moments(pd.Series(cells))
    assert (found.dates, found.step, written(float(found.at[0]))) == (True, step, first)
    assert not found.unread.any()


def test_what_is_no_point_in_time_is_unread_and_what_is_not_known_is_not() -> None:
    found = moments(pd.Series(["2022-02-31", "2022-02-01", "soon", "2022-13-01", "", "not_known", "NK"]), ("NK",))
    assert list(found.unread) == [False, False, True, True, False, False, False]
    numbers = moments(pd.Series(["3", "2.5", "inf", "2022-02-01", "4"]))
    assert (numbers.dates, list(numbers.unread)) == (False, [False, False, True, True, False])


@pytest.mark.parametrize("way", WAYS)
def test_what_came_after_the_contact_is_found_however_the_contact_is_dated(tmp_path: Path, way: str) -> None:
    errors = errors_of(tmp_path, pd.Series(WAYS[way]))
    assert len(errors) == 1
    assert errors[0].startswith("column reviewed: is dated after the contact in ")


def test_a_time_of_day_in_parquet_is_read(tmp_path: Path) -> None:
    at = DAYS + pd.to_timedelta(np.arange(ROWS) * 61.5, unit="s")
    frame = pd.DataFrame(
        {"at": at, "reviewed": REVIEWED, "visits": np.arange(ROWS) % 7, "outcome": np.arange(ROWS) % 2}
    )
    frame.to_parquet(tmp_path / "cases.parquet", index=False)
    assert moments(read_table(tmp_path / "cases.parquet")["at"]).step == TIME
    with pytest.raises(CaseFileError, match="column reviewed: is dated after the contact in "):
        read_cases(tmp_path / "cases.parquet", dictionary())


def test_what_is_dated_in_the_month_of_the_contact_is_not_after_it(tmp_path: Path) -> None:
    for way in ("with a time", "month"):
        frame = table(pd.Series(WAYS[way])).assign(reviewed=DAYS.dt.strftime("%Y-%m"))
        frame.to_csv(tmp_path / "cases.csv", index=False)
        assert read_cases(tmp_path / "cases.csv", dictionary()).accepted == ()


def test_a_time_that_cannot_be_read_is_an_error_with_the_fix_and_without_the_cell(tmp_path: Path) -> None:
    cells = DAYS.dt.strftime("%Y-%m-%d")
    cells[[3, 7]] = "1st of May"
    errors = errors_of(tmp_path, cells)
    assert errors[0].startswith("lines 5, 9, column at: the time of the contact cannot be read; write 2022-01-31")
    assert "May" not in " ".join(errors)
    assert "lines 2, 3, 4, 5, 6 and 595 more" in errors_of(tmp_path, DAYS.dt.strftime("%d/%m/%y"))[0]
    assert errors_of(tmp_path, pd.Series([""] * ROWS))[0].startswith("column at: the time of the contact is not known")


def dictionary() -> object:
    levels = sorted({*REVIEWED, *DAYS.dt.strftime("%Y-%m")})[:32]
    reviewed = {"name": "reviewed", "kind": "category", "levels": [*levels[:31], "other"]}
    return built_dictionary({"name": "visits", "kind": "count"}, reviewed, time={"column": "at"})


def table(at: pd.Series) -> pd.DataFrame:
    return pd.DataFrame({"at": at, "reviewed": REVIEWED, "visits": np.arange(ROWS) % 7, "outcome": np.arange(ROWS) % 2})


def errors_of(folder: Path, at: pd.Series) -> list[str]:
    table(at).to_csv(folder / "cases.csv", index=False)
    with pytest.raises(CaseFileError) as caught:
        read_cases(folder / "cases.csv", dictionary())
    return caught.value.errors
