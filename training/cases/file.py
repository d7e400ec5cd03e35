"""Reads cases from a CSV or Parquet file into the matrix that the learners see.

Columns are found by the dictionary; others are named and ignored. Every error is collected, by line and column, with
the fix, before anything is fitted. No error repeats a value that is not a level.
"""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from model.dictionary import NOT_APPLICABLE, NOT_KNOWN, Dictionary, Feature, Value
from model.identifiers import identifier_kind
from model.tokens import MISSING, ValueRefused, file_fix, read_token
from training.cases.table import CaseFileError, read_table

Floats = NDArray[np.float64]

NO_OUTCOME = frozenset({"", NOT_KNOWN, "?", "NA", "N/A", "NaN", "nan", "NULL", "null"})
"""What can never say that an outcome did not happen, unless the dictionary names it as positive."""


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


def read_cases(path: Path, dictionary: Dictionary) -> CaseFile:
    """Reads and checks a file of cases with outcomes. Raises `CaseFileError` listing every problem."""
    return cases_from(read_table(path), dictionary, str(path))


def cases_from(frame: pd.DataFrame, dictionary: Dictionary, where: str = "data") -> CaseFile:
    """Checks text cells, indexed by line, against the dictionary. Raises `CaseFileError` listing every problem."""
    errors = _never_scored(dictionary)
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
    groups = _groups(frame[group], errors) if group else np.arange(len(frame), dtype=np.int64)
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


def _never_scored(dictionary: Dictionary) -> list[str]:
    """Features that read a column which is the answer itself, or which may not be scored."""
    roles = {excluded.name: "excluded" for excluded in dictionary.excluded}
    roles |= {monitored.name: "monitored" for monitored in dictionary.monitored}
    roles |= {column: "the time" for column in (dictionary.time,) if column}
    roles |= {column: "the family" for column in (dictionary.group,) if column}
    roles[dictionary.outcome.column] = "the outcome"
    return [
        f"column {feature.file_column}: is {roles[feature.file_column]} and cannot be scored; "
        f"take feature {feature.name} out of the dictionary"
        for feature in dictionary.features
        if feature.file_column in roles
    ]


def encode(feature: Feature, cells: pd.Series, errors: list[str]) -> Floats:
    """One column of text cells, indexed by line, as float64 codes, (rows,). Problems are added to `errors` by line."""
    codes, tokens = pd.factorize(cells)
    values = np.full(len(tokens), np.nan)
    bad: list[int] = []
    for position, token in enumerate(tokens):
        try:
            values[position] = code_of(feature, read_token(feature, str(token)))
        except ValueRefused:
            bad.append(position)
    if bad:
        lines = cells.index[np.isin(codes, bad)]
        kind = identifier_kind(str(tokens[bad[0]]))
        what = f"holds what looks like {kind}; remove the column" if kind else file_fix(feature)
        more = f" (and {len(lines) - 1} more lines)" if len(lines) > 1 else ""
        errors.append(f"line {lines[0]}, column {feature.file_column}: {what}{more}")
    return np.asarray(values[codes])


def code_of(feature: Feature, value: Value) -> float:
    """A value as the learners see it: level index or number, NaN for not known, -inf for not applicable.

    Raises ValueError for a level that the feature does not have.
    """
    if value == NOT_KNOWN:
        return float("nan")
    if value == NOT_APPLICABLE:
        return float("-inf")
    return float(feature.levels.index(value)) if isinstance(value, str) else float(value)


def _outcome(cells: pd.Series, dictionary: Dictionary, errors: list[str]) -> NDArray[np.int8]:
    column, positive = dictionary.outcome.column, {text.strip() for text in dictionary.outcome.positive}
    cells = cells.str.strip()
    unknown = cells.isin(NO_OUTCOME - positive)
    if unknown.any():
        errors.append(_gap(cells, unknown, "the outcome is not known; remove the row"))
    y = cells.isin({*positive, *(f"{value}.0" for value in positive)}).to_numpy(dtype=np.int8)
    if not 0 < int(y.sum()) < len(y):
        errors.append(
            f"column {column}: every row has the same outcome; positive is {', '.join(dictionary.outcome.positive)}"
        )
    return np.asarray(y)


def _groups(cells: pd.Series, errors: list[str]) -> NDArray[np.int64]:
    cells = cells.str.strip()
    empty = cells.isin(MISSING)
    if empty.any():
        errors.append(_gap(cells, empty, "the family is empty; fill it"))
    return np.asarray(pd.factorize(cells)[0], dtype=np.int64)


def _gap(cells: pd.Series, where: pd.Series, problem: str) -> str:
    return f"line {cells.index[where][0]}, column {cells.name}: {problem} ({int(where.sum())} rows)"
