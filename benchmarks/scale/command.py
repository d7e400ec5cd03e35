"""`python -m benchmarks scale`: makes the cohorts, runs the command of `make train` on each, prints as it goes."""

from __future__ import annotations

import argparse
import json
import subprocess
import sys
import tempfile
from collections.abc import Iterator, Sequence
from dataclasses import asdict
from functools import partial
from itertools import islice, pairwise
from pathlib import Path

from rich.console import Console

from benchmarks.figures import machine, print_aim, print_note, ratio_table
from benchmarks.scale.growth import exponent
from benchmarks.scale.watched import CommandFailed, Stage, watch

ROWS = (10_000, 100_000, 1_000_000)
SEED = 20260401
CASES_A_FAMILY = 1.2  # a little fewer than the cohort has, so that there are always enough
MOST_GROWTH, MOST_SECONDS, MOST_GIGABYTES = 1.1, 600.0, 8.0
GIGABYTE = 1e9


def main(arguments: Sequence[str], console: Console) -> int:
    """Measures; the exit code: 1 where a run failed."""
    options = _options(arguments)
    sizes = sorted(set(options.rows or ROWS))
    measured: dict[int, list[Stage]] = {}
    with tempfile.TemporaryDirectory() as folder:
        for rows in sizes:
            data = _cohort_file(rows, Path(folder))
            try:
                command = _train(data, Path(folder) / f"trained-{rows}", options.jobs, options.engine)
                measured[rows] = watch(command, partial(_print_stage, console, rows))
            except CommandFailed as error:
                console.print(f"error: training on {rows:,} rows failed\n{error}", markup=False)
                return 1
            _print_run(console, rows, measured[rows])
            if options.out:
                _keep(options.out, rows, options.engine, measured[rows])
    _print_growth(console, measured)
    return 0


def _options(arguments: Sequence[str]) -> argparse.Namespace:
    parser = argparse.ArgumentParser(prog="python -m benchmarks scale", description=__doc__)
    parser.add_argument("--rows", type=int, nargs="+", metavar="N", help=f"sizes ({' '.join(map(str, ROWS))})")
    parser.add_argument("--jobs", type=int, default=2, help="processes of the fit (2)")
    parser.add_argument("--engine", choices=("local", "dask"), default="local", help="where bags and folds are fitted")
    parser.add_argument("--out", type=Path, help="file to which the figures are added, one JSON line a size")
    return parser.parse_args(arguments)


def _train(data: Path, out: Path, jobs: int, engine: str) -> list[str]:
    command = [sys.executable, "-m", "training", "train", "--data", str(data), "--synthetic", "--out", str(out)]
    return [*command, "--jobs", str(jobs), *([] if engine == "local" else ["--engine", engine])]


def _cohort_file(rows: int, folder: Path) -> Path:
    """A cohort of exactly so many rows, made in a process of its own: its memory is no part of what is measured."""
    made, cut = folder / f"made-{rows}", folder / f"cohort-{rows}.csv"
    families = str(max(100, round(rows / CASES_A_FAMILY)))
    command = [sys.executable, "-m", "training", "cohort", "--families", families, "--seed", str(SEED)]
    subprocess.run([*command, "--out", str(made)], check=True, stdout=subprocess.DEVNULL)
    with (made / "cohort.csv").open(encoding="utf-8") as source, cut.open("w", encoding="utf-8") as target:
        target.writelines(islice(source, 1 + rows))
    for file in made.iterdir():
        file.unlink()
    return cut


def _print_stage(console: Console, rows: int, stage: Stage) -> None:
    """A long run says what it has found so far."""
    taken = f"{stage.seconds:.1f} s, {stage.processor:.1f} processor s, {stage.peak / GIGABYTE:.2f} GB"
    console.print(f"{rows:,} rows: {stage.name}: {taken}", highlight=False, markup=False)


def _print_run(console: Console, rows: int, stages: Sequence[Stage]) -> None:
    whole = _whole(stages)
    lines = [
        (each.name, f"{each.seconds:.1f}", f"{each.processor:.1f}", f"{each.peak / GIGABYTE:.2f}")
        for each in (*stages, whole)
    ]
    columns = ("stage", "seconds", "processor seconds", "peak memory, GB")
    console.print(ratio_table(f"Training on {rows:,} rows", columns, lines))


def _whole(stages: Sequence[Stage]) -> Stage:
    return Stage(
        "in all",
        sum(stage.seconds for stage in stages),
        sum(stage.processor for stage in stages),
        max(stage.peak for stage in stages),
    )


def _print_growth(console: Console, measured: dict[int, list[Stage]]) -> None:
    whole = {rows: _whole(stages) for rows, stages in measured.items()}
    steps = [f"{exponent(pair, [whole[rows].processor for rows in pair]):.2f}" for pair in pairwise(whole)]
    lines = [
        (f"{rows:,}", f"{run.seconds:.1f}", f"{run.processor:.1f}", f"{run.peak / GIGABYTE:.2f}", grown)
        for (rows, run), grown in zip(whole.items(), ["", *steps], strict=True)
    ]
    columns = ("rows", "seconds", "processor seconds", "peak memory, GB", "exponent from the size before")
    console.print(ratio_table("How training grows", columns, lines))
    for rows, beyond in _beyond_linear(measured):
        print_note(console, f"more than linear up to {rows:,} rows, processor seconds: {beyond}")
    if len(measured) > 1:
        growth = exponent(list(whole), [run.processor for run in whole.values()])
        print_aim(console, f"grows by rows to the power {MOST_GROWTH} at most", f"{growth:.2f}", growth <= MOST_GROWTH)
    if largest := whole.get(max(ROWS)):
        met = largest.seconds < MOST_SECONDS and largest.peak < MOST_GIGABYTES * GIGABYTE
        aim = f"a million rows within {MOST_SECONDS:.0f} s and {MOST_GIGABYTES:.0f} GB"
        print_aim(console, aim, f"{largest.seconds:.0f} s and {largest.peak / GIGABYTE:.1f} GB", met)


def _beyond_linear(measured: dict[int, list[Stage]]) -> Iterator[tuple[int, str]]:
    """At each step, the three stages that add most beyond linear growth."""
    for before, after in pairwise(measured):
        small = {stage.name: stage.processor for stage in measured[before]}
        extra = {each.name: each.processor - small.get(each.name, 0.0) * after / before for each in measured[after]}
        worst = sorted((pair for pair in extra.items() if pair[1] > 0), key=lambda pair: -pair[1])[:3]
        yield after, "; ".join(f"{name} +{seconds:.1f}" for name, seconds in worst) or "no stage"


def _keep(file: Path, rows: int, engine: str, stages: Sequence[Stage]) -> None:
    with file.open("a", encoding="utf-8") as lines:
        kept = {"rows": rows, "engine": engine, "machine": machine(), "stages": [asdict(stage) for stage in stages]}
        lines.write(json.dumps(kept) + "\n")
