"""Screens a file of cases: every row scored and explained, one log entry for the whole job.

The entry holds the digests of input and output, the row count and the model; the rows stay in the output file. The
entry is durable before the output file appears under its name.
"""

from __future__ import annotations

import csv
import gzip
import hashlib
import os
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import IO, Any, cast

from rich.progress import track

from model.additive import AdditiveModel
from model.artefact import MODEL_FILE, digest, read_model
from model.case import Case
from model.dictionary import NOT_KNOWN, Feature
from model.explanation import explain
from model.gaps import find_gaps
from model.grounds import find_grounds
from model.identifiers import identifier_kind
from model.prompt import decide_prompt
from model.tokens import LevelUnseen, ValueRefused, file_fix, read_token
from service.log.canonical import canonical_bytes
from service.log.store import LogStore

CASE_REF = "case_ref"
HEADER_LINES = 2
SHOWN_ERRORS = 20

Cells = Mapping[str, str]


class BatchError(ValueError):
    """A batch that cannot be screened; a line a problem, and nothing is written."""


@dataclass(frozen=True, slots=True)
class _Read:
    """The file's cases, and what was passed over."""

    references: Sequence[str]
    cases: Sequence[Case]
    ignored: Sequence[str]
    unseen: Sequence[str]


def screen_file(path: Path, model_folder: Path, out: Path, open_log: Callable[[], LogStore]) -> str:
    """Screens `path` into `out` (format by extension: .csv, .csv.gz, .parquet) and returns a report for a person.

    Raises `BatchError` listing problems by line and column; then no output is written.
    """
    data = (model_folder / MODEL_FILE).read_bytes()
    model = read_model(data, str(model_folder / MODEL_FILE))
    read = _read(path, model)
    rows = [_screen_row(model, ref, case) for ref, case in zip(read.references, track_cases(read.cases), strict=True)]
    fresh = out.with_name(f".{out.name}.{os.getpid()}{''.join(out.suffixes)}")
    try:
        _write(fresh, _columns(model), rows)
        entry = {
            "input_sha256": _file_digest(path),
            "model": {"version": model.version, "sha256": digest(data), "synthetic": model.synthetic},
            "output_sha256": _file_digest(fresh),
            "rows": len(rows),
        }
        log = open_log()
        try:
            receipt = log.append("batch", canonical_bytes(entry))
        finally:
            log.close()
        fresh.replace(out)
    finally:
        fresh.unlink(missing_ok=True)
    return _report(out, rows, read, model, receipt.index)


def track_cases(cases: Sequence[Case]) -> Iterable[Case]:
    """The cases, with a progress bar on a terminal."""
    return track(cases, description="screening", transient=True)


def _read(path: Path, model: AdditiveModel) -> _Read:
    try:
        header, rows = _table(path)
    except BatchError:
        raise
    except (UnicodeDecodeError, csv.Error, EOFError, ValueError) as error:
        raise BatchError(f"{path}: cannot be read as CSV in UTF-8 or as Parquet ({type(error).__name__})") from None
    features = model.dictionary.features
    columns = {feature.file_column for feature in features}
    missing = [column for column in columns if column not in header]
    if len(missing) == len(columns):
        raise BatchError(f"{path}: has none of the dictionary's columns; the header must name them")
    errors: list[str] = []
    references: list[str] = []
    cases: list[Case] = []
    unseen: set[str] = set()
    for line, row in enumerate(rows, HEADER_LINES):
        reference = row.get(CASE_REF) or str(line - HEADER_LINES + 1)
        if CASE_REF in header and (kind := identifier_kind(reference)):
            errors.append(f"{path}: line {line}, column {CASE_REF}: looks like {kind}; put your own pseudonym")
        references.append(reference)
        cases.append(Case({f.name: _value(f, row, f"{path}: line {line}", errors, unseen) for f in features}))
    if errors:
        rest = f"\n{path}: and {len(errors) - SHOWN_ERRORS} more" if len(errors) > SHOWN_ERRORS else ""
        raise BatchError("\n".join(errors[:SHOWN_ERRORS]) + rest)
    ignored = [column for column in header if column not in columns and column != CASE_REF]
    unseen |= {f"{column} (no such column)" for column in missing}
    return _Read(references, cases, ignored, sorted(unseen))


