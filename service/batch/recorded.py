"""A screened file as it is found again: its rows, the leaves that they make anew, and the job's entry in the log."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
import orjson
import pyarrow as pa
import pyarrow.csv
import pyarrow.parquet
from numpy.typing import NDArray

from model.prompt import LEVELS
from service.batch import row_format
from service.batch.problems import BatchError
from service.batch.reading import form_of, read_or_fail
from service.batch.references import CASE_REF
from service.batch.row_format import RowFormat
from service.batch.row_leaf import REFERENCE_BYTES, SALT_BYTES
from service.batch.tree import PARTITION_ROWS
from service.batch.writing import RECORD, SHAP
from service.log.merkle import HASH_BYTES
from service.log.reader import LogReader
from service.log.stored import StoredEntry

_TEXTS = (CASE_REF, "prompt", "grounds", RECORD)
_HEXADECIMAL = ("salt", "leaf_hash")
_FLOATS = ("score", "score_low", "score_high", "base_value")
_BLOCK_BYTES = 1 << 20
Bytes = NDArray[np.uint8]


@dataclass(frozen=True, slots=True)
class JobEntry:
    """What the log says of a job: features and grounds in their order, rows, roots and digests (hexadecimal)."""

    entry: StoredEntry
    features: Sequence[str]
    grounds: Sequence[str]
    rows: int
    root: str
    partition_roots: Sequence[str]
    output_sha256: str
    payload: bytes

    @property
    def form(self) -> RowFormat:
        """The widths of its rows."""
        return RowFormat(len(self.features), len(self.grounds))

    @property
    def columns(self) -> list[str]:
        """The columns that a row's leaf covers, and its hash and record."""
        shap = [SHAP + feature for feature in self.features]
        return [*_FLOATS, *shap, *_TEXTS, "band", "not_known", *_HEXADECIMAL]


def job_of(path: Path, log: LogReader) -> JobEntry:
    """The entry that the first row of a screened file names. Raises `BatchError` where there is none."""
    block = next(blocks(path, [RECORD]), None)
    if block is None or not block.num_rows:
        raise BatchError(f"{path}: has no rows, so it names no entry of a log")
    named = str(block.column(RECORD)[0].as_py())
    entry = log.get(named)
    if entry is None or entry.kind != "batch":
        raise BatchError(f"{path}: its column {RECORD} names no batch in this log; GROUNDS_VAR says which log is asked")
    return read_job(entry)


def read_job(entry: StoredEntry) -> JobEntry:
    """The content of a job's entry. Raises `BatchError` where it is of another row format than this version reads."""
    said: Mapping[str, Any] = orjson.loads(entry.payload or b"{}")
    if said.get("row_format") != row_format.FORMAT or said.get("partition_rows") != PARTITION_ROWS:
        raise BatchError(f"log entry {entry.index}: its rows are of a format that this version of Grounds cannot prove")
    return JobEntry(
        entry, said["features"], said["grounds"], said["rows"], said["root"], said["partition_roots"],
        said["output_sha256"], entry.payload or b"",
    )  # fmt: skip


def blocks(path: Path, columns: Sequence[str]) -> Iterator[pa.RecordBatch]:
    """The rows of a screened file, block by block, with at least these columns. Raises `BatchError`."""
    reader: Iterator[pa.RecordBatch] = read_or_fail(path, lambda: _reader(path, columns))
    while (block := read_or_fail(path, lambda: next(reader, None))) is not None:
        missing = [name for name in columns if name not in block.schema.names]
        if missing:
            raise BatchError(f"{path}: has no column {missing[0]}; give the file as `screen` wrote it")
        yield block


def _reader(path: Path, columns: Sequence[str]) -> Iterator[pa.RecordBatch]:
    if form_of(path) == "parquet":
        opened = pyarrow.parquet.ParquetFile(path, pre_buffer=False)
        wanted = [name for name in columns if name in opened.schema_arrow.names]
        return iter(opened.iter_batches(1 << 14, columns=wanted, use_threads=False))
    types = {name: pa.string() for name in (*_TEXTS, *_HEXADECIMAL)}
    types |= {name: pa.float64() for name in columns if name.startswith(SHAP) or name in _FLOATS}
    types |= {"band": pa.uint8(), "not_known": pa.uint16()}
    return iter(
        pyarrow.csv.open_csv(
            path,
            read_options=pyarrow.csv.ReadOptions(block_size=_BLOCK_BYTES),
            convert_options=pyarrow.csv.ConvertOptions(column_types=types, strings_can_be_null=False),
        )
    )


