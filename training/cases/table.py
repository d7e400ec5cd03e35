"""Reads a data file as a table of text cells: what a spreadsheet or a data frame wrote, or a clear refusal.

A CSV file is read twice: record by record with the standard library, which checks its shape and notes the line on which
each row begins, then with pandas, for the cells. pandas alone would shift, pad or rename what does not fit, unasked.
"""

from __future__ import annotations

import csv
import gzip
import zlib
from array import array
from collections.abc import Iterable, Sequence
from io import TextIOWrapper
from pathlib import Path

import pandas as pd
import pyarrow as pa

SHOWN_ERRORS = 100
KEPT_ERRORS = 1000
"""A file of a million wrong rows must not fill the memory with errors: beyond these they are only counted."""
FIRST_ROW = 2  # the header is line 1
OTHER_SEPARATORS = ";\t|"
UNREADABLE = (OSError, EOFError, zlib.error, ValueError, csv.Error, pa.ArrowException)


class CaseFileError(ValueError):
    """A file of cases that cannot be used. `errors` has one line a problem; the message shows the first hundred.

    `more` is how many problems were counted beyond those in `errors`.
    """

    def __init__(self, path: Path | str, errors: Iterable[str], more: int = 0) -> None:
        self.errors = [" ".join(error.splitlines()) for error in errors]  # a name or a level may hold a line break
        shown = [f"{path}: {error}" for error in self.errors[:SHOWN_ERRORS]]
        rest = len(self.errors) - len(shown) + more
        super().__init__("\n".join([*shown, *([f"{path}: and {rest} more"] if rest else [])]))


def read_table(path: Path) -> pd.DataFrame:
    """The file as text, empty where a cell is; format by extension. The index is the line on which each row begins.

    Raises `CaseFileError` with the fix. No message repeats a cell.
    """
    name = path.name.lower()
    try:
        if name.endswith(".parquet"):
            return _read_parquet(path)
        if name.endswith((".csv", ".csv.gz")):
            return _read_csv(path, compressed=name.endswith(".gz"))
    except CaseFileError:
        raise
    except UnicodeDecodeError:
        raise CaseFileError(path, ["is not UTF-8 text; save it again as CSV UTF-8"]) from None
    except UNREADABLE as error:
        reason = getattr(error, "strerror", None) or str(error) or type(error).__name__
        raise CaseFileError(path, [f"cannot be read: {reason.splitlines()[0]}"]) from None
    raise CaseFileError(path, ["give a file that ends in .csv, .csv.gz or .parquet"])


def _read_parquet(path: Path) -> pd.DataFrame:
    # Nullable types keep a whole number whole beside empty cells: 3, as in CSV, and not 3.0.
    frame = pd.read_parquet(path, dtype_backend="numpy_nullable")
    if frame.index.name is not None:
        frame = frame.reset_index()
    text = frame.astype("str").where(frame.notna(), "")
    text.columns = _checked_header(path, [str(name) for name in frame.columns])
    text.index = pd.RangeIndex(FIRST_ROW, FIRST_ROW + len(text))
    return text


def _read_csv(path: Path, compressed: bool) -> pd.DataFrame:
    header, lines = _shape(path, compressed)
    frame = pd.read_csv(
        path,
        compression="gzip" if compressed else None,
        dtype="str",
        keep_default_na=False,
        na_filter=False,
        header=0,
        names=_checked_header(path, header),
        index_col=False,
    )
    frame.index = pd.Index(lines)
    return frame


def _shape(path: Path, compressed: bool) -> tuple[list[str], array[int]]:
    """The header, and the line on which each row begins. Raises `CaseFileError` with every row of another length."""
    header: list[str] = []
    lines, errors, begins, more = array("q"), list[str](), 1, 0
    with path.open("rb") as packed:
        plain = gzip.GzipFile(fileobj=packed) if compressed else packed
        rows = csv.reader(TextIOWrapper(plain, encoding="utf-8-sig", newline=""), strict=True)
        try:
            for row in rows:
                if not header:
                    header = row
                elif row:
                    lines.append(begins)
                    if len(row) != len(header) and len(errors) >= KEPT_ERRORS:
                        more += 1
                    elif len(row) != len(header):
                        cells = "1 cell" if len(row) == 1 else f"{len(row)} cells"
                        errors.append(f"line {begins}: has {cells} for {len(header)} columns; check commas and quotes")
                begins = rows.line_num + 1
        except csv.Error as error:
            errors.append(f"line {begins}: cannot be read as CSV ({error}); check its quotes")
    if errors:
        raise CaseFileError(path, errors, more)
    return header, lines


def _checked_header(path: Path, header: Sequence[str]) -> list[str]:
    """Names of the columns without spaces around them. Raises `CaseFileError` where they cannot be told apart."""
    if not header:
        raise CaseFileError(path, ["is empty; the first line must name the columns"])
    if len(header) == 1 and any(separator in header[0] for separator in OTHER_SEPARATORS):
        raise CaseFileError(path, ["line 1: cells are not separated by commas; save the file with commas"])
    names = [name.strip() or f"Unnamed: {number}" for number, name in enumerate(header)]
    if twice := [
        f"line 1: columns {names.index(name) + 1} and {number + 1} have the same name; rename one"
        for number, name in enumerate(names)
        if names.index(name) < number
    ]:
        raise CaseFileError(path, twice)
    return names
