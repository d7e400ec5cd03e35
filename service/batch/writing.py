"""Writes what was found, a partition at a time: Parquet (a row group a partition) or CSV, by the file's extension."""

from __future__ import annotations

import gzip
from typing import Any, BinaryIO, Protocol

import numpy as np
import pyarrow as pa
import pyarrow.csv
import pyarrow.parquet
from numpy.typing import NDArray

from model.additive import AdditiveModel
from model.columns.codes import codes_of
from model.pairs.table import features_in
from model.prompt import LEVELS
from service.batch.partition import Partition, ScreenedPartition
from service.batch.references import CASE_REF
from service.batch.row_format import RowFormat
from service.batch.row_leaf import SALT_BYTES
from service.log.merkle import HASH_BYTES

SHAP = "shap_"
RECORD = "record"
_NUMBERS = ("score", "score_low", "score_high")
Bytes = NDArray[np.uint8]


class RowWriter(Protocol):
    """What takes tables of rows."""

    def write_table(self, table: pa.Table) -> None:
        """Writes some rows."""

    def close(self) -> None:
        """Ends the file's content; the file itself stays open."""


class OutputTable:
    """Makes the output's rows of one job: contributions come from the codes, by tables, where no pair has a say."""

    def __init__(self, model: AdditiveModel, name: str, record: str) -> None:
        """`name` is what the rows call the model; `record` the id of the job's entry."""
        self._name, self._record = name, record
        self._base_value = model.base_value
        self._ground_codes = [ground.code for ground in model.dictionary.grounds]
        self._ground_texts: dict[bytes, str] = {}
        self._tables = {
            SHAP + term.feature.name: pa.array([term.contributions[slot] for slot in of.slots], type=pa.float64())
            for of, term in zip(codes_of(model), model.terms, strict=True)
        }
        self._in_pairs = [SHAP + model.terms[place].feature.name for place in features_in(model.pairs)]
        self._form = RowFormat(len(model.terms), len(model.dictionary.grounds))

    def table(self, partition: Partition, found: ScreenedPartition) -> pa.Table:
        """The rows of a screened partition; `docs/reference/screened-file.md` tells of each column."""
        rows = partition.rows
        columns: dict[str, Any] = {CASE_REF: _texts(partition.references)}
        columns |= {name: pa.array(found.columns[name]) for name in _NUMBERS}
        columns["prompt"] = _looked_up(found.columns["prompt"], pa.array(LEVELS))
        columns["base_value"] = _looked_up(np.zeros(rows, dtype=np.uint8), pa.array([self._base_value]))
        for (name, table), codes in zip(self._tables.items(), partition.codes, strict=True):
            columns[name] = _looked_up(codes, table)
        columns |= {name: pa.array(parts) for name, parts in zip(self._in_pairs, found.together, strict=True)}
        columns["band"] = pa.array(found.columns["band"])
        columns["grounds"] = self._grounds(found.grounds)
        columns["not_known"] = pa.array(found.columns["not_known"])
        columns["model"] = _looked_up(np.zeros(rows, dtype=np.uint8), pa.array([self._name]))
        columns[RECORD] = _looked_up(np.zeros(rows, dtype=np.uint8), pa.array([self._record]))
        columns["salt"] = _binary(found.salts.tobytes(), SALT_BYTES)
        columns["leaf_hash"] = _binary(found.leaf_hashes, HASH_BYTES)
        return pa.table(columns)

    def _grounds(self, bits: Bytes) -> pa.Array:
        if not self._ground_codes:
            return _looked_up(np.zeros(len(bits), dtype=np.uint8), pa.array([""]))
        encoded = _binary(bits.tobytes(), bits.shape[1]).dictionary_encode()
        texts = [self._ground_text(pattern) for pattern in encoded.dictionary.to_pylist()]
        return pa.DictionaryArray.from_arrays(encoded.indices, pa.array(texts, type=pa.string()))

    def _ground_text(self, pattern: bytes) -> str:
        text = self._ground_texts.get(pattern)
        if text is None:
            bits = int.from_bytes(pattern, "little")
            text = " ".join(code for place, code in enumerate(self._ground_codes) if bits >> place & 1)
            self._ground_texts[pattern] = text
        return text


