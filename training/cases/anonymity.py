"""How well cases hide among each other: k-anonymity over the quasi-identifiers that the dictionary names.

A cell is a combination of answers to all quasi-identifiers; *not known* is an answer like any other. An extract is
k-anonymous where every cell that is there holds at least k families (Sweeney 2002 counts rows; five contacts of one
family hide nobody), or k cases where the dictionary names no family. This says nothing of an attacker who knows other
features, and nothing of what all cases of a cell have in common.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from model.dictionary import NOT_KNOWN, Dictionary
from model.tokens import MISSING
from training.cases.table import CaseFileError

Families = NDArray[np.int64]

SHOWN_CELLS = 20


@dataclass(frozen=True, slots=True)
class Column:
    """A quasi-identifier in a file: its column, and the tokens that mean *not known* there."""

    name: str
    missing: frozenset[str]


@dataclass(frozen=True, slots=True)
class Anonymity:
    """`counted`: what a cell's size is counted in, `families` or `cases`. `k`: how many of them are in the smallest
    cell. `asked`: how many a cell should hold. `rows_below`: cases in cells below that.

    `rare`: answers that fewer than `asked` gave to one quasi-identifier, (column, answer). `smallest`: the first
    cells below, as answers in the order of `columns`. `without`: cases still in small cells if that one column went.
    """

    columns: tuple[str, ...]
    counted: str
    asked: int
    rows: int
    k: int
    cells: int
    cells_below: int
    rows_below: int
    rare: tuple[tuple[str, str], ...]
    smallest: tuple[tuple[str, ...], ...]
    without: tuple[tuple[str, int], ...]

    @property
    def holds(self) -> bool:
        """True where every cell holds at least as many as asked for."""
        return self.rows_below == 0


def quasi_identifiers(dictionary: Dictionary) -> tuple[Column, ...]:
    """The features and monitored characteristics that are marked, features first."""
    marked = [Column(f.file_column, frozenset(f.missing)) for f in dictionary.features if f.quasi_identifier]
    return (*marked, *(Column(m.name, frozenset()) for m in dictionary.monitored if m.quasi_identifier))


def in_file(dictionary: Dictionary, frame: pd.DataFrame, where: str) -> tuple[Column, ...]:
    """The quasi-identifiers that the file has. Raises `CaseFileError` where none of its columns is marked."""
    found = tuple(column for column in quasi_identifiers(dictionary) if column.name in frame)
    if not found:
        raise CaseFileError(
            where,
            ["the dictionary marks no column of it with quasi_identifier = true; mark those that others may know"],
        )
    return found


def answers(frame: pd.DataFrame, columns: Sequence[Column]) -> pd.DataFrame:
    """The cells of the quasi-identifiers as answers: every way to say *not known* is the same."""
    read = {}
    for column in columns:
        cells = frame[column.name].str.strip()
        read[column.name] = cells.mask(cells.isin({"", *column.missing}), NOT_KNOWN)
    return pd.DataFrame(read, index=frame.index)


def families_of(dictionary: Dictionary, frame: pd.DataFrame) -> Families | None:
    """The family of each case as a whole number, (rows,), or None where the dictionary or the file names none.

    Cases whose family is not known count as one family: they may be.
    """
    if dictionary.group is None or dictionary.group not in frame:
        return None
    cells = frame[dictionary.group].str.strip()
    return np.asarray(pd.factorize(cells.mask(cells.isin(MISSING), ""))[0], dtype=np.int64)


def cell_sizes(asked: pd.DataFrame, families: Families | None) -> NDArray[np.int64]:
    """How many different families share each case's cell, (rows,); how many cases where `families` is None."""
    numbers = np.zeros(len(asked), dtype=np.int64)
    for name in asked.columns:
        codes, tokens = pd.factorize(asked[name])
        # Renumbered at each column, so that the numbers stay below rows times answers however many columns there are.
        numbers = pd.factorize(numbers * len(tokens) + codes)[0].astype(np.int64)
    if families is None:
        return np.asarray(np.bincount(numbers)[numbers], dtype=np.int64)
    first = ~pd.DataFrame({"cell": numbers, "family": families}).duplicated().to_numpy()
    return np.asarray(np.bincount(numbers[first], minlength=len(numbers))[numbers], dtype=np.int64)


def measure(frame: pd.DataFrame, columns: Sequence[Column], families: Families | None, k: int) -> Anonymity:
    """Counts the cells of a table of text cells. `columns` must be in it; `k` is at least 2."""
    asked = answers(frame, columns)
    sizes = cell_sizes(asked, families)
    below = sizes < k
    small = asked[below].drop_duplicates()
    names = tuple(column.name for column in columns)
    rare = [(name, str(answer)) for name in names for answer in asked[cell_sizes(asked[[name]], families) < k][name]]
    without = [
        (name, int((cell_sizes(asked.drop(columns=name), families) < k).sum()) if len(names) > 1 else 0)
        for name in names
    ]
    return Anonymity(
        columns=names,
        counted="cases" if families is None else "families",
        asked=k,
        rows=len(frame),
        k=int(sizes.min()) if len(sizes) else 0,
        cells=len(asked.drop_duplicates()),
        cells_below=len(small),
        rows_below=int(below.sum()),
        rare=tuple(sorted(set(rare))),
        smallest=tuple(tuple(map(str, row)) for row in small.head(SHOWN_CELLS).itertuples(index=False)),
        without=tuple(sorted(without, key=lambda each: each[1])),
    )


def anonymity_facts(dictionary: Dictionary, frame: pd.DataFrame, k: int) -> dict[str, Any]:
    """What a model says of its training rows: how many lie in cells of fewer than `k` families (or cases), or why it
    cannot say."""
    columns = tuple(column for column in quasi_identifiers(dictionary) if column.name in frame)
    if not columns:
        return {"why": "the dictionary marks no quasi-identifier"}
    found = measure(frame, columns, families_of(dictionary, frame), k)
    return {
        "columns": list(found.columns),
        "counted": found.counted,
        "k": k,
        "rows": found.rows,
        "rows_below_k": found.rows_below,
    }


def suppress(
    frame: pd.DataFrame, columns: Sequence[Column], families: Families | None, k: int
) -> tuple[pd.DataFrame, dict[str, int], int]:
    """A copy in which every cell holds at least k families (or cases).

    Answers of cases in small cells become empty (not known).

    One column after the other is emptied in the cases still in small cells, first the one that frees the most of them
    for the fewest; cases that nothing frees are taken out. Returns the table, cases emptied by column, cases taken out.
    """
    result, emptied = frame.copy(), dict[str, int]()
    left = list(columns)
    while left:
        asked = answers(result, columns)
        below = cell_sizes(asked, families) < k
        if not below.any():
            return result, emptied, 0
        stays = {column: _still_below(asked, families, below, column, k) for column in left}
        best = min(left, key=lambda column: stays[column])
        result.loc[below & (asked[best.name] != NOT_KNOWN).to_numpy(), best.name] = ""
        emptied[best.name] = int((below & (asked[best.name] != NOT_KNOWN).to_numpy()).sum())
        left.remove(best)
    below = cell_sizes(answers(result, columns), families) < k
    return result[~below], emptied, int(below.sum())


def _still_below(
    asked: pd.DataFrame, families: Families | None, below: NDArray[np.bool_], column: Column, k: int
) -> int:
    tried = asked.copy()
    tried.loc[below, column.name] = NOT_KNOWN
    return int((cell_sizes(tried, families) < k).sum())
