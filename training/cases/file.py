"""Reads cases from a CSV or Parquet file into the matrix that the learners see.

Columns are found by the dictionary; others are named and ignored. Every error is collected, by line and column, with
the fix, before anything is fitted. No error repeats a value that is not a level.
"""

from __future__ import annotations

from collections.abc import Collection, Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from model.dictionary import NOT_APPLICABLE, NOT_KNOWN, Dictionary, Feature, Value
from model.identifiers import identifier_kind
from model.tokens import MISSING, ValueRefused, file_fix, read_token
from training.cases.anonymity import anonymity_facts
from training.cases.identifiers import column_identifier
from training.cases.moments import HOW_TO_WRITE, moments
from training.cases.suspects import identifiers_beside, never_scored, suspects
from training.cases.table import CaseFileError, read_table
from training.policy import POLICY

Floats = NDArray[np.float64]

NO_OUTCOME = frozenset({"", NOT_KNOWN, "?", "NA", "N/A", "NaN", "nan", "NULL", "null"})
"""What can never say that an outcome did not happen, unless the dictionary names it as positive."""

SHOWN_LINES = 5


@dataclass(frozen=True, slots=True)
class CaseFile:
    """Cases ready for the learners.

    `X`: float64, (rows, features) in dictionary order; level index or number, NaN not known, -inf not applicable.
    `y`: 0 or 1, (rows,). `groups`: family of each row as a whole number, (rows,). `time`: (rows,) or None.
    `monitored`: protected characteristics as text, for fairness only. `ignored`: columns of the file not used.
    `accepted`: what looked like a leak or a proxy and was accepted by name, (column, problem, reason).
    `anonymity`: what `training.cases.anonymity.anonymity_facts` says of the rows.
    """

    X: Floats
    y: NDArray[np.int8]
    groups: NDArray[np.int64]
    time: NDArray[np.str_] | None
    monitored: pd.DataFrame
    ignored: tuple[str, ...]
    accepted: tuple[tuple[str, str, str], ...] = ()
    anonymity: Mapping[str, Any] = field(default_factory=dict)


def read_cases(path: Path, dictionary: Dictionary, accept: Collection[str] = ()) -> CaseFile:
    """Reads and checks a file of cases with outcomes. Raises `CaseFileError` listing every problem.

    `accept` names columns that may look like the outcome or an excluded proxy, as `accepted` does in the dictionary.
    """
    return cases_from(read_table(path), dictionary, str(path), accept)


def cases_from(
    frame: pd.DataFrame, dictionary: Dictionary, where: str = "data", accept: Collection[str] = ()
) -> CaseFile:
    """Checks text cells, indexed by line, against the dictionary. Raises `CaseFileError` listing every problem."""
    errors = never_scored(dictionary)
    outcome, group, time = dictionary.outcome.column, dictionary.group, dictionary.time
    needed = [f.file_column for f in dictionary.features] + [c for c in (outcome, group, time) if c]
    errors += [f"column {column}: is missing; the dictionary needs it" for column in needed if column not in frame]
    columns = [feature.file_column for feature in dictionary.features]
    errors += [f"column {name}: --accept-leakage names no feature's column" for name in accept if name not in columns]
    if errors:
        raise CaseFileError(where, errors)
    if frame.empty:
        raise CaseFileError(where, ["has no rows below the header"])
    X = np.empty((len(frame), len(dictionary.features)), order="F")
    sound = np.ones(len(dictionary.features), dtype=bool)
    for j, feature in enumerate(dictionary.features):
        before = len(errors)
        X[:, j] = encode(feature, frame[feature.file_column], errors)
        sound[j] = len(errors) == before
    errors += identifiers_beside(frame, dictionary)
    y = outcomes(frame[outcome], dictionary, errors)
    groups = _groups(frame[group], errors) if group else np.arange(len(frame), dtype=np.int64)
    errors += _time_errors(frame[time]) if time else []
    refused, accepted = suspects(frame, dictionary, X, y, sound, accept)
    if errors or refused:
        raise CaseFileError(where, [*errors, *refused])
    used = {*needed, *(monitored.name for monitored in dictionary.monitored)}
    watched = frame[[m.name for m in dictionary.monitored if m.name in frame]]
    return CaseFile(
        X=X,
        y=y,
        groups=groups,
        time=frame[time].to_numpy(dtype=np.str_) if time else None,
        monitored=watched,
        ignored=tuple(column for column in frame.columns if column not in used),
        accepted=accepted,
        anonymity=anonymity_facts(dictionary, frame, POLICY.k),
    )


