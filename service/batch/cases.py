"""The cases of a file, as partitions of codes and references; what cannot be read is collected by line and column."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from pathlib import Path

import numpy as np
import pyarrow as pa
from numpy.typing import NDArray

from model.columns.codes import FeatureCodes
from service.batch.encoding import REFUSED, encode_batch, encoders
from service.batch.partition import Partition
from service.batch.problems import BatchError, Problems
from service.batch.reading import CasesFile, read_or_fail
from service.batch.references import CASE_REF, numbered, read_references, shortened
from service.batch.tree import PARTITION_ROWS

Bytes = NDArray[np.uint8]


class CaseReader:
    """Reads the cases of one open file. Raises `BatchError` where no column of it is in the dictionary."""

    def __init__(self, path: Path, opened: CasesFile, codes: Sequence[FeatureCodes], problems: Problems) -> None:
        self._path = path
        self._opened = opened
        self._problems = problems
        self._readers = encoders(codes)
        header = set(opened.header)
        self.missing = [column for column in self._readers if column not in header]
        if len(self.missing) == len(self._readers):
            raise BatchError(f"{path}: has none of the dictionary's columns; the header must name them")
        self.ignored = [column for column in opened.header if column not in self._readers and column != CASE_REF]
        self._wanted = [column for column in opened.header if column in self._readers or column == CASE_REF]

    @property
    def unseen(self) -> list[str]:
        """The columns that hold values which the dictionary does not list, as far as was read."""
        return [column for column, reader in self._readers.items() if reader.unseen]

    def partitions(self, at: Callable[[int], None]) -> Iterator[Partition]:
        """The cases; after the first problem none more, and the rest is only checked. `at` gets how far it was read."""
        waiting: list[tuple[Bytes, Bytes]] = []
        first = rows = 0
        for codes, references in self._encoded():
            at(self._opened.place())
            if self._problems:
                continue
            waiting.append((codes, references))
            rows += len(references)
            while rows >= PARTITION_ROWS:
                whole, rest = _split(waiting, PARTITION_ROWS)
                yield Partition(first, *whole)
                first, rows, waiting = first + PARTITION_ROWS, rows - PARTITION_ROWS, [rest]
        if rows and not self._problems:
            yield Partition(first, *_split(waiting, rows)[0])

    def _encoded(self) -> Iterator[tuple[Bytes, Bytes]]:
        row = 0
        batches = read_or_fail(self._path, lambda: iter(self._opened.batches(self._wanted, self._problems)))
        while (batch := read_or_fail(self._path, lambda: next(batches, None))) is not None:
            try:
                encoded = self._codes(batch, row), self._references(batch, row)
            except TypeError as error:
                raise BatchError(f"{self._path}: {error}; save its cells as text or numbers") from None
            yield encoded
            row += batch.num_rows

    def _codes(self, batch: pa.RecordBatch, row: int) -> Bytes:
        codes = encode_batch(batch, self._readers, batch.num_rows)
        refused = codes == REFUSED
        if refused.any():
            readers = list(self._readers.items())
            for place, feature in np.argwhere(refused.T).tolist():
                column, reader = readers[feature]
                self._problems.add(row + place, column, reader.fix)
        return codes

    def _references(self, batch: pa.RecordBatch, row: int) -> Bytes:
        if CASE_REF not in batch.schema.names:
            return numbered(row, batch.num_rows)
        references, refused = read_references(batch.column(CASE_REF))
        for place, fix in refused:
            self._problems.add(row + place, CASE_REF, fix)
        return references


def _split(waiting: list[tuple[Bytes, Bytes]], rows: int) -> tuple[tuple[Bytes, Bytes], tuple[Bytes, Bytes]]:
    """The first rows of what waits, and the rest."""
    codes = np.concatenate([codes for codes, _ in waiting], axis=1)
    references = np.concatenate([references for _, references in waiting])
    whole = np.ascontiguousarray(codes[:, :rows]), shortened(references[:rows])
    return whole, (codes[:, rows:], references[rows:])
