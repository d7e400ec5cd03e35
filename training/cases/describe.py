"""Drafts a dictionary for a data file: kinds, levels, ranges, tokens for missing, likely identifiers.

A draft trains as it stands. What a person should decide is said in comments beside it.
"""

from __future__ import annotations

import json
import re
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

import pandas as pd

from model.dictionary import LEVEL_LIMIT
from model.identifiers import identifier_kind
from model.tokens import NO, OTHER, YES
from training.cases.file import CaseFileError, read_table

MISSING_TOKENS = (
    "?",
    "NA",
    "N/A",
    "NaN",
    "nan",
    "null",
    "NULL",
    "None",
    "none",
    ".",
    "-",
    "unknown",
    "Unknown",
    "UNKNOWN",
    "missing",
)
"""Tokens that often mean *not known* in data files; used only where they cannot be the answer."""
FEW_VALUES = 12
IDENTIFIER_SHARE = 0.95
SAMPLE = 2000


@dataclass(frozen=True, slots=True)
class _Column:
    name: str
    tokens: pd.Series  # how often each known token stands in the column, most common first
    missing: tuple[str, ...]
    share_missing: float
    numeric: bool
    whole: bool


def describe(path: Path, outcome: str, group: str | None = None, exclude: Sequence[str] = ()) -> str:
    """The draft as TOML text. Raises `CaseFileError` where a named column is missing or the outcome has one value."""
    frame = read_table(path)
    named = [outcome, *([group] if group else []), *exclude]
    if lost := [column for column in named if column not in frame]:
        raise CaseFileError(path, [f"column {column}: is not in the file" for column in lost])
    parts = [_head(path, frame, outcome, group)]
    excluded, features = [], []
    taken: set[str] = set()
    for name in frame.columns:
        if name in (outcome, group):
            continue
        column = _column(name, frame[name])
        reason = "left out on request" if name in exclude else _reason_to_exclude(column, len(frame))
        if reason:
            excluded.append(f"[[excluded]]\nname = {_text(name)}\nreason = {_text(reason)}\n")
        else:
            features.append(_feature(column, taken))
    if not features:
        raise CaseFileError(path, ["no column is left to be a feature"])
    return "\n".join([*parts, *excluded, *features])


def _head(path: Path, frame: pd.DataFrame, outcome: str, group: str | None) -> str:
    counts = frame[outcome].value_counts()
    values = [str(value) for value in counts.index if str(value) not in ("", *MISSING_TOKENS)]
    if len(values) < 2:
        raise CaseFileError(path, [f"column {outcome}: has fewer than two values; it cannot be an outcome"])
    yes = [value for value in values if value.lower() in YES]
    positive = yes or [values[-1]]
    doubt = "" if yes else "  # the rarer value was taken: check"
    lines = [
        f"# Drafted from {path.name}: {len(frame)} rows, {len(frame.columns)} columns. Comments ask for you.",
        "format = 1",
        f"name = {_text('Drafted from ' + path.name)}",
        'version = "draft"',
        "",
        "[outcome]",
        f"column = {_text(outcome)}",
        f"meaning = {_text(outcome)}  # say in plain words what the score is the share of",
        f"positive = {json.dumps(positive)}{doubt}",
        "",
    ]
    if group:
        lines += ["[group]", f"column = {_text(group)}  # families: never split between fitting and testing", ""]
    else:
        lines += ["# [group]", "# column = ...  # name the family column where rows are related (siblings)", ""]
    return "\n".join([*lines, '[[agency]]\nid = "source"\nlabel = "The source of this file"  # name who holds what\n'])


def _column(name: str, cells: pd.Series) -> _Column:
    counts = cells.str.strip().value_counts()
    counts = counts[counts.index != ""]
    tokens = [str(token) for token in counts.index]
    is_number = pd.to_numeric(pd.Series(tokens, dtype="str"), errors="coerce").notna().tolist() if tokens else []
    stray = [token for token, number in zip(tokens, is_number, strict=True) if not number]
    lost = tuple(token for token in tokens if token in MISSING_TOKENS and _means_missing(token, tokens, stray))
    known = counts[~counts.index.isin(lost)]
    numbers = pd.to_numeric(pd.Series(known.index, dtype="str"), errors="coerce")
    numeric = len(known) > 0 and bool(numbers.notna().all()) and bool((numbers.abs() != float("inf")).all())
    whole = numeric and bool((numbers % 1 == 0).all()) and bool((numbers >= 0).all())
    return _Column(name, known, lost, 1 - float(known.sum()) / max(len(cells), 1), numeric, whole)