def encode(feature: Feature, cells: pd.Series, errors: list[str]) -> Floats:
    """One column of text cells, indexed by line, as float64 codes, (rows,). Problems are added to `errors` by line.

    One line a kind of problem: a column may hold an identifier in one row and a misspelt level in others.
    """
    codes, tokens = pd.factorize(cells)
    values = np.full(len(tokens), np.nan)
    bad: dict[str, list[int]] = {}
    for position, token in enumerate(tokens):
        try:
            values[position] = code_of(feature, read_token(feature, str(token)))
        except ValueRefused:
            bad.setdefault(_problem(feature, str(token)), []).append(position)
    name = feature.file_column
    for problem, positions in bad.items():
        errors.append(f"{_lines(cells.index[np.isin(codes, positions)])}, column {name}: {problem}")
    kind = None if bad else column_identifier(name, [str(t) for t in tokens], (*feature.levels, *feature.missing))
    if kind and (feature.is_numeric or feature.kind == "category"):
        errors.append(f"column {name}: holds what looks like {kind}; remove the column")
    return np.asarray(values[codes])


def _problem(feature: Feature, token: str) -> str:
    kind = identifier_kind(token)
    return f"holds what looks like {kind}; remove the column" if kind else file_fix(feature)


def _lines(lines: pd.Index) -> str:
    """Where a problem is: `line 3`, or the first lines and how many more."""
    if len(lines) == 1:
        return f"line {lines[0]}"
    more = len(lines) - SHOWN_LINES
    shown = ", ".join(str(line) for line in lines[:SHOWN_LINES])
    return f"lines {shown} and {more} more" if more > 0 else f"lines {shown}"


def code_of(feature: Feature, value: Value) -> float:
    """A value as the learners see it: level index or number, NaN for not known, -inf for not applicable.

    Raises ValueError for a level that the feature does not have.
    """
    if value == NOT_KNOWN:
        return float("nan")
    if value == NOT_APPLICABLE:
        return float("-inf")
    return float(feature.levels.index(value)) if isinstance(value, str) else float(value)


def outcomes(cells: pd.Series, dictionary: Dictionary, errors: list[str]) -> NDArray[np.int8]:
    """Which rows had the outcome, 0 or 1, (rows,). Problems are added to `errors` by line."""
    y = outcome_codes(cells, dictionary, errors)
    if not 0 < int(y.sum()) < len(y):
        errors.append(one_outcome(dictionary))
    return y


def one_outcome(dictionary: Dictionary) -> str:
    """The error where rows with and without the outcome are not both there."""
    column, positive = dictionary.outcome.column, ", ".join(dictionary.outcome.positive)
    return f"column {column}: every row has the same outcome; positive is {positive}"


def outcome_codes(cells: pd.Series, dictionary: Dictionary, errors: list[str]) -> NDArray[np.int8]:
    """As `outcomes`, for a part of the rows, where all may have the same."""
    positive = {text.strip() for text in dictionary.outcome.positive}
    cells = cells.str.strip()
    unknown = cells.isin(NO_OUTCOME - positive)
    if unknown.any():
        errors.append(_gap(cells, unknown, "the outcome is not known; remove the row"))
    return np.asarray(cells.isin({*positive, *(f"{value}.0" for value in positive)}).to_numpy(dtype=np.int8))


def _groups(cells: pd.Series, errors: list[str]) -> NDArray[np.int64]:
    cells = cells.str.strip()
    empty = cells.isin(MISSING)
    if empty.any():
        errors.append(_gap(cells, empty, "the family is empty; fill it"))
    return np.asarray(pd.factorize(cells)[0], dtype=np.int64)


def _time_errors(cells: pd.Series) -> list[str]:
    """A time that cannot be read would switch the search for what came after the contact off, unsaid."""
    read = moments(cells)
    if read.unread.any():
        unread = pd.Series(read.unread, index=cells.index)
        return [_gap(cells, unread, f"the time of the contact cannot be read; {HOW_TO_WRITE}")]
    if np.isnan(read.at).all():
        return [f"column {cells.name}: the time of the contact is not known in any row; fill it, or take out [time]"]
    return []


def _gap(cells: pd.Series, where: pd.Series, problem: str) -> str:
    return f"{_lines(cells.index[where])}, column {cells.name}: {problem}"
