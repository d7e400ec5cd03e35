"""Drafts a dictionary for a data file: kinds, levels, ranges, tokens for missing, likely identifiers, leaks and groups.

A draft trains as it stands. What a person should decide is said in comments beside it.
"""

from __future__ import annotations

import re
from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

import pandas as pd

from model.case import LARGEST
from model.dictionary import LEVEL_LIMIT, NOT_APPLICABLE
from model.tokens import MISSING, NO, OTHER, YES, number
from training.cases.draft_check import likely_families, likely_quasi_identifier, likely_times, refused_columns
from training.cases.draft_missing import Missing, missing_in
from training.cases.draft_roles import NOT_A_FEATURE, Role, role_of
from training.cases.file import NO_OUTCOME
from training.cases.identifiers import column_identifier
from training.cases.split import HELD_OUT_PARTS
from training.cases.table import CaseFileError, read_table
from training.cases.toml_text import toml_text, toml_texts
from training.policy import POLICY

FEW_VALUES = 12
IDENTIFIER_SHARE = 0.95
ANOTHER = "another"


@dataclass(frozen=True, slots=True)
class _Column:
    name: str
    tokens: pd.Series  # how often each known token stands in the column, most common first
    missing: Missing
    share_missing: float
    not_applicable: bool
    numbers: tuple[float, ...]  # of the tokens, where all of them are numbers

    @property
    def whole(self) -> bool:
        return bool(self.numbers) and all(value >= 0 and value % 1 == 0 for value in self.numbers)


def describe(path: Path, outcome: str, group: str | None = None, exclude: Sequence[str] = ()) -> str:
    """The draft as TOML text. Raises `CaseFileError` where a named column is missing or the outcome cannot be one."""
    frame = read_table(path)
    named = [outcome, *([group] if group else []), *exclude]
    if lost := [column for column in dict.fromkeys(named) if column not in frame]:
        raise CaseFileError(path, [f"column {column}: is not in the file" for column in lost])
    if outcome == group:
        raise CaseFileError(path, [f"column {outcome}: cannot be the outcome and the family"])
    parts = [_head(path, frame, outcome, group)]
    excluded: dict[str, str] = dict.fromkeys(exclude, "left out on request")
    roles: dict[str, Role] = {}
    drafted: list[tuple[_Column, str, list[str]]] = []
    taken = set(frame.columns)
    for name in frame.columns:
        if name in (outcome, group, *exclude):
            continue
        column = _column(name, frame[name])
        if reason := _reason_to_exclude(column, len(frame)):
            excluded[name] = reason
        elif role := role_of(name, frame[name]):
            roles[name] = role
        else:
            drafted.append((column, _name(name, taken), _kind(column)))
    texts = {column.name: _feature(column, name, kind) for column, name, kind in drafted}
    monitored = [role.monitored for role in roles.values() if role.monitored]
    excluded |= {name: role.reason for name, role in roles.items() if role.reason}
    notes: list[str] = []
    # Taking a column out may leave another that repeats it, which `train` would then refuse: again, until none is left.
    while texts and (
        refused := refused_columns(
            frame, "\n".join([*parts, *_excluded(excluded, roles, frame), *monitored, *texts.values()])
        )
    ):
        for name, leak in refused.items():
            del texts[name]
            if leak.repeats:
                notes.append(f"# column {toml_text(name)} is left out: it repeats column {toml_text(leak.repeats)}\n")
            else:
                excluded[name] = leak.problem
    if not texts:
        raise CaseFileError(path, ["no column is left to be a feature"])
    return "\n".join([*parts, *_excluded(excluded, roles, frame), *notes, *monitored, *texts.values()])


def _excluded(reasons: Mapping[str, str], by_name: Collection[str], frame: pd.DataFrame) -> list[str]:
    return [
        f"[[excluded]]\nname = {toml_text(name)}{NOT_A_FEATURE if name in by_name else ''}\n"
        f"reason = {toml_text(reasons[name])}\n"
        for name in frame.columns
        if name in reasons
    ]


def _head(path: Path, frame: pd.DataFrame, outcome: str, group: str | None) -> str:
    positive, doubt = _positive(path, outcome, frame[outcome].str.strip())
    lines = [
        f"# Drafted from {toml_text(path.name)}: {len(frame)} rows, {len(frame.columns)} columns. "
        "Comments ask for you.",
        "format = 1",
        f"name = {toml_text('Drafted from ' + path.name)}",
        'version = "draft"',
        "",
        "[outcome]",
        f"column = {toml_text(outcome)}",
        f"meaning = {toml_text(outcome)}  # say in plain words what the score is the share of",
        f"positive = {toml_texts(positive)}{doubt}",
        "",
    ]
    if group:
        lines += ["[group]", f"column = {toml_text(group)}  # families: never split between fitting and testing", ""]
    else:
        likely = likely_families(frame, outcome)
        column = " or ".join(map(toml_text, likely)) or "..."
        lines += ["# [group]", f"# column = {column}  # name the family column where rows are related (siblings)", ""]
    if times := [name for name in likely_times(frame, outcome) if name != group]:
        column = " or ".join(map(toml_text, times))
        lines += ["# [time]", f"# column = {column}  # the time of the contact? then it is no feature: remove that", ""]
    return "\n".join([*lines, '[[agency]]\nid = "source"\nlabel = "The source of this file"  # name who holds what\n'])


