"""Reads a column as points in time: dates, months, quarters and years with or without a time of day, or plain numbers.

Dates are read as `2022-01-31`, and day first as `31/01/2022` is written here, unless a number above 12 in the second
place shows that the month comes first.
"""

from __future__ import annotations

from collections.abc import Collection
from dataclasses import dataclass

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from model.dictionary import NOT_APPLICABLE
from model.tokens import MISSING

Floats = NDArray[np.float64]

_CLOCK = (
    r"(?P<hour>[01]?\d|2[0-3]):?(?P<minute>[0-5]\d)(?::?(?P<rest>[0-5]\d(?:[.,]\d+)?))?(?P<zone>Z|[+-]\d\d(?::?\d\d)?)?"
)
_YEAR_FIRST = (
    r"(?P<year>(?:19|20)\d\d)[-/ ]?(?:(?P<quarter>[qQ][1-4])|(?P<month>0[1-9]|1[0-2])"
    rf"(?:[-/ ]?(?P<day>0[1-9]|[12]\d|3[01])(?:[T ]{_CLOCK})?)?)?"
)
_YEAR_LAST = (
    r"(?P<one>0?[1-9]|[12]\d|3[01])(?P<between>[/.-])(?P<two>0?[1-9]|[12]\d|3[01])(?P=between)"
    rf"(?P<year>(?:19|20)\d\d)(?:[T ]{_CLOCK})?"
)
TIME, DAY, MONTH, QUARTER, YEAR = 0.0, 1.0, 31.0, 93.0, 372.0
"""How fine a point in time is, in days of months that all have 31: so a month or a quarter is found by division."""
HOW_TO_WRITE = (
    "write 2022-01-31, 31/01/2022 or 2022-01, days with or without 09:30, or plain numbers, one way in a column"
)


@dataclass(frozen=True, slots=True)
class Moments:
    """`at`: (rows,), NaN where not known or not read. `dates`: whether these are dates and not plain numbers.

    `step`: how fine they are, of dates that are not alike the coarsest. `unread`: cells that are no point in time,
    (rows,).
    """

    at: Floats
    dates: bool
    step: float
    unread: NDArray[np.bool_]

    def by(self, step: float) -> Floats:
        """The points in time as whole steps, where `step` is coarser than a time of day: two of one day are equal."""
        return np.floor(self.at / step) if self.dates and step else self.at


def moments(cells: pd.Series, missing: Collection[str] = ()) -> Moments:
    """The points in time of a column of text cells. `missing`: its tokens for *not known*."""
    codes, tokens = pd.factorize(cells.str.strip())
    text = pd.Series(tokens, dtype="str")
    known = ~text.isin({*MISSING, NOT_APPLICABLE, *missing})
    first, last = text.str.extract(f"^{_YEAR_FIRST}$"), text.str.extract(f"^{_YEAR_LAST}$")
    at, step = _year_first(first)
    at_last, step_last = _year_last(last)
    at, step = at.fillna(at_last), step.fillna(step_last)
    numbers = pd.to_numeric(text, errors="coerce").where(lambda found: np.isfinite(found))
    rows = np.bincount(codes, minlength=len(text))
    as_dates, as_numbers = (int(rows[(known & found.notna()).to_numpy()].sum()) for found in (at, numbers))
    dates = as_dates >= as_numbers and as_dates > 0  # 2022 and 20220131 are both: a column of them holds dates
    values = (at if dates else numbers).where(known)
    steps = step[values.notna()]
    return Moments(
        at=values.to_numpy(dtype=float)[codes],
        dates=dates,
        step=float(steps.max()) if dates else TIME,
        unread=(known & values.isna()).to_numpy()[codes],
    )


def _year_first(parts: pd.DataFrame) -> tuple[pd.Series, pd.Series]:
    quarter = _number(parts["quarter"].str[1:]) * 3 - 2
    month, day = _number(parts["month"]).fillna(quarter), _number(parts["day"])
    step = pd.Series(YEAR, index=parts.index).mask(quarter.notna(), QUARTER).mask(parts["month"].notna(), MONTH)
    step = step.mask(day.notna(), DAY).mask(parts["hour"].notna(), TIME)
    at = _days(_number(parts["year"]), month.fillna(1), day.fillna(1)) + _clock(parts)
    return at, step.where(at.notna())


def _year_last(parts: pd.DataFrame) -> tuple[pd.Series, pd.Series]:
    one, two = _number(parts["one"]), _number(parts["two"])
    month_first = bool((two > 12).any()) and not bool((one > 12).any())
    day, month = (two, one) if month_first else (one, two)
    at = _days(_number(parts["year"]), month.where(month <= 12), day) + _clock(parts)
    step = pd.Series(DAY, index=parts.index).mask(parts["hour"].notna(), TIME)
    return at, step.where(at.notna())


def _days(year: pd.Series, month: pd.Series, day: pd.Series) -> pd.Series:
    return year * YEAR + (month - 1) * MONTH + day - 1


def _clock(parts: pd.DataFrame) -> pd.Series:
    """The time of day as a share of the day, moved to the meridian where a zone is named."""
    seconds = _number(parts["rest"].str.replace(",", "."))
    minutes = _number(parts["hour"]) * 60 + _number(parts["minute"]) + seconds.fillna(0) / 60
    zone = parts["zone"].str.extract(r"(?P<sign>[+-])(?P<hours>\d\d):?(?P<minutes>\d\d)?")
    ahead = _number(zone["hours"]) * 60 + _number(zone["minutes"]).fillna(0)
    ahead = ahead.mask(zone["sign"] == "-", -ahead).fillna(0)
    return ((minutes - ahead) / (24 * 60)).fillna(0)


def _number(texts: pd.Series) -> pd.Series:
    return pd.to_numeric(texts, errors="coerce").astype(float)


def written(at: float) -> str:
    """A day as it is written in a report, from a point in time of a column of dates."""
    year, rest = divmod(int(at // DAY), int(YEAR))
    month, day = divmod(rest, int(MONTH))
    return f"{year:04}-{month + 1:02}-{day + 1:02}"