def _means_missing(token: str, tokens: list[str], stray: list[str]) -> bool:
    """A lone word among numbers is a token for missing; among words only those that can mean nothing else."""
    if len(stray) < len(tokens):
        return True
    return token.lower() not in ("none", "-", ".")


def _reason_to_exclude(column: _Column, rows: int) -> str | None:
    tokens = column.tokens
    if len(tokens) == 0:
        return "is empty"
    if len(tokens) == 1 and column.share_missing == 0:
        return "has one value only"
    sample = [str(token) for token in tokens.index[:SAMPLE]]
    if not column.numeric:
        kinds = [identifier_kind(token) for token in sample]
        if sum(kind is not None for kind in kinds) > IDENTIFIER_SHARE * len(sample):
            return f"looks like {next(kind for kind in kinds if kind)}"
    named_id = re.search(r"(^|_)(id|nbr|ref|uuid|key)$", column.name.lower()) is not None
    unique = len(tokens) > IDENTIFIER_SHARE * rows * (1 - column.share_missing)
    if len(tokens) > FEW_VALUES and unique and (not column.numeric or (column.whole and named_id)):
        return "has another value in almost every row: an identifier or free text"
    if named_id and column.whole and len(tokens) > rows / 4:
        return "is named and looks like an identifier"
    return None


def _feature(column: _Column, taken: set[str]) -> str:
    name = re.sub(r"[^A-Za-z0-9_.-]+", "_", column.name).strip("_.-")
    name = name if name[:1].isalpha() else f"f_{name}"
    while name in taken:
        name += "_2"
    taken.add(name)
    tokens = [str(token) for token in column.tokens.index]
    lines = ["[[feature]]", f"name = {_text(name)}"]
    if name != column.name:
        lines.append(f"column = {_text(column.name)}")
    lines += [f"label = {_text(column.name)}  # say it in plain words", *_kind(column, tokens)]
    lines.append('direction = "free"  # "raises" or "lowers" where the evidence says so')
    if column.missing:
        lines.append(f"missing = {json.dumps(column.missing, ensure_ascii=False)}")
    lines += ['held_by = ["source"]', 'source = ""  # the evidence for using it']
    if column.share_missing:
        lines.append(
            f"# not known in {column.share_missing:.1%} of rows; if some of these mean *does not apply*, recode them"
        )
    return "\n".join([*lines, ""])


def _kind(column: _Column, tokens: list[str]) -> list[str]:
    lowered = {token.lower() for token in tokens}
    if len(tokens) == 2 and lowered & YES and lowered & NO and lowered <= YES | NO:
        return ['kind = "yes_no"']
    if column.numeric:
        numbers = pd.to_numeric(column.tokens.index.to_series())
        span = f"# values run from {numbers.min():g} to {numbers.max():g}; set minimum and maximum"
        doubt = (
            ['# few values: a code rather than a number? then kind = "category" with levels']
            if len(tokens) <= FEW_VALUES
            else []
        )
        if column.whole:
            return [f'kind = "count"  {span}', *doubt]
        return [f'kind = "number"  {span}', *doubt]
    kept = [token for token in tokens if token != OTHER][: LEVEL_LIMIT - 1]
    levels = sorted(kept)
    comment = ""
    if len(tokens) > len(kept) or OTHER in tokens:
        levels.append(OTHER)
        comment = f"  # {len(tokens) - len(kept)} rarer values count as other"
    elif len(levels) == 1:
        levels.append(OTHER)
    return [
        'kind = "category"  # "ordinal" where the levels have an order',
        f"levels = {json.dumps(levels, ensure_ascii=False)}{comment}",
    ]


def _text(text: object) -> str:
    return json.dumps(str(text), ensure_ascii=False)
