"""Columns that must not be scored, or not be in the file at all, whatever the cells of a feature say one by one."""

from __future__ import annotations

from collections.abc import Collection, Iterator
from dataclasses import replace

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from model.dictionary import Dictionary, Feature
from training.cases.anonymity import families_of
from training.cases.identifiers import column_identifier
from training.cases.leakage import SAMPLE, Leak, dated_after, fingerprint, outcome_leak
from training.cases.moments import Moments, moments
from training.cases.proxies import proxy_of
from training.cases.stand_ins import StandIns
from training.policy import POLICY, DataPolicy

Floats = NDArray[np.float64]


def never_scored(dictionary: Dictionary) -> list[str]:
    """Features that read a column which is the answer itself, or which may not be scored. An error a feature."""
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


def identifiers_beside(frame: pd.DataFrame, dictionary: Dictionary) -> list[str]:
    """Direct identifiers in columns that are no features: a file that holds them is not an anonymised extract.

    A column that the dictionary names under `[[excluded]]` is known of and passed over, the time of the contact is a
    date by right, and the outcome is checked by its own values.
    """
    passed = {excluded.name for excluded in dictionary.excluded} | {
        feature.file_column for feature in dictionary.features
    }
    passed |= {column for column in (dictionary.outcome.column, dictionary.time) if column}
    levels = {monitored.name: monitored.levels for monitored in dictionary.monitored}
    errors = []
    for name in frame.columns:
        if name in passed:
            continue
        tokens = [str(token) for token in frame[name].drop_duplicates()]
        if kind := column_identifier(name, tokens, levels.get(name, ())):
            fix = (
                "put a pseudonym there" if name == dictionary.group else "remove the column, or name it as [[excluded]]"
            )
            errors.append(f"column {name}: holds what looks like {kind}; {fix}")
    return errors


def suspects(
    frame: pd.DataFrame,
    dictionary: Dictionary,
    X: Floats,
    y: NDArray[np.int8],
    sound: NDArray[np.bool_],
    accept: Collection[str] = (),
    policy: DataPolicy = POLICY,
) -> tuple[list[str], tuple[tuple[str, str, str], ...]]:
    """Errors about features that give the outcome away or stand for an excluded column, and what was accepted.

    `sound`, (features,): which columns of X could be read; the others are passed over. Accepted is (column, problem,
    reason), in dictionary order.
    """
    errors, accepted = [], []
    reasons = {f.file_column: f.accepted for f in dictionary.features if f.accepted}
    reasons |= {column: reasons.get(column, "accepted on the command line") for column in accept}
    for leak in leaks(frame, dictionary, X, y, sound, policy):
        if leak.column in reasons:
            accepted.append((leak.column, leak.problem, reasons[leak.column]))
        else:
            errors.append(leak.error())
    return errors, tuple(accepted)


def leaks(
    frame: pd.DataFrame,
    dictionary: Dictionary,
    X: Floats,
    y: NDArray[np.int8],
    sound: NDArray[np.bool_],
    policy: DataPolicy,
) -> Iterator[Leak]:
    """Every sign that a feature gives the outcome away or stands for a column that may not be scored."""
    forbidden = {excluded.name: "excluded" for excluded in dictionary.excluded if excluded.name in frame}
    forbidden |= {monitored.name: "monitored" for monitored in dictionary.monitored if monitored.name in frame}
    seen: dict[bytes, Leak] = {}
    thinned = frame.iloc[:: max(1, len(frame) // SAMPLE)]
    contact = moments(thinned[dictionary.time]) if dictionary.time else None
    stand_ins = StandIns(frame, forbidden, families_of(dictionary, frame), policy)
    for name, role in forbidden.items():
        if mark := fingerprint(frame[name].str.strip(), policy):
            seen.setdefault(mark, Leak("", f"holds the same in every row as column {name}, which is {role}"))
    for j, feature in enumerate(dictionary.features):
        if sound[j]:
            yield from _of_column(feature, thinned, dictionary, X[:, j], y, contact, seen, stand_ins, policy)


def _of_column(
    feature: Feature,
    thinned: pd.DataFrame,
    dictionary: Dictionary,
    codes: Floats,
    y: NDArray[np.int8],
    contact: Moments | None,
    seen: dict[bytes, Leak],
    stand_ins: StandIns,
    policy: DataPolicy,
) -> Iterator[Leak]:
    column = feature.file_column
    if leak := outcome_leak(column, codes, y, policy):
        yield leak
    mark = fingerprint(codes, policy)
    earlier = seen.get(mark) if mark else None
    if earlier is None or earlier.repeats:  # else it has been said already what it stands for
        yield from stand_ins.of(feature, codes)
    if earlier:
        yield replace(earlier, column=column)
    if mark:
        problem = f"holds the same in every row as column {column}, renamed or turned round"
        seen.setdefault(mark, Leak("", problem, repeats=column))
    if other := proxy_of(column, [excluded.name for excluded in dictionary.excluded]):
        yield Leak(column, f"is named like the excluded {other}")
    if contact and (leak := dated_after(column, moments(thinned[column], feature.missing), contact, policy)):
        yield leak
