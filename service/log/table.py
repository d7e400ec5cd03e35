"""The log as a table, CSV or Parquet: for analysis. It proves nothing; JSON Lines does.

A manifest ties a table to a checkpoint by digest and counts.
"""

from __future__ import annotations

import csv
from collections.abc import Iterable, Iterator
from itertools import islice
from pathlib import Path
from typing import Any

import orjson

from service.log.export import Span
from service.log.projection import facts_of
from service.log.reader import LogReader
from service.log.schema import LogError
from service.log.stored import StoredEntry

COLUMNS = (
    "index",
    "at",
    "kind",
    "entry_id",
    "leaf_hash",
    "model",
    "agency",
    "key_id",
    "level",
    "band",
    "score",
    "grounds",
    "features",
    "response",
    "payload",
)
"""`features` are the names of those known; `payload` is the entry's JSON as it was logged, empty once erased."""
_LISTS = ("grounds", "features")
_NUMBERS = {"index": "int64", "band": "int64", "score": "float64"}
_ROWS = 2000
LIST_MARK = ";"

Record = dict[str, Any]


class NoParquet(LogError):
    """pyarrow is not there; one line with the fix."""


def records(log: LogReader, span: Span) -> Iterator[Record]:
    """A record an entry, its keys the `COLUMNS`. Raises `LogDamaged` at one whose bytes do not belong together."""
    return (_record(entry) for entry in log.entries(span.start, span.stop))


def _record(entry: StoredEntry) -> Record:
    facts = facts_of(entry)
    answer = orjson.loads(entry.payload).get("answer") if entry.payload is not None else None
    record = {name: getattr(facts, name, None) for name in COLUMNS}
    return {
        **record,
        "grounds": list(facts.grounds),
        "features": list(facts.features),
        "leaf_hash": entry.leaf_hash,
        "score": answer.get("score") if isinstance(answer, dict) else None,
        "payload": None if entry.payload is None else entry.payload.decode(),
    }


def write_csv(path: Path, rows: Iterable[Record]) -> None:
    """Writes records as CSV in UTF-8 with a header; lists are joined by semicolons, what is not there is empty."""
    with path.open("w", encoding="utf-8", newline="") as file:
        writer = csv.writer(file)
        writer.writerow(COLUMNS)
        for row in rows:
            writer.writerow([LIST_MARK.join(row[name]) if name in _LISTS else row[name] for name in COLUMNS])


def write_parquet(path: Path, rows: Iterable[Record]) -> None:
    """Writes records as Parquet. Raises `NoParquet`."""
    pyarrow = _pyarrow()
    schema = pyarrow.schema([(name, _type_of(name, pyarrow)) for name in COLUMNS])
    left = iter(rows)
    with pyarrow.parquet.ParquetWriter(path, schema, compression="zstd") as writer:
        while batch := list(islice(left, _ROWS)):
            writer.write_batch(pyarrow.RecordBatch.from_pylist(batch, schema=schema))


def read_columns(path: Path, form: str, names: tuple[str, ...]) -> Iterator[tuple[str, ...]]:
    """These columns of a table, a row each, as texts. Raises `LogError` where the file is no such table."""
    try:
        yield from _read_csv(path, names) if form == "csv" else _read_parquet(path, names)
    except (KeyError, csv.Error, UnicodeDecodeError, ValueError) as error:
        raise LogError(f"{path}: is not a table that this service exported ({type(error).__name__})") from None


def _read_csv(path: Path, names: tuple[str, ...]) -> Iterator[tuple[str, ...]]:
    with path.open(encoding="utf-8", newline="") as file:
        for row in csv.DictReader(file, strict=True):
            yield tuple(row[name] or "" for name in names)


def _read_parquet(path: Path, names: tuple[str, ...]) -> Iterator[tuple[str, ...]]:
    pyarrow = _pyarrow()
    for batch in pyarrow.parquet.ParquetFile(path).iter_batches(batch_size=_ROWS, columns=list(names)):
        for row in batch.to_pylist():
            yield tuple("" if row[name] is None else str(row[name]) for name in names)


def _type_of(name: str, pyarrow: Any) -> Any:
    if name in _LISTS:
        return pyarrow.list_(pyarrow.string())
    return pyarrow.type_for_alias(_NUMBERS.get(name, "string"))


def _pyarrow() -> Any:
    try:
        import pyarrow
        import pyarrow.parquet
    except ImportError:
        raise NoParquet(
            "Parquet needs pyarrow, which the service does not bring: pip install pyarrow, or export --format csv"
        ) from None
    return pyarrow
