"""The references of the cases in a file: pseudonyms, by the rule of `POST /v1/screenings`, in 64 bytes each."""

from __future__ import annotations

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc
from numpy.typing import NDArray

from model.identifiers import identifier_kind, looks_like_a_name
from service.batch.row_leaf import REFERENCE_BYTES
from service.screening.schemas import REFERENCE_FIX, CaseReference

CASE_REF = "case_ref"

# One run of at most seven digits, behind at most one word, is long enough for none of the identifiers of
# `model.identifiers`, so these need no closer look.
_PLAINLY_FINE = r"^[A-Za-z]{0,40}[-._:]?[0-9]{1,7}$"
_STARTS_RIGHT = r"^[A-Za-z0-9]"

Bytes = NDArray[np.uint8]


def numbered(first: int, rows: int) -> Bytes:
    """References for a file that has none: the number of the case (from 1), (rows, REFERENCE_BYTES)."""
    return _bytes_of(pa.array(range(first + 1, first + rows + 1), type=pa.int64()).cast(pa.string()))


def read_references(column: pa.Array) -> tuple[Bytes, list[tuple[int, str]]]:
    """The references, (rows, REFERENCE_BYTES), and which (row in the column, from 0) are refused, with the fix.

    An empty cell is refused: a number in its place might be the reference of another case. Raises `TypeError` for a
    column without texts.
    """
    if pa.types.is_dictionary(column.type):
        column = column.dictionary_decode()
    try:
        texts = column.cast(pa.string()).fill_null("")
    except pa.ArrowException:
        raise TypeError(f"column {CASE_REF}: holds {column.type} and not text") from None
    plain = pc.and_(pc.match_substring_regex(texts, _PLAINLY_FINE), pc.match_substring_regex(texts, _STARTS_RIGHT))
    doubtful = np.flatnonzero(~plain.to_numpy(zero_copy_only=False))
    refused = []
    rule = CaseReference()
    for row, text in zip(doubtful.tolist(), texts.take(pa.array(doubtful)).to_pylist(), strict=True):
        if not rule.accepts(text):
            refused.append((row, _why(text)))
    if refused:
        texts = pc.if_else(pc.greater(pc.binary_length(texts), REFERENCE_BYTES), "", texts)
    return _bytes_of(texts), refused


def _why(text: str) -> str:
    if not text:
        return "is empty; put your own pseudonym in each row, or leave the column out and cases are numbered"
    kind = identifier_kind(text) or ("a name" if looks_like_a_name(text) else None)
    return f"looks like {kind}; put your own pseudonym" if kind else REFERENCE_FIX.replace("send", "put", 1)


def _bytes_of(texts: pa.Array) -> Bytes:
    padded = pc.ascii_rpad(texts, REFERENCE_BYTES, "\0")
    count = REFERENCE_BYTES * len(texts)
    return np.frombuffer(padded.buffers()[2], dtype=np.uint8, count=count).reshape(-1, REFERENCE_BYTES)


def shortened(references: Bytes) -> Bytes:
    """The references without the zeros behind the longest, (rows, bytes): most are short, and are sent to workers."""
    used = np.flatnonzero(references.any(axis=0))
    return np.ascontiguousarray(references[:, : int(used[-1]) + 1 if used.size else 1])
