"""How fast is a file of cases screened, every row with its contributions and its digest, and in how much memory?

`python -m benchmarks batch`. A million made-up rows over all features of the shipped dictionary, as Parquet and as CSV,
through `python -m service screen` as an operator runs it; beside it, what the same rows cost one by one in plain
Python, what reading and writing the same files costs alone, and scikit-learn's `predict_proba` without explanation;
then what pairs of features add to the model's part (`benchmarks.batch_pairs`).
"""

from __future__ import annotations

import gc
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import pyarrow as pa
import pyarrow.csv
import pyarrow.parquet
from rich.console import Console
from sklearn.ensemble import HistGradientBoostingClassifier

from benchmarks import batch_pairs
from benchmarks.figures import print_aim, print_note, ratio_table
from benchmarks.memory import highest_memory
from benchmarks.prepared import Prepared
from model.additive import AdditiveModel
from model.case import Case
from model.dictionary import NOT_KNOWN, Feature
from model.grounds import GroundRules
from model.view import view

ROWS = 1_000_000
ONE_BY_ONE = 5_000
FITTED = 20_000
REPEATS = 3
BLOCK = 1 << 16
SEED = 11
NOT_KNOWN_SHARE = 0.3
AIM, BETTER = 200_000, 400_000
MOST_MB = 512


@dataclass(frozen=True, slots=True)
class _Took:
    """One way's best of some repeats: seconds by the clock, seconds of all its cores, and MB at the most."""

    seconds: float
    cpu: float
    memory: float | None = None

    def row(self, name: str, rows: int, ours: _Took, ours_rows: int) -> list[str]:
        ratio = (ours_rows / ours.cpu) / (rows / self.cpu)
        memory = "" if self.memory is None else f"{self.memory:,.0f}"
        return [
            name, f"{rows / self.seconds:,.0f}", f"{self.cpu / rows * 1e6:.2f}", f"{ratio:.2f}", memory
        ]  # fmt: skip


def run(ready: Prepared, console: Console) -> None:
    """Measures and prints the table."""
    model = ready.model
    with tempfile.TemporaryDirectory(dir=ready.var) as name:
        folder = Path(name)
        cases = _make(model, folder)
        ours = _best(lambda: _screened(ready, cases, folder / "out.parquet"))
        in_csv = _best(lambda: _screened(ready, folder / "in.csv", folder / "out.csv"))
        verified = _best(lambda: _run(ready, "screen", "verify", str(folder / "out.parquet")))
        moved = _best(lambda: _timed(lambda: _moved(cases, folder / "out.parquet", folder / "again.parquet")))
        alone = _best(lambda: _timed(lambda: _one_by_one(model, cases)))
        predicted = _best(_prediction(model, cases))
    columns = ("", "rows a second", "CPU µs a row", "CPU, the first = 1", "MB (all processes)")
    rows = [
        ours.row("Parquet to Parquet, all of it", ROWS, ours, ROWS),
        in_csv.row("CSV to CSV, all of it", ROWS, ours, ROWS),
        verified.row("screen verify: every leaf anew, and the log", ROWS, ours, ROWS),
        moved.row("reading and writing the same Parquet alone", ROWS, ours, ROWS),
        alone.row("the same view of a case, one by one, not logged", ONE_BY_ONE, ours, ROWS),
        predicted.row("scikit-learn predict_proba, nothing else", ROWS, ours, ROWS),
    ]
    console.print(ratio_table(f"A file of {ROWS:,} cases, {len(model.terms)} features", columns, rows))
    print_note(console, f"Best of {REPEATS}. With start, contributions, ranges, prompts, digests and the log's entry.")
    figure = f"{ROWS / ours.seconds:,.0f}"
    print_aim(console, f"{AIM:,} rows a second or more", figure, ROWS / ours.seconds >= AIM)
    print_aim(console, f"{BETTER:,} rows a second or more", figure, ROWS / ours.seconds >= BETTER)
    most = max(ours.memory or 0, in_csv.memory or 0)
    print_aim(console, f"under {MOST_MB} MB", f"{most:,.0f} MB", most < MOST_MB)
    batch_pairs.run(model, NOT_KNOWN_SHARE, console)


