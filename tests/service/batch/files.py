"""Makes files of cases for tests, and reads what came of them."""

from __future__ import annotations

import csv
import gzip
import io

import numpy as np
import pyarrow as pa
import pyarrow.csv
import pyarrow.parquet

from model.artefact import MODEL_FILE
from service.batch.job import screen_file
from service.batch.job_model import job_model
from service.running.assembly import open_log
from tests.service.conftest import VERSION


def write_cases(path, columns):
    """A file of cases by its extension; `columns` map a name to cells, None for an empty one."""
    if path.suffix == ".parquet":
        pyarrow.parquet.write_table(pa.table(columns), path)
        return path
    text = io.StringIO()
    writer = csv.writer(text, lineterminator="\n")
    writer.writerow(columns)
    for row in zip(*columns.values(), strict=True):
        writer.writerow(["" if cell is None else cell for cell in row])
    data = text.getvalue().encode()
    path.write_bytes(gzip.compress(data) if path.suffix == ".gz" else data)
    return path


def many_cases(path, dictionary, rows, seed=1):
    """A file of random cases with every column of the dictionary, quickly."""
    rng = np.random.default_rng(seed)
    columns = {"case_ref": pa.array([f"c-{row}" for row in range(rows)])}
    for feature in dictionary.features:
        if feature.is_numeric:
            low, high = feature.minimum or 0, feature.maximum or 40
            cells = rng.integers(low, high + 1, rows)
            columns[feature.file_column] = pa.array(cells, mask=rng.random(rows) < 0.3)
        else:
            states = pa.array([*feature.levels, "not_known"])
            columns[feature.file_column] = states.take(pa.array(rng.integers(0, len(states), rows)))
    table = pa.table(columns)
    if path.suffix == ".parquet":
        pyarrow.parquet.write_table(table, path, row_group_size=50_000)
    else:
        pyarrow.csv.write_csv(table, path)
    return path


def read_rows(path):
    """The rows of a screened file as dictionaries; CSV cells are texts."""
    if path.suffix == ".parquet":
        return pyarrow.parquet.read_table(path).to_pylist()
    with gzip.open(path, "rt") if path.suffix == ".gz" else path.open() as file:
        return list(csv.DictReader(file))


def screened(settings, cases, out, **more):
    """Screens with the released model into the log of these settings."""
    return screen_file(
        cases, job_model(settings.models / VERSION, settings.keys), out, lambda: open_log(settings), **more
    )


def entries(settings):
    """The log's entries."""
    log = open_log(settings)
    try:
        return list(log.entries(0, log.size()))
    finally:
        log.close()


__all__ = ["MODEL_FILE", "VERSION", "entries", "many_cases", "read_rows", "screened", "write_cases"]