def _positive(path: Path, outcome: str, cells: pd.Series) -> tuple[list[str], str]:
    """The values that mean that the outcome happened, and a comment where that is a guess."""
    unknown = int(cells.isin(NO_OUTCOME).sum())
    if unknown:
        raise CaseFileError(path, [f"column {outcome}: the outcome is not known in {unknown} rows; remove them"])
    counts = cells.value_counts()
    values = [str(value) for value in counts.index]
    if len(values) < 2:
        raise CaseFileError(path, [f"column {outcome}: has fewer than two values; it cannot be an outcome"])
    yes = [value for value in values if value.lower() in YES]
    if not yes or len(yes) == len(values):
        enough = [str(value) for value, count in counts.items() if count >= HELD_OUT_PARTS]
        return (enough or values)[-1:], "  # the rarer value was taken: check"
    doubtful = [value for value in values if value not in yes and value.lower() not in NO]
    return yes, f"  # {toml_text(doubtful[0])} counts as not happened: check" if doubtful else ""


def _column(name: str, cells: pd.Series) -> _Column:
    counts = cells.str.strip().value_counts()
    apart = int(counts.get(NOT_APPLICABLE, 0))
    counts = counts[~counts.index.isin([*MISSING, NOT_APPLICABLE])]
    missing = missing_in(counts)
    known = counts[~counts.index.isin(missing.tokens)]
    numbers = [value for token in known.index if (value := number(str(token))) is not None]
    return _Column(
        name=name,
        tokens=known,
        missing=missing,
        share_missing=1 - (int(known.sum()) + apart) / max(len(cells), 1),
        not_applicable=apart > 0,
        numbers=tuple(numbers) if len(numbers) == len(known) else (),
    )


def _reason_to_exclude(column: _Column, rows: int) -> str | None:
    tokens = [str(token) for token in column.tokens.index]
    if not tokens:
        return "is empty"
    if len(tokens) == 1 and column.share_missing == 0 and not column.not_applicable:
        return "has one value only"
    if kind := column_identifier(column.name, tokens):
        return f"looks like {kind}"
    named_id = _names_an_identifier(column.name)
    unique = len(tokens) > IDENTIFIER_SHARE * int(column.tokens.sum())
    if len(tokens) > FEW_VALUES and unique and (not column.numbers or (column.whole and named_id)):
        return "has another value in almost every row: an identifier or free text"
    if named_id and column.whole and len(tokens) > rows / 4:
        return "is named and looks like an identifier"
    if column.numbers and max(map(abs, column.numbers)) > LARGEST:
        return "holds numbers beyond 2^53, which systems do not pass on exactly; rescale them"
    return None


def _names_an_identifier(column: str) -> bool:
    """True for `case_id`, `caseId`, `case id`, and for the nameless column of row numbers that data frames write."""
    words = re.sub(r"(?<=[a-z])(?=[A-Z])", "_", column).lower()
    return re.search(r"(^|[^a-z])(id|nbr|ref|uuid|key)$|^unnamed: \d+$", words) is not None


def _name(column: str, taken: set[str]) -> str:
    """The column's name as a feature may be called; `taken` holds the file's columns and grows by the names given."""
    name = re.sub(r"[^A-Za-z0-9_.-]+", "_", column).strip("_.-")
    name = name if name[:1].isalpha() else f"f_{name}"
    if name != column:
        while name in taken:
            name += "_2"
    taken.add(name)
    return name


def _feature(column: _Column, name: str, kind: Sequence[str]) -> str:
    lines = ["[[feature]]", f"name = {toml_text(name)}"]
    if name != column.name:
        lines.append(f"column = {toml_text(column.name)}")
    lines += [f"label = {toml_text(column.name)}  # say it in plain words", *kind]
    lines.append('direction = "free"  # "raises" or "lowers" where the evidence says so')
    if column.not_applicable:
        lines.append("not_applicable = true")
    if column.missing.tokens:
        lines.append(f"missing = {toml_texts(column.missing.tokens)}")
    lines += column.missing.comments
    if likely_quasi_identifier(column.name):
        lines.append("quasi_identifier = true  # somebody who knows the family may know this")
    lines += ['held_by = ["source"]', 'source = ""  # the evidence for using it']
    if column.share_missing:
        lines.append(
            f"# not known in {column.share_missing:.1%} of rows; if some of these mean *does not apply*, recode them"
        )
    return "\n".join([*lines, ""])


def _kind(column: _Column) -> list[str]:
    tokens = [str(token) for token in column.tokens.index]
    lowered = {token.lower() for token in tokens}
    if lowered & YES and lowered & NO and lowered <= YES | NO:
        return ['kind = "yes_no"']
    if column.numbers:
        span = f"# values run from {min(column.numbers):g} to {max(column.numbers):g}; set minimum and maximum"
        doubt = '# few values: a code rather than a number? then kind = "category" with levels'
        kind = "count" if column.whole else "number"
        return [f'kind = "{kind}"  {span}', *([doubt] if len(tokens) <= FEW_VALUES else [])]
    # The dictionary travels inside the model: a level that few cases have must not be told by its name.
    common = [str(token) for token, rows in column.tokens.items() if rows >= POLICY.disclosure_threshold]
    kept = [token for token in common if token != OTHER][: LEVEL_LIMIT - 1]
    rarer = len([token for token in tokens if token != OTHER]) - len(kept)
    levels = sorted(kept)
    if rarer or OTHER in tokens or len(levels) == 1:
        levels.append(OTHER)
    if len(levels) == 1:  # nothing but "other", and empty cells
        levels.append(ANOTHER)
    return [
        'kind = "category"  # "ordinal" where the levels have an order',
        f"levels = {toml_texts(levels)}{f'  # {rarer} rarer values count as other' if rarer else ''}",
    ]