def _make(model: AdditiveModel, folder: Path) -> Path:
    """The cases, as in.parquet and in.csv: each answer as likely as the next, three in ten not known."""
    rng = np.random.default_rng(SEED)
    columns = {"case_ref": pa.array([f"case-{row}" for row in range(ROWS)])}
    columns |= {f.file_column: _answers(f, rng) for f in model.dictionary.features}
    table = pa.table(columns)
    pyarrow.csv.write_csv(table, folder / "in.csv")
    pyarrow.parquet.write_table(table, folder / "in.parquet")
    return folder / "in.parquet"


def _answers(feature: Feature, rng: np.random.Generator) -> pa.Array:
    missing = rng.random(ROWS) < NOT_KNOWN_SHARE
    if feature.is_numeric:
        low, high = feature.minimum or 0, feature.maximum or 40
        return pa.array(rng.integers(int(low), int(high) + 1, ROWS), mask=missing)
    places = rng.integers(0, len(feature.levels), ROWS)
    return pa.array([*feature.levels, NOT_KNOWN]).take(pa.array(np.where(missing, len(feature.levels), places)))


def _screened(ready: Prepared, cases: Path, out: Path) -> _Took:
    return _run(ready, "screen", str(cases), str(out), "--overwrite")


def _run(ready: Prepared, *arguments: str) -> _Took:
    began = time.perf_counter()
    process = subprocess.Popen(
        [sys.executable, "-m", "service", *arguments],
        env=ready.environment(),
        stdout=subprocess.DEVNULL,
    )
    memory, cpu = highest_memory(process)
    took = time.perf_counter() - began
    if process.returncode:
        raise RuntimeError(f"python -m service {arguments[0]} ended with exit code {process.returncode}")
    return _Took(took, cpu, memory)


def _timed(work: Callable[[], object]) -> _Took:
    gc.collect()
    began, cpu = time.perf_counter(), time.process_time()
    work()
    return _Took(time.perf_counter() - began, time.process_time() - cpu)


def _best(measure: Callable[[], _Took]) -> _Took:
    return min((measure() for _ in range(REPEATS)), key=lambda took: took.seconds)


def _moved(cases: Path, screened: Path, again: Path) -> None:
    """Reads the cases and, as if it had just been made, writes what was made of them."""
    for _ in pyarrow.parquet.ParquetFile(cases).iter_batches(BLOCK):
        pass
    done = pyarrow.parquet.ParquetFile(screened)
    with pyarrow.parquet.ParquetWriter(again, done.schema_arrow) as writer:
        for block in done.iter_batches(BLOCK):
            writer.write_batch(block)


def _one_by_one(model: AdditiveModel, cases: Path) -> None:
    """Everything but digests, files and log, for the first cases."""
    table = next(pyarrow.parquet.ParquetFile(cases).iter_batches(ONE_BY_ONE)).to_pylist()
    rules = GroundRules(model.dictionary)
    names = [(feature.name, feature.file_column) for feature in model.dictionary.features]
    for row in table:
        view(model, rules, Case({name: NOT_KNOWN if row[column] is None else row[column] for name, column in names}))


def _prediction(model: AdditiveModel, cases: Path) -> Callable[[], _Took]:
    """Gradient boosting on the same columns as floats, which are made beforehand."""
    table = pyarrow.parquet.read_table(cases, columns=[feature.file_column for feature in model.dictionary.features])
    encoded = np.empty((ROWS, table.num_columns), dtype=np.float32)
    for place, column in enumerate(table.columns):
        chunk = column.combine_chunks()
        encoded[:, place] = (
            chunk.dictionary_encode().indices
            if pa.types.is_string(chunk.type)
            else chunk.cast(pa.float32(), safe=False)
        ).to_numpy(zero_copy_only=False)
    outcomes = np.random.default_rng(SEED).random(FITTED) < 0.05
    learner = HistGradientBoostingClassifier(random_state=SEED).fit(encoded[:FITTED], outcomes)
    return lambda: _timed(lambda: [learner.predict_proba(encoded[at : at + BLOCK]) for at in range(0, ROWS, BLOCK)])
