"""Reads a file of cases, block by block: CSV (plain or gzip) and Parquet, by the file's extension."""

from __future__ import annotations

import csv
import gzip
import io
from collections import Counter
from collections.abc import Callable, Collection, Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Protocol

import pyarrow as pa
import pyarrow.csv
import pyarrow.parquet

from service.batch.problems import BatchError, Problems
from service.batch.references import CASE_REF

SUFFIXES = ".csv, .csv.gz or .parquet"
_CSV_BLOCK = 1 << 20
"""Bytes of a CSV file that are read at a time."""
_PARQUET_ROWS = 1 << 14
"""Rows of a Parquet file that are read at a time: with four times as many, reading takes a quarter of all memory."""


class CasesFile(Protocol):
    """An open file of cases."""

    header: Sequence[str]
    size: int
    """What `place` will be at the end: rows, or bytes where the rows are not known beforehand."""

    def batches(self, columns: Collection[str], problems: Problems) -> Iterator[pa.RecordBatch]:
        """The rows, in the order of the file, in blocks of any size; only the `columns` that are wanted."""

    def place(self) -> int:
        """How far it was read."""


def form_of(path: Path) -> str:
    """`parquet`, `csv` or `csv.gz`. Raises `BatchError` for a file of another extension."""
    for form in ("parquet", "csv", "csv.gz"):
        if path.name.lower().endswith(f".{form}"):
            return form
    raise BatchError(f"{path}: give a file that ends in {SUFFIXES}")


def open_cases(path: Path, file: io.BufferedReader) -> CasesFile:
    """Opens the cases in `file`. Raises `BatchError` where it cannot be read or its header is of no use."""
    form = form_of(path)
    opened: CasesFile = read_or_fail(
        path, lambda: _ParquetFile(file) if form == "parquet" else _CsvFile(path, file, form == "csv.gz")
    )
    twice = [name for name, count in Counter(opened.header).items() if count > 1]
    if twice:
        raise BatchError(f"{path}: line 1, column {twice[0]}: is there more than once; keep one")
    return opened


def read_or_fail(path: Path, read: Callable[[], Any]) -> Any:
    """What `read` returns. Raises `BatchError` where the file is not of its form; the reader's words hold values."""
    try:
        return read()
    except (pa.ArrowException, UnicodeDecodeError, csv.Error, EOFError, OSError) as error:
        if isinstance(error, OSError) and error.errno is not None and not isinstance(error, gzip.BadGzipFile):
            raise
        raise BatchError(
            f"{path}: cannot be read as {form_of(path)} ({type(error).__name__}); save it as CSV in UTF-8 or as Parquet"
        ) from None


@dataclass
class _ParquetFile:
    header: Sequence[str]
    size: int

    def __init__(self, file: io.BufferedReader) -> None:
        self._file = file
        opened = pyarrow.parquet.ParquetFile(file)
        self.header = opened.schema_arrow.names
        self.size = opened.metadata.num_rows
        self._texts = [f.name for f in opened.schema_arrow if pa.types.is_string(f.type) and f.name != CASE_REF]
        self._done = 0

    def batches(self, columns: Collection[str], problems: Problems) -> Iterator[pa.RecordBatch]:
        # Texts as the file's own dictionaries: each distinct cell is then read once.
        opened = pyarrow.parquet.ParquetFile(self._file, read_dictionary=self._texts, pre_buffer=False)
        for batch in opened.iter_batches(_PARQUET_ROWS, columns=list(columns), use_threads=False):
            yield batch
            self._done += batch.num_rows

    def place(self) -> int:
        return self._done


class _CsvFile:
    def __init__(self, path: Path, file: io.BufferedReader, zipped: bool) -> None:
        self._path = path
        self._file = file
        self._zipped = zipped
        self.size = path.stat().st_size
        with self._text() as text:
            self.header: Sequence[str] = next(csv.reader(text), [])
        if not self.header:
            raise BatchError(f"{path}: is empty; its first line must name the columns")
        self._ragged = False

    def place(self) -> int:
        return self._file.tell()

    def batches(self, columns: Collection[str], problems: Problems) -> Iterator[pa.RecordBatch]:
        self._file.seek(0)
        source: Any = gzip.GzipFile(fileobj=self._file) if self._zipped else self._file
        text = pa.string()
        reader = pyarrow.csv.open_csv(
            pa.PythonFile(source, mode="r"),
            read_options=pyarrow.csv.ReadOptions(block_size=_CSV_BLOCK),
            parse_options=pyarrow.csv.ParseOptions(newlines_in_values=True, invalid_row_handler=self._note_ragged),
            convert_options=pyarrow.csv.ConvertOptions(
                include_columns=list(columns),
                column_types={name: text if name == CASE_REF else pa.dictionary(pa.int32(), text) for name in columns},
                strings_can_be_null=False,
            ),
        )
        yield from reader
        if self._ragged:
            self._list_ragged(problems)

    def _note_ragged(self, _row: object) -> str:
        self._ragged = True
        return "skip"

    def _list_ragged(self, problems: Problems) -> None:
        """Names the lines with too few or too many cells, which the fast reader cannot number."""
        with self._text() as text:
            lines = csv.reader(text)
            for cells in lines:
                if cells and len(cells) != len(self.header):
                    what = f"has {len(cells)} cells where the header has {len(self.header)}; quote cells with commas"
                    problems.add_line(lines.line_num, what)

    def _text(self) -> io.TextIOWrapper:
        # Spreadsheets put a mark before the first byte, which is no part of the first column's name.
        if self._zipped:
            return io.TextIOWrapper(gzip.GzipFile(self._path), encoding="utf-8-sig", newline="")
        return self._path.open(encoding="utf-8-sig", newline="")
