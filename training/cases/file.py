"""Reads cases from a CSV or Parquet file into the matrix that the learners see.

Columns are found by the dictionary; others are named and ignored. Every error is collected, by line and column, with
the fix, before anything is fitted. No error repeats a value that is not a level.
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from model.dictionary import NOT_APPLICABLE, NOT_KNOWN, Dictionary, Feature, Value
from model.identifiers import identifier_kind
from model.tokens import ValueRefused, file_fix, read_token

Floats = NDArray[np.float64]

SHOWN_ERRORS = 20
HEADER_LINES = 2  # the header is line 1 and the first row line 2


class CaseFileError(ValueError):
    """A file of cases that cannot be used. `errors` has one line a problem; the message shows the first of them."""

    def __init__(self, path: Path | str, errors: Iterable[str]) -> None:
        self.errors = list(errors)
        shown = [f"{path}: {error}" for error in self.errors[:SHOWN_ERRORS]]
        rest = len(self.errors) - len(shown)
        super().__init__("\n".join([*shown, *([f"{path}: and {rest} more"] if rest else [])]))


@dataclass(frozen=True, slots=True)
class CaseFile:
    """Cases ready for the learners.

    `X`: float64, (rows, features) in dictionary order; level index or number, NaN not known, -inf not applicable.
    `y`: 0 or 1, (rows,). `groups`: family of each row as a whole number, (rows,). `time`: (rows,) or None.
    `monitored`: protected characteristics as text, for fairness only. `ignored`: columns of the file not used.
    """

    X: Floats
    y: NDArray[np.int8]
    groups: NDArray[np.int64]
    time: NDArray[np.str_] | None
    monitored: pd.DataFrame
    ignored: tuple[str, ...]


def read_table(path: Path) -> pd.DataFrame:
    """The file as text, format by extension. Raises `CaseFileError` with the fix."""
    try:
        if path.suffix == ".parquet":
            frame = pd.read_parquet(path)
            return frame.astype("str").where(frame.notna(), "")
        if path.suffixes[-1:] == [".csv"] or path.suffixes[-2:] == [".csv", ".gz"]:
            return pd.read_csv(path, dtype="str", keep_default_na=False, na_filter=False)
    except (OSError, ValueError, UnicodeDecodeError) as error:
        raise CaseFileError(path, [f"cannot be read: {str(error).splitlines()[0]}"]) from None
    raise CaseFileError(path, ["give a file that ends in .csv, .csv.gz or .parquet"])


def read_cases(path: Path, dictionary: Dictionary) -> CaseFile:
    """Reads and checks a file of cases with outcomes. Raises `CaseFileError` listing every problem."""
    return cases_from(read_table(path), dictionary, str(path))


def cases_from(frame: pd.DataFrame, dictionary: Dictionary, where: str = "data") -> CaseFile:
    """Checks a table of text cells against the dictionary. Raises `CaseFileError` listing every problem."""
    errors: list[str] = []
    outcome, group, time = dictionary.outcome.column, dictionary.group, dictionary.time
    needed = [f.file_column for f in dictionary.features] + [c for c in (outcome, group, time) if c]
    errors += [f"column {column}: is missing; the dictionary needs it" for column in needed if column not in frame]
    if errors:
        raise CaseFileError(where, errors)
    if frame.empty:
        raise CaseFileError(where, ["has no rows below the header"])
    X = np.empty((len(frame), len(dictionary.features)), order="F")
    for j, feature in enumerate(dictionary.features):
        X[:, j] = encode(feature, frame[feature.file_column], errors)
    y = _outcome(frame[outcome], dictionary, errors)
    groups = _groups(frame[group], group, errors) if group else np.arange(len(frame), dtype=np.int64)
    if errors:
        raise CaseFileError(where, errors)
    used = {*needed, *(monitored.name for monitored in dictionary.monitored)}
    watched = frame[[m.name for m in dictionary.monitored if m.name in frame]]
    return CaseFile(
        X=X,
        y=y,
        groups=groups,
        time=frame[time].to_numpy(dtype=np.str_) if time else None,
        monitored=watched,
        ignored=tuple(column for column in frame.columns if column not in used),
    )


def encode(feature: Feature, cells: pd.Series, errors: list[str]) -> Floats:
    """One column of text cells as float64 codes, (rows,). Problems are added to `errors` by line."""
    codes, tokens = pd.factorize(cells)
    values = np.full(len(tokens), np.nan)
    bad: list[int] = []
    for position, token in enumerate(tokens):
        try:
            values[position] = _code(feature, read_token(feature, str(token)))
        except ValueRefused:
            bad.append(position)
    if bad:
        lines = np.flatnonzero(np.isin(codes, bad)) + HEADER_LINES
        kind = identifier_kind(str(tokens[bad[0]]))
        what = f"holds what looks like {kind}; remove the column" if kind else file_fix(feature)
        more = f" (and {len(lines) - 1} more lines)" if len(lines) > 1 else ""
        errors.append(f"line {lines[0]}, column {feature.file_column}: {what}{more}")
    return np.asarray(values[codes])


def _code(feature: Feature, value: Value) -> float:
    if value == NOT_KNOWN:
        return float("nan")
    if value == NOT_APPLICABLE:
        return float("-inf")
    return float(feature.levels.index(value)) if isinstance(value, str) else float(value)


def _outcome(cells: pd.Series, dictionary: Dictionary, errors: list[str]) -> NDArray[np.int8]:
    column = dictionary.outcome.column
    empty = np.flatnonzero((cells == "").to_numpy())
    if len(empty):
        errors.append(
            f"line {empty[0] + HEADER_LINES}, column {column}: the outcome is empty; remove the row ({len(empty)} rows)"
        )
    positive = {*dictionary.outcome.positive, *(f"{value}.0" for value in dictionary.outcome.positive)}
    y = cells.isin(positive).to_numpy(dtype=np.int8)
    if not 0 < int(y.sum()) < len(y):
        errors.append(
            f"column {column}: every row has the same outcome; positive is {', '.join(dictionary.outcome.positive)}"
        )
    return np.asarray(y)


def _groups(cells: pd.Series, column: str, errors: list[str]) -> NDArray[np.int64]:
    empty = np.flatnonzero((cells == "").to_numpy())
    if len(empty):
        errors.append(
            f"line {empty[0] + HEADER_LINES}, column {column}: the family is empty; fill it ({len(empty)} rows)"
        )
    return np.asarray(pd.factorize(cells)[0], dtype=np.int64)
