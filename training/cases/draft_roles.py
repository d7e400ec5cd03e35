"""Which columns a draft must not score, by their names: protected characteristics are watched, proxies are left out."""

from __future__ import annotations

from dataclasses import dataclass

import pandas as pd

from model.dictionary import LEVEL_LIMIT
from model.dictionary_feature import is_name
from model.tokens import MISSING
from training.cases.draft_check import likely_quasi_identifier
from training.cases.identifiers import column_identifier
from training.cases.proxies import name_words, proxy_words
from training.cases.toml_text import toml_text, toml_texts
from training.policy import POLICY

_PROTECTED = frozenset({"ethnicity", "religion", "nationality", "orientation"})
_PROTECTED_WORDS = frozenset({"sex", "gender", "disability", "disabled", "disabilities", "transgender", "abroad"})
_A_HARM = frozenset({"abuse", "assault", "offence", "offences", "offender", "exploitation", "trafficking", "work"})
"""Words beside which `sex` is no characteristic of the person: `sex_offender_in_household`."""
_POVERTY = "a measure of poverty, by its name: it would score families for being poor"
_PLACE = "stands for poverty and ethnicity by place, by its name"
_REASONS = {
    "benefits": _POVERTY, "income": _POVERTY, "poverty": _POVERTY, "tenure": _POVERTY, "unemployment": _POVERTY,
    "deprivation": _PLACE, "postcode": _PLACE,
    "immigration": "stands for ethnicity and nationality, by its name: scoring it keeps families from asking for help",
    "language": "stands for ethnicity and nationality, by its name",
}  # fmt: skip
NOT_A_FEATURE = '  # not scored, by its name; if the name misleads, write it as a [[feature]] with accepted = "why"'


@dataclass(frozen=True, slots=True)
class Role:
    """What a column is drafted as instead of a feature: `monitored` as TOML text, or else the reason to exclude it."""

    monitored: str = ""
    reason: str = ""


def role_of(name: str, cells: pd.Series) -> Role | None:
    """The role that the column's name asks for, or None."""
    meanings = proxy_words(name)
    if meanings & _PROTECTED or (name_words(name) & _PROTECTED_WORDS and not name_words(name) & _A_HARM):
        return _watched(name, cells)
    reason = next((_REASONS[meaning] for meaning in sorted(meanings)), "")
    return Role(reason=reason) if reason else None


def _watched(name: str, cells: pd.Series) -> Role:
    counts = cells.str.strip().value_counts()
    counts = counts[~counts.index.isin(MISSING)]
    # The dictionary travels inside the model: a level that few cases have must not be told by its name.
    levels = sorted(str(level) for level, rows in counts.items() if rows >= POLICY.disclosure_threshold)
    if not is_name(name):
        return Role(
            reason="a protected characteristic, by its name: rename the column to letters, digits and _ to watch it"
        )
    if not levels or len(levels) > LEVEL_LIMIT or column_identifier(name, list(map(str, counts.index)), levels):
        return Role(reason="a protected characteristic, by its name: group its answers into a few levels to watch it")
    lines = [
        "[[monitored]]",
        f"name = {toml_text(name)}  # a protected characteristic, by its name: watched for fairness, never scored",
        f"label = {toml_text(name)}  # say it in plain words",
        f"levels = {toml_texts(levels)}",
        *(["quasi_identifier = true"] if likely_quasi_identifier(name) else []),
    ]
    return Role(monitored="\n".join([*lines, ""]))
