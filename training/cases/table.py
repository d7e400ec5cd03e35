"""Reads a data file as a table of text cells: what a spreadsheet or a data frame wrote, or a clear refusal.

A CSV file is read twice: record by record with the standard library, which checks its shape and notes the line on which
each row begins, then with pandas, for the cells. pandas alone would shift, pad or rename what does not fit, unasked.
"""

from __future__ import annotations

import csv
import gzip
import zlib
from array import array
from collections.abc import Iterable, Iterator, Sequence
from contextlib import contextmanager
from io import TextIOWrapper
from pathlib import Path
from typing import Any

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
        self._made_from = (path, self.errors, more)

    def __reduce__(self) -> tuple[type[CaseFileError], tuple[Path | str, list[str], int]]:
        """So that it comes back whole from the process that read the file."""
        return type(self), self._made_from


def read_table(path: Path) -> pd.DataFrame:
    """The file as text, empty where a cell is; format by extension. The index is the line on which each row begins.

    Raises `CaseFileError` with the fix. No message repeats a cell.
    """
    name = path.name.lower()
    with said_clearly(path):
        if name.endswith(".parquet"):
            return _read_parquet(path)
        if name.endswith((".csv", ".csv.gz")):
            return _read_csv(path, compressed=name.endswith(".gz"))
    raise CaseFileError(path, ["give a file that ends in .csv, .csv.gz or .parquet"])


@contextmanager
def said_clearly(path: Path) -> Iterator[None]:
    """What goes wrong while a file is read, as `CaseFileError`."""
    try:
        yield
    except CaseFileError:
        raise
    except UnicodeDecodeError:
        raise CaseFileError(path, ["is not UTF-8 text; save it again as CSV UTF-8"]) from None
    except UNREADABLE as error:
        reason = getattr(error, "strerror", None) or str(error) or type(error).__name__
        raise CaseFileError(path, [f"cannot be read: {reason.splitlines()[0]}"]) from None


def _read_parquet(path: Path) -> pd.DataFrame:
    # Nullable types keep a whole number whole beside empty cells: 3, as in CSV, and not 3.0.
    return as_text(path, pd.read_parquet(path, dtype_backend="numpy_nullable"))


def as_text(path: Path, frame: pd.DataFrame, first_row: int = FIRST_ROW) -> pd.DataFrame:
    """A frame of nullable types (dtype_backend="numpy_nullable") as text cells; its rows are counted from `first_row`.

    Raises `CaseFileError` where columns have the same name.
    """
    if frame.index.name is not None:
        frame = frame.reset_index()
    text = frame.astype("str").where(frame.notna(), "")
    text.columns = _checked_header(path, [str(name) for name in frame.columns])
    text.index = pd.RangeIndex(first_row, first_row + len(text))
    return text


def _read_csv(path: Path, compressed: bool) -> pd.DataFrame:
    header, lines = _shape(path, compressed)
    frame = pd.read_csv(path, **_cells(path, compressed, header))
    frame.index = pd.Index(lines)
    return frame


def csv_parts(path: Path, rows: int) -> Iterator[pd.DataFrame]:
    """A CSV file as `read_table` gives it, in parts of `rows` rows. Raises `CaseFileError`."""
    with said_clearly(path):
        compressed = path.name.lower().endswith(".gz")
        header, lines = _shape(path, compressed)
        begins = 0
        with pd.read_csv(path, chunksize=rows, **_cells(path, compressed, header)) as parts:
            for part in parts:
                part.index = pd.Index(lines[begins : begins + len(part)])
                begins += len(part)
                yield part


def _cells(path: Path, compressed: bool, header: Sequence[str]) -> dict[str, Any]:
    """How pandas reads cells as they are."""
    return {
        "compression": "gzip" if compressed else None,
        "dtype": "str",
        "keep_default_na": False,
        "na_filter": False,
        "header": 0,
        "names": _checked_header(path, header),
        "index_col": False,
    }


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
