"""`python -m training table`: table regression alone, on more rows than a memory holds."""

from __future__ import annotations

import tempfile
import time
from functools import partial
from pathlib import Path

import click
from rich.console import Console

from model.files import check_can_hold
from training.fit.engine import ENGINES, EngineError, engine

FOLDER = click.Path(file_okay=False, path_type=Path)
ESTIMATOR_FILE = "table.joblib"


@click.command()
@click.argument("data", type=click.Path(exists=True, path_type=Path))
@click.option("--dictionary", "dictionary_file", type=click.Path(dir_okay=False, path_type=Path), required=True)
@click.option("--out", type=FOLDER, required=True, help=f"Folder for {ESTIMATOR_FILE}, a scikit-learn classifier.")
@click.option("--work", type=FOLDER, help="Folder, seen by all workers, for codes meanwhile: one byte an answer.")
@click.option("--jobs", type=click.IntRange(1), default=2, show_default=True, help="Processes.")
@click.option("--engine", "where", type=click.Choice(ENGINES), default=ENGINES[0], show_default=True)
@click.option("--scheduler", metavar="ADDRESS", help="Dask scheduler of a running cluster.")
def table(
    data: Path, dictionary_file: Path, out: Path, work: Path | None, jobs: int, where: str, scheduler: str | None
) -> None:
    """Fit table regression to DATA part by part: a folder of Parquet files, one such file, or a CSV file.

    The same bytes as in one memory. What comes out is not judged and cannot be released; for that there is train.
    """
    import joblib

    from model.dictionary import load_dictionary
    from training.cases.file import one_outcome
    from training.cases.partitions import partitions, read_partition
    from training.cases.specs import term_specs
    from training.cases.table import CaseFileError
    from training.fit.partitions import OneOutcome, fit_partitions
    from training.fit.table_regression import TableRegression

    if scheduler and not work:
        raise EngineError("--scheduler needs --work as well: a folder under the same path for all workers, as DATA is")
    check_can_hold(out)
    began = time.monotonic()
    dictionary = load_dictionary(dictionary_file)
    if work:
        work.mkdir(parents=True, exist_ok=True)
    with engine(where, scheduler, jobs), tempfile.TemporaryDirectory(prefix="grounds-parts-", dir=work) as folder:
        parts = partitions(data.resolve(), dictionary, Path(folder))
        read = partial(read_partition, dictionary=dictionary)
        try:
            fitted = fit_partitions(TableRegression(term_specs(dictionary)), parts, read, Path(folder), jobs)
        except OneOutcome:
            raise CaseFileError(data, [one_outcome(dictionary)]) from None
    out.mkdir(parents=True, exist_ok=True)
    with tempfile.TemporaryDirectory(dir=out) as fresh:  # so that the file is there whole, or as it was
        joblib.dump(fitted, Path(fresh) / ESTIMATOR_FILE, compress=3)
        (Path(fresh) / ESTIMATOR_FILE).replace(out / ESTIMATOR_FILE)
    rows = sum(part.rows for part in parts)
    Console().print(
        f"{out / ESTIMATOR_FILE}: {rows:,} rows in {len(parts)} parts, {fitted.n_iter_} steps, "
        f"{time.monotonic() - began:.0f} s; not judged, not for release",
        markup=False, highlight=False, soft_wrap=True,
    )  # fmt: skip
