"""Reads a drafted dictionary back against its own file: what `train` would refuse is found before a person edits it."""

from __future__ import annotations

import re
import tomllib

import numpy as np
import pandas as pd

from model.dictionary_rules import read_dictionary
from training.cases.file import encode, outcomes
from training.cases.leakage import Leak
from training.cases.suspects import leaks
from training.policy import POLICY

_FAMILY = re.compile(
    r"(^|[^a-z])(famil(y|ies)|household|sibling|pair|twin"
    r"|(mother|patient|person|parent|carer).*(id|nbr|no|ref|key|number)$)",
    re.IGNORECASE,
)
_TIME = re.compile(r"(^|[^a-z])(date|month|year|quarter|week|period|time)(s?$|[^a-z])", re.IGNORECASE)
_DURATION = re.compile(
    r"since|until|time_in|time_to|weeks_at|_at_|age|old|duration|length|(month|year|week)s$", re.IGNORECASE
)
_QUASI = re.compile(
    r"(^|[^a-z])(age|sex|gender|stage|ethnic\w*|race|religion|nationality|language|disab\w*|marital|sibling\w*"
    r"|children|household|famil\w*|parity|birth_?order|twins?|born|area|region|ward|district|school|gp_practice)",
    re.IGNORECASE,
)


def refused_columns(frame: pd.DataFrame, draft: str) -> dict[str, Leak]:
    """Columns of features that `train` would refuse in this draft, and why. Raises `DictionaryError`."""
    dictionary = read_dictionary(tomllib.loads(draft), "draft")
    X = np.full((len(frame), len(dictionary.features)), np.nan, order="F")
    sound = np.ones(len(dictionary.features), dtype=bool)
    refused: dict[str, Leak] = {}
    for j, feature in enumerate(dictionary.features):
        errors: list[str] = []
        X[:, j] = encode(feature, frame[feature.file_column], errors)
        if errors:
            sound[j] = False
            problem = errors[0].partition(": ")[2].partition(";")[0]
            refused[feature.file_column] = Leak(feature.file_column, problem)
    y = outcomes(frame[dictionary.outcome.column], dictionary, [])
    for leak in leaks(frame, dictionary, X, y, sound, POLICY):
        refused.setdefault(leak.column, leak)
    return refused


def likely_families(frame: pd.DataFrame, outcome: str) -> list[str]:
    """Columns that may name the family: named like one, with values that a few rows share."""
    found = []
    for name in frame.columns:
        distinct = frame[name].nunique()
        if name != outcome and _FAMILY.search(str(name)) and len(frame) / 50 < distinct < len(frame):
            found.append(str(name))
    return found


def likely_times(frame: pd.DataFrame, outcome: str) -> list[str]:
    """Columns that may hold the time of the contact: named like a point in time, not a duration or an age."""
    return [
        str(name)
        for name in frame.columns
        if name != outcome and _TIME.search(str(name)) and not _DURATION.search(str(name))
    ]


def likely_quasi_identifier(column: str) -> bool:
    """True where a column's name says that somebody who knows the family is likely to know the answer."""
    return _QUASI.search(re.sub(r"(?<=[a-z])(?=[A-Z])", "_", column)) is not None