def _value(feature: Feature, row: Cells, where: str, errors: list[str], unseen: set[str]) -> Any:
    try:
        return read_token(feature, row.get(feature.file_column) or "")
    except LevelUnseen:
        unseen.add(feature.file_column)
    except ValueRefused:
        errors.append(f"{where}, column {feature.file_column}: {file_fix(feature)}")
    return NOT_KNOWN


def _table(path: Path) -> tuple[list[str], list[Cells]]:
    if path.suffix == ".parquet":
        import pyarrow.parquet

        table = pyarrow.parquet.read_table(path)
        rows = table.to_pylist()
        return table.column_names, [
            {name: "" if cell is None else str(cell) for name, cell in row.items()} for row in rows
        ]
    if path.suffix == ".csv" or path.suffixes[-2:] == [".csv", ".gz"]:
        with _opened(path, "rt") as file:
            reader = csv.DictReader(file)
            return list(reader.fieldnames or ()), list(reader)
    raise BatchError(f"{path}: give a file that ends in .csv, .csv.gz or .parquet")


def _opened(path: Path, mode: str) -> IO[str]:
    # Spreadsheets put a mark before the first byte, which is no part of the first column's name.
    encoding = "utf-8-sig" if "r" in mode else "utf-8"
    if path.suffix == ".gz":
        return cast("IO[str]", gzip.open(path, mode, encoding=encoding, newline=""))
    return cast("IO[str]", path.open(mode, encoding=encoding, newline=""))


def _columns(model: AdditiveModel) -> list[str]:
    fixed = [CASE_REF, "score", "score_low", "score_high", "prompt", "base_value"]
    return [*fixed, *(f"shap_{feature.name}" for feature in model.dictionary.features)]


def _screen_row(model: AdditiveModel, reference: str, case: Case) -> list[Any]:
    explanation = explain(model, case)
    gaps = find_gaps(model, case, explanation)
    prompt = decide_prompt(model, case, explanation, gaps, find_grounds(model.dictionary, case))
    low, high = gaps.score_range
    return [
        reference, explanation.score, low, high, prompt.level, explanation.base_value, *explanation.contributions
    ]  # fmt: skip


def _write(path: Path, columns: Sequence[str], rows: Sequence[Sequence[Any]]) -> None:
    path.parent.mkdir(parents=True, exist_ok=True)
    if path.suffix == ".parquet":
        import pyarrow
        import pyarrow.parquet

        arrays = {name: [row[index] for row in rows] for index, name in enumerate(columns)}
        pyarrow.parquet.write_table(pyarrow.table(arrays), path)
    elif path.suffix in (".csv", ".gz"):
        with _opened(path, "wt") as file:
            writer = csv.writer(file, lineterminator="\n")
            writer.writerow(columns)
            writer.writerows(rows)
    else:
        raise BatchError(f"{path.name}: give an output file that ends in .csv, .csv.gz or .parquet")
    descriptor = os.open(path, os.O_RDONLY)
    os.fsync(descriptor)
    os.close(descriptor)


def _file_digest(path: Path) -> str:
    with path.open("rb") as file:
        return hashlib.file_digest(file, "sha256").hexdigest()


def _report(out: Path, rows: Sequence[Sequence[Any]], read: _Read, model: AdditiveModel, index: int) -> str:
    lines = [f"{out}: {len(rows)} cases screened by {model.version}; log entry {index}"]
    if read.ignored:
        lines.append(f"columns not in the dictionary, ignored: {', '.join(read.ignored)}")
    if read.unseen:
        lines.append(f"counted as not known where the dictionary does not list the value: {', '.join(read.unseen)}")
    if model.synthetic:
        lines.append(model.words["score"]["synthetic"])
    return "\n".join(lines)
