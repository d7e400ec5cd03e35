"""`python -m benchmarks learners`: reads the sets, fits what has not been fitted yet, prints."""

from __future__ import annotations

import argparse
import os
import tempfile
from collections.abc import Iterator, Sequence
from pathlib import Path

from rich.console import Console
from sklearn.metrics import roc_auc_score

from benchmarks.figures import print_note
from benchmarks.learners import sets, splits
from benchmarks.learners.fit import LEARNERS, FitFailed, fit_apart, write_task
from benchmarks.learners.kept import Kept
from benchmarks.learners.opponents import OPPONENTS
from benchmarks.learners.ours import OUR_LEARNERS
from benchmarks.learners.scores import scores
from benchmarks.learners.tables import Measured, SetResults, print_results
from model.dictionary import DictionaryError, load_dictionary
from training.cases.table import CaseFileError

USUAL = (*OUR_LEARNERS, *OPPONENTS)
REPEATS, QUICK_ROWS = 5, 5_000
INFANTS, COHORT, READMISSION = SETS = ("infants", "cohort", "readmission")  # smallest first
RESULTS = "benchmarks/learners.jsonl"
DATA = Path(__file__).parents[3] / "shared/data"


def main(arguments: Sequence[str], console: Console) -> int:
    """Runs the comparison; the exit code: 1 where a learner failed or data that were named cannot be read."""
    options = _options(arguments)
    results, failed = [], 0
    kept = Kept.read(Path(os.environ.get("GROUNDS_VAR", "var"), RESULTS))
    try:
        cuts = list(_cuts(options, console))
    except (CaseFileError, DictionaryError) as error:
        console.print(f"error: {error}", markup=False)
        return 1
    before = set(kept.lines)
    if not cuts:
        console.print("error: no set is left to compare on", markup=False)
        return 1
    for cut in cuts:
        found, failures = _measured(cut, options, kept, console)
        results.append(found)
        failed += failures
    print_results(console, results)
    fits = sum(len(repeats) for each in results for repeats in each.measured.values())
    new = len(set(kept.lines) - before)
    print_note(console, f"{fits - new} of {fits} fits were kept from an earlier run ({kept.path})")
    return int(failed > 0)


def _options(arguments: Sequence[str]) -> argparse.Namespace:
    parser = argparse.ArgumentParser(prog="python -m benchmarks learners", description=__doc__)
    parser.add_argument("--quick", action="store_true", help="one repeat, at most 5,000 rows a set")
    parser.add_argument("--repeats", type=_at_least_one, help=f"grouped repeats ({REPEATS})")
    parser.add_argument("--rows", type=_at_least_one, help="at most this many rows a set")
    parser.add_argument("--sets", nargs="+", choices=SETS, default=SETS, metavar="NAME", help=f"of {', '.join(SETS)}")
    parser.add_argument(
        "--families",
        type=_at_least_one,
        default=splits.FAMILIES,
        help=f"families of the synthetic cohort to fit on ({splits.FAMILIES:,})",
    )
    parser.add_argument("--only", nargs="+", choices=tuple(LEARNERS), metavar="NAME", help="learners to compare")
    parser.add_argument(
        "--data",
        type=Path,
        default=Path(os.environ.get("GROUNDS_DATA", DATA)),
        help=f"folder of {sets.INFANTS} and {sets.READMISSION} (GROUNDS_DATA, else ../shared/data)",
    )
    parser.add_argument(
        "--file",
        nargs=2,
        type=Path,
        action="append",
        default=[],
        metavar=("CASES", "DICTIONARY"),
        help="instead of the usual sets: your own cases and their dictionary; may be given again",
    )
    options = parser.parse_args(arguments)
    options.learners = options.only or USUAL
    options.repeats = options.repeats or (1 if options.quick else REPEATS)
    options.rows = options.rows or (QUICK_ROWS if options.quick else None)
    return options


def _at_least_one(text: str) -> int:
    number = int(text)
    if number < 1:
        raise argparse.ArgumentTypeError(f"{number} is not at least 1")
    return number


def _cuts(options: argparse.Namespace, console: Console) -> Iterator[splits.Cut]:
    """The sets that were asked for. One that is not there is said to be left out."""
    if options.file:
        for cases, dictionary in options.file:
            yield splits.of_set(sets.of_file(cases.name, cases, load_dictionary(dictionary)), options.rows)
        return
    if INFANTS in options.sets:
        yield splits.of_set(sets.infant_mortality(options.data), options.rows)
    if COHORT in options.sets:
        yield splits.of_cohort(options.families, options.rows)
    if READMISSION not in options.sets:
        return
    try:
        yield splits.of_set(sets.readmission(options.data), options.rows)
    except sets.NoData as error:
        print_note(console, f"left out: {error}")


def _measured(cut: splits.Cut, options: argparse.Namespace, kept: Kept, console: Console) -> tuple[SetResults, int]:
    """Every learner on every repeat of one set, kept as each is done. One that fails is named and left out."""
    measured: dict[str, list[Measured]] = {name: [] for name in options.learners}
    about, failed = "", 0
    for repeat in range(options.repeats):
        split = cut.split(repeat)
        digest = split.digest()
        about = (
            f"{len(split.y):,} rows fitted ({int(split.y.sum()):,} events), {len(split.outcome):,} judged, "
            f"{len(split.specs)} features, {options.repeats} grouped repeats"
        )
        for name in tuple(measured):
            try:
                found = kept.of(cut.name, repeat, name, digest) or _one(cut.name, repeat, name, split, digest, kept)
            except FitFailed as error:
                print_note(console, f"failed: {name} on {cut.name}, repeat {repeat + 1}: {error}")
                del measured[name]
                failed += 1
                continue
            measured[name].append(found)
            figures = f"log loss {found['log_loss']:.5f}, AUC {found['auc']:.4f}, {found['seconds']:.1f} s"
            print_note(console, f"{cut.name} {repeat + 1}/{options.repeats}: {name}: {figures}")
    return SetResults(cut.name, about, cut.test_to_fit, measured), failed


def _one(name: str, repeat: int, learner: str, split: splits.Split, digest: str, kept: Kept) -> Measured:
    with tempfile.TemporaryDirectory(prefix="grounds-bench-") as folder:
        write_task(Path(folder), split)
        fitted = fit_apart(learner, Path(folder))
    measured = {
        **scores(split.outcome, fitted.margin).plain(),
        "seconds": fitted.seconds,
        "wall": fitted.wall,
        "megabytes": fitted.megabytes,
    }
    if split.oracle is not None:
        best = float(roc_auc_score(split.outcome, split.oracle))
        measured |= {"oracle_auc": best, "regret": best - measured["auc"]}
    kept.keep(name, repeat, learner, digest, measured)
    return measured