def leaves_of(block: pa.RecordBatch, job: JobEntry) -> NDArray[np.void]:
    """The leaves that rows make, from their own columns. Raises `ValueError` where a cell fits no leaf."""
    form = job.form
    rows = np.zeros(block.num_rows, dtype=form.dtype)
    for name in (*_FLOATS, "band", "not_known"):
        rows[name] = block.column(name).to_numpy(zero_copy_only=False)
    rows["salt"] = raw_bytes(block.column("salt"), SALT_BYTES)
    rows["case_ref"] = _filled(_texts(block, CASE_REF))
    rows["prompt"] = _numbered(_texts(block, "prompt"), {level: [place] for place, level in enumerate(LEVELS)})[:, 0]
    rows["grounds"] = _ground_bits(_texts(block, "grounds"), job)
    for place, feature in enumerate(job.features):
        rows["contributions"][:, place] = block.column(SHAP + feature).to_numpy(zero_copy_only=False)
    return rows


def raw_bytes(column: pa.Array, width: int) -> Bytes:
    """The bytes in a column of them, (rows, width); CSV has them in hexadecimal. Raises `ValueError`."""
    texts = column.to_pylist()
    data = b"".join(cell if isinstance(cell, bytes) else bytes.fromhex(cell or "") for cell in texts)
    if len(data) != width * len(texts):
        raise ValueError(f"not {width} bytes a row")
    return np.frombuffer(data, dtype=np.uint8).reshape(-1, width)


def sums_hold(rows: NDArray[np.void], tolerance: float) -> NDArray[np.bool_]:
    """Of each leaf, whether base value and contributions sum to the log-odds of its score."""
    scores = rows["score"]
    inside = (scores > 0.0) & (scores < 1.0)
    odds = np.where(inside, scores, 0.5)
    margins = np.log(odds) - np.log1p(-odds)
    off = np.abs(rows["base_value"] + rows["contributions"].sum(axis=1) - margins)
    # Near 1 the score itself is too coarse to give its log-odds back: by so much at least.
    grain = 4 * np.spacing(odds) / (odds * (1 - odds))
    return np.asarray(inside & (off <= tolerance + grain))


def hashes_in(block: pa.RecordBatch) -> Bytes:
    """The leaf hashes that rows state, (rows, 32)."""
    return raw_bytes(block.column("leaf_hash"), HASH_BYTES)


def _texts(block: pa.RecordBatch, name: str) -> list[str]:
    return ["" if cell is None else cell for cell in block.column(name).to_pylist()]


def _filled(texts: Sequence[str]) -> Bytes:
    encoded = [text.encode() for text in texts]
    if any(len(text) > REFERENCE_BYTES for text in encoded):
        raise ValueError("a case_ref is too long")
    return np.array(encoded, dtype=f"S{REFERENCE_BYTES}").view(np.uint8).reshape(-1, REFERENCE_BYTES)


def _ground_bits(texts: Sequence[str], job: JobEntry) -> Bytes:
    place = {code: number for number, code in enumerate(job.grounds)}
    width = job.form.ground_bytes
    patterns: dict[str, Sequence[int]] = {}
    for text in set(texts):
        if unknown := [code for code in text.split() if code not in place]:
            raise ValueError(f"{len(unknown)} grounds that the job does not know")
        bits = sum(1 << place[code] for code in set(text.split()))
        # Its codes in their order, or it is another text than was written.
        if text != " ".join(code for code in job.grounds if bits >> place[code] & 1):
            raise ValueError("grounds out of their order")
        patterns[text] = list(bits.to_bytes(max(width, 1), "little"))
    return _numbered(texts, patterns)[:, :width]


def _numbered(texts: Sequence[str], patterns: Mapping[str, Sequence[int]]) -> Bytes:
    if strange := set(texts) - patterns.keys():
        raise ValueError(f"{len(strange)} texts that no row has")
    width = max(map(len, patterns.values()), default=1)
    return np.array([patterns[text] for text in texts], dtype=np.uint8).reshape(len(texts), width)
