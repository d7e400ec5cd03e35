"""Cases that are too many for one memory, read part by part: row groups of Parquet files, or a CSV file cut into such.

A part is read into memory whole, so it must fit there; how many parts there are does not matter. Cells are read and
checked as in a file that is read at once (`training.cases.file`). What needs all rows at once is not checked here:
leaks, proxies, small cells. `python -m training train` on a sample of families checks those.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import pandas as pd
import pyarrow as pa
from numpy.typing import NDArray
from pyarrow import parquet

from model.dictionary import Dictionary
from training.cases.file import encode, outcome_codes
from training.cases.suspects import never_scored
from training.cases.table import FIRST_ROW, CaseFileError, as_text, csv_parts, said_clearly

Floats = NDArray[np.float64]

CUT_ROWS = 65_536  # rows of a part cut from a CSV file
LINE = "line of the CSV file"  # column of such a part


@dataclass(frozen=True, slots=True)
class Partition:
    """One row group of a Parquet file. `first_row` is the number of rows of the file before it.

    `source` is what an error names: the file itself, or the CSV file that it was cut from.
    """

    path: Path
    row_group: int
    first_row: int
    rows: int
    source: Path


def partitions(data: Path, dictionary: Dictionary, folder: Path) -> list[Partition]:
    """The parts of `data` in order: a folder of Parquet files (by name), one such file, or a CSV file.

    A CSV file is cut into Parquet files in `folder`, without ever being in memory whole. Raises `CaseFileError`.
    """
    if errors := never_scored(dictionary):
        raise CaseFileError(data, errors)
    if data.name.lower().endswith((".csv", ".csv.gz")):
        found = [part for path in _cut(data, folder) for part in _row_groups(path, data)]
    else:
        files = sorted(data.glob("*.parquet")) if data.is_dir() else [data]
        if not files:
            raise CaseFileError(data, ["holds no file that ends in .parquet"])
        found = [part for path in files for part in _row_groups(path, path)]
    for path, source in {part.path: part.source for part in found}.items():
        with said_clearly(source):
            names = {str(name).strip() for name in parquet.read_schema(path).names}
        if errors := [
            f"column {name}: is missing; the dictionary needs it" for name in _needed(dictionary) if name not in names
        ]:
            raise CaseFileError(source, errors)
    if not sum(part.rows for part in found):
        raise CaseFileError(data, ["has no rows below the header"])
    return found


def read_partition(part: Partition, dictionary: Dictionary) -> tuple[Floats, NDArray[np.int8]]:
    """Encoded rows (rows, features) and outcomes (rows,), as in `CaseFile`. Raises `CaseFileError` by line."""
    with said_clearly(part.source):
        table = parquet.ParquetFile(part.path).read_row_group(part.row_group)
        frame = table.to_pandas(types_mapper=_NULLABLE.get)
    text = as_text(part.source, frame, FIRST_ROW + part.first_row)
    if part.path != part.source:
        text.index = pd.Index(text[LINE].astype(int))
    errors: list[str] = []
    X = np.empty((len(text), len(dictionary.features)), order="F")
    for j, feature in enumerate(dictionary.features):
        X[:, j] = encode(feature, text[feature.file_column], errors)
    y = outcome_codes(text[dictionary.outcome.column], dictionary, errors)
    if errors:
        raise CaseFileError(part.source, errors)
    return X, y


_NULLABLE = {
    pa.int8(): pd.Int8Dtype(), pa.int16(): pd.Int16Dtype(), pa.int32(): pd.Int32Dtype(), pa.int64(): pd.Int64Dtype(),
    pa.uint8(): pd.UInt8Dtype(), pa.uint16(): pd.UInt16Dtype(), pa.uint32(): pd.UInt32Dtype(),
    pa.uint64(): pd.UInt64Dtype(), pa.float32(): pd.Float32Dtype(), pa.float64(): pd.Float64Dtype(),
    pa.bool_(): pd.BooleanDtype(), pa.string(): pd.StringDtype(),
}  # fmt: skip
"""As `pandas.read_parquet(dtype_backend="numpy_nullable")`, which cannot read a single row group."""


def _row_groups(path: Path, source: Path) -> Iterator[Partition]:
    with said_clearly(source):
        about = parquet.read_metadata(path)
    first = 0
    for number in range(about.num_row_groups):
        rows = about.row_group(number).num_rows
        yield Partition(path, number, first, rows, source)
        first += rows


def _cut(data: Path, folder: Path) -> Iterator[Path]:
    for number, part in enumerate(csv_parts(data, CUT_ROWS)):
        path = folder / f"cut-{number:06}.parquet"
        part.assign(**{LINE: part.index}).to_parquet(path, index=False)
        yield path


def _needed(dictionary: Dictionary) -> list[str]:
    return [*(feature.file_column for feature in dictionary.features), dictionary.outcome.column]
