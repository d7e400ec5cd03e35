"""Turns the columns of a file into codes: each distinct cell is read once, as the dictionary says, then looked up."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc
from numpy.typing import NDArray

from model.case import OTHER, bounds
from model.columns.codes import FeatureCodes
from model.dictionary import Feature
from model.tokens import MISSING, LevelUnseen, ValueRefused, file_fix, read_token

Bytes = NDArray[np.uint8]

REFUSED = 255
"""Stands where a code would for a cell that cannot be read."""
_UNSEEN = 256
_MANY = 2048
_REMEMBERED = 1 << 16
_PLAIN_NUMBER = r"^-?[0-9]{1,15}(\.[0-9]{1,15})?$"


class ColumnEncoder:
    """Reads the cells of one feature's column. Cells are remembered by their text, apart from any case."""

    def __init__(self, codes: FeatureCodes) -> None:
        self.feature = codes.feature
        self.unseen = False
        self._codes = codes
        self._remembered: dict[str, int] = {}
        self._cuts = np.array(codes.cuts)
        self._missing = _spelled_numbers(self.feature)

    def encode(self, column: pa.Array) -> Bytes:
        """The code of each cell, (rows,); `REFUSED` where it cannot be read.

        Raises `TypeError` for a column of a type that has no cells of text, numbers or yes and no.
        """
        if pa.types.is_null(column.type):
            return np.full(len(column), self.not_known, dtype=np.uint8)
        if not pa.types.is_dictionary(column.type):
            try:
                column = column.dictionary_encode(null_encoding="encode")
            except (pa.ArrowNotImplementedError, pa.ArrowInvalid):
                raise TypeError(f"holds {column.type} and not text or numbers") from None
        distinct = column.dictionary
        of_distinct = np.empty(len(distinct) + 1, dtype=np.uint8)
        of_distinct[-1] = self._codes.not_known  # what is null
        of_distinct[:-1] = self._distinct(distinct)
        indices = column.indices.fill_null(len(distinct)) if column.indices.null_count else column.indices
        encoded: Bytes = np.take(of_distinct, indices.to_numpy(zero_copy_only=False))
        return encoded

    @property
    def not_known(self) -> int:
        """The code of a cell that is empty."""
        return self._codes.not_known

    @property
    def fix(self) -> str:
        """What a cell may hold, as the fix in an error."""
        return file_fix(self.feature)

    def _distinct(self, distinct: pa.Array) -> Bytes:
        if len(distinct) <= _MANY or not self.feature.is_numeric:
            return self._one_by_one(distinct)
        plain, numbers = self._plain_numbers(distinct)
        codes = np.empty(len(distinct), dtype=np.uint8)
        codes[plain] = self._in_bounds(numbers)
        codes[~plain] = self._one_by_one(distinct.filter(pa.array(~plain)))
        return codes

    def _one_by_one(self, distinct: pa.Array) -> Bytes:
        codes = np.empty(len(distinct), dtype=np.uint8)
        for place, cell in enumerate(distinct.to_pylist()):
            code = self._read("" if cell is None else str(cell))
            self.unseen |= code == _UNSEEN
            codes[place] = self._codes.not_known if code == _UNSEEN else code
        return codes

    def _read(self, text: str) -> int:
        code = self._remembered.get(text)
        if code is None:
            if len(self._remembered) >= _REMEMBERED:
                self._remembered.clear()
            code = self._remembered[text] = self._read_anew(text)
        return code

    def _read_anew(self, text: str) -> int:
        try:
            value = read_token(self.feature, text)
        except LevelUnseen:
            return _UNSEEN
        except ValueRefused:
            return REFUSED
        # As over HTTP: a code that the dictionary does not list may well mean "not known", so it is not `other`.
        if self.feature.kind == "category" and value == OTHER and text.strip() != OTHER:
            return _UNSEEN
        return self._codes.code(value)

    def _plain_numbers(self, distinct: pa.Array) -> tuple[NDArray[np.bool_], NDArray[np.float64]]:
        """Which of the cells are plainly numbers, and their values: the many of a measured quantity, read at once."""
        kind = distinct.type
        if pa.types.is_string(kind) or pa.types.is_large_string(kind):
            plain = pc.match_substring_regex(distinct, _PLAIN_NUMBER).fill_null(False)
            missing = pa.array(sorted(self._missing), type=distinct.type)
            plain = pc.and_(plain, pc.invert(pc.is_in(distinct, value_set=missing)))
            mask = plain.to_numpy(zero_copy_only=False)
            return mask, distinct.filter(plain).cast(pa.float64()).to_numpy(zero_copy_only=False)
        if pa.types.is_floating(kind) or pa.types.is_integer(kind):
            values = distinct.cast(pa.float64(), safe=False).fill_null(np.nan).to_numpy(zero_copy_only=False)
            mask = np.isfinite(values) & ~np.isin(values, [float(text) for text in self._missing if _is_number(text)])
            return mask, values[mask]
        return np.zeros(len(distinct), dtype=np.bool_), np.empty(0)

    def _in_bounds(self, numbers: NDArray[np.float64]) -> Bytes:
        low, high = bounds(self.feature)
        codes: Bytes = np.searchsorted(self._cuts, numbers, side="right").astype(np.uint8)
        refused = np.abs(numbers) > 2.0**53 - 1
        refused |= numbers < (-np.inf if low is None else low)
        refused |= numbers > (np.inf if high is None else high)
        if self.feature.kind == "count":
            refused |= numbers != np.trunc(numbers)
        codes[refused] = REFUSED
        return codes


def _spelled_numbers(feature: Feature) -> frozenset[str]:
    """The numbers that stand for a missing answer, in each spelling that `read_token` takes as such."""
    numeric = [text for text in (*MISSING, *feature.missing) if _is_number(text)]
    return frozenset(spelled for text in numeric for spelled in (text, f"{text}.0"))


def _is_number(text: str) -> bool:
    try:
        float(text)
    except ValueError:
        return False
    return True


def encoders(codes: Sequence[FeatureCodes]) -> Mapping[str, ColumnEncoder]:
    """An encoder a feature, by the column that its cells stand in, in the order of the terms."""
    return {of.feature.file_column: ColumnEncoder(of) for of in codes}


def encode_batch(batch: pa.RecordBatch, readers: Mapping[str, ColumnEncoder], rows: int) -> Bytes:
    """The codes of a batch, (features, rows); a feature without a column is not known."""
    encoded: Bytes = np.empty((len(readers), rows), dtype=np.uint8)
    for row, (column, reader) in zip(encoded, readers.items(), strict=True):
        if column in batch.schema.names:
            try:
                row[:] = reader.encode(batch.column(column))
            except TypeError as error:
                raise TypeError(f"column {column}: {error}") from None
        else:
            row[:] = reader.not_known
    return encoded