class ParquetRows:
    """A Parquet file of rows. Tables that repeat are stored as such; hashes and salts do not compress."""

    _PLAIN = (CASE_REF, *_NUMBERS, "salt", "leaf_hash")

    def __init__(self, file: BinaryIO, schema: pa.Schema) -> None:
        tables = [name for name in schema.names if name not in self._PLAIN]
        self._writer = pyarrow.parquet.ParquetWriter(
            pa.PythonFile(file, mode="w"),
            schema,
            use_dictionary=tables,
            compression={name: "none" if name in ("salt", "leaf_hash") else "snappy" for name in schema.names},
            write_statistics=False,
            store_schema=False,
        )

    def write_table(self, table: pa.Table) -> None:
        self._writer.write_table(table)

    def close(self) -> None:
        self._writer.close()


class CsvRows:
    """A CSV file of rows, plain or gzip; bytes are in hexadecimal."""

    def __init__(self, file: BinaryIO, schema: pa.Schema, zipped: bool) -> None:
        # Without a time and a name in its head, so that the same job gives the same bytes.
        self._zipped = gzip.GzipFile("", "wb", compresslevel=6, fileobj=file, mtime=0) if zipped else None
        fields = [pa.field(f.name, pa.string() if _is_binary(f) else f.type) for f in schema]
        options = pyarrow.csv.WriteOptions(quoting_style="needed", quoting_header="needed")
        self._writer = pyarrow.csv.CSVWriter(
            pa.PythonFile(self._zipped or file, mode="w"), pa.schema(fields), write_options=options
        )

    def write_table(self, table: pa.Table) -> None:
        for place, field in enumerate(table.schema):
            if _is_binary(field):
                table = table.set_column(place, field.name, _hexadecimal(table.column(place)))
        self._writer.write_table(table)

    def close(self) -> None:
        self._writer.close()
        if self._zipped is not None:
            self._zipped.close()


def row_writer(file: BinaryIO, form: str, schema: pa.Schema) -> RowWriter:
    """What writes rows in a form (as `reading.form_of` names it) into a file."""
    return ParquetRows(file, schema) if form == "parquet" else CsvRows(file, schema, form == "csv.gz")


def _looked_up(codes: NDArray[Any], table: pa.Array) -> pa.DictionaryArray:
    return pa.DictionaryArray.from_arrays(pa.array(codes), table)


def _binary(data: bytes, width: int) -> pa.Array:
    return pa.FixedSizeBinaryArray.from_buffers(pa.binary(width), len(data) // width, [None, pa.py_buffer(data)])


def _texts(references: Bytes) -> pa.Array:
    """The texts in rows of bytes, without the zeros that fill them up."""
    kept = references != 0
    offsets = np.zeros(len(references) + 1, dtype=np.int32)
    np.cumsum(np.count_nonzero(kept, axis=1), out=offsets[1:])
    longest = int(np.diff(offsets).max(initial=0))
    data = references[:, :longest][kept[:, :longest]]
    return pa.StringArray.from_buffers(len(references), pa.py_buffer(offsets), pa.py_buffer(data))


def _is_binary(field: pa.Field) -> bool:
    return bool(pa.types.is_fixed_size_binary(field.type))


def _hexadecimal(column: pa.ChunkedArray) -> pa.Array:
    (chunk,) = column.chunks
    width = 2 * chunk.type.byte_width
    data = chunk.buffers()[1].to_pybytes().hex().encode()
    offsets = np.arange(0, len(data) + 1, width, dtype=np.int32)
    return pa.StringArray.from_buffers(len(chunk), pa.py_buffer(offsets), pa.py_buffer(data))
