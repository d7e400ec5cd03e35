"""`python -m training ...`: train, table, describe, anonymity, cohort, release, compare, ..."""

from __future__ import annotations

import sys
import tempfile
from pathlib import Path

import click
from rich.console import Console

from model.artefact import ArtefactError
from model.dictionary import DictionaryError, load_dictionary, shipped_dictionary
from model.files import check_can_hold
from model.overrides import OVERRIDABLE, REASONS, ROLES
from model.pairs.table import MOST_PAIRS
from model.wording import WordsError
from training.cases.file import read_cases
from training.cases.generalise import GeneraliseError
from training.cases.split import TooFewCases
from training.cases.table import CaseFileError
from training.command_group import Commands
from training.fit.engine import ENGINES, EngineError, engine
from training.judge.certainty import CertainScore
from training.policy import POLICY
from training.release.commands import SYNTHETIC_ACTIVE, TO_SERVE, card, compare, rollback
from training.release.gates import ReleaseError
from training.stopping import ends_in_order
from training.table_command import table

EXPECTED = (
    ArtefactError,
    DictionaryError,
    WordsError,
    CaseFileError,
    GeneraliseError,
    TooFewCases,
    CertainScore,
    EngineError,
    ReleaseError,
    OSError,
)
DEFAULT_SEED = 20260401
NO_FAMILIES = (
    "warning: the dictionary names no [group]: every case is taken for a family of its own. Where there are siblings, "
    "every figure is too good and every interval too narrow; a release needs --override families_named"
)
FILE = click.Path(dir_okay=False, path_type=Path)
FOLDER = click.Path(file_okay=False, path_type=Path)


@click.group(cls=Commands)
def main() -> None:
    """Fit, judge and release a Grounds model."""


for command in (compare, rollback, card, table):
    main.add_command(command)


@main.command()
@click.option("--data", type=FILE, help="Cases with outcomes, CSV or Parquet. Default: a fresh synthetic cohort.")
@click.option("--dictionary", "dictionary_file", type=FILE, help="Data dictionary (TOML). Default: the shipped one.")
@click.option("--out", type=FOLDER, required=True, help="Folder for model.json, estimators.joblib and the report.")
@click.option("--seed", type=int, default=DEFAULT_SEED, show_default=True, help="Same data and seed: same bytes.")
@click.option("--families", type=click.IntRange(100), default=50_000, show_default=True, help="Size of the cohort.")
@click.option("--synthetic", is_flag=True, help="Say that the data given are synthetic; the service will say so too.")
@click.option("--accept-leakage", multiple=True, help="Column that may look like the outcome; recorded in the model.")
@click.option("--against", type=FOLDER, help="Folder of released models: judge the active one on the same cases.")
@click.option("--ebm", is_flag=True, help="Also compare with EBM (needs the benchmark environment).")
@click.option(
    "--pairs",
    type=click.IntRange(0, MOST_PAIRS),
    default=MOST_PAIRS,
    show_default=True,
    help="At most so many pairs of features, where they pay; 0 for none.",
)
@click.option(
    "--jobs", type=click.IntRange(1), default=2, show_default=True, help="Processes; never changes the result."
)
@click.option(
    "--engine",
    "where",
    type=click.Choice(ENGINES),
    default=ENGINES[0],
    show_default=True,
    help="Where bags and folds are fitted; never changes the result.",
)
@click.option(
    "--scheduler", metavar="ADDRESS", help="Dask scheduler of a running cluster. Default: workers are started here."
)
def train(
    data: Path | None,
    dictionary_file: Path | None,
    out: Path,
    seed: int,
    families: int,
    synthetic: bool,
    accept_leakage: tuple[str, ...],
    against: Path | None,
    ebm: bool,
    pairs: int,
    jobs: int,
    where: str,
    scheduler: str | None,
) -> None:
    """Fit a model and judge it on families that it never saw."""
    from training.progress import stages

    console = Console(stderr=True)
    check_can_hold(out)
    dictionary = load_dictionary(dictionary_file) if dictionary_file else shipped_dictionary()
    with tempfile.TemporaryDirectory() as folder, stages(console) as progress, engine(where, scheduler, jobs):
        if data is None:
            progress("synthetic cohort", 0.0)
            data = _write_cohort(Path(folder), families, seed, dictionary_file)
            synthetic = True
        progress("reading and checking cases", 0.0)
        cases = read_cases(data, dictionary, accept_leakage)
        if cases.ignored:
            console.print(
                f"columns that are no feature of the dictionary, ignored: {', '.join(cases.ignored)}", markup=False
            )
        if dictionary.group is None:
            console.print(NO_FAMILIES, markup=False, highlight=False, soft_wrap=True)
        # Imported late: what is wrong with the data is said before the seconds that these take.
        from threadpoolctl import threadpool_limits

        from training.compare.against import against_facts
        from training.pipeline import file_digest
        from training.pipeline import train as fit_and_judge
        from training.report import print_report
        from training.writing import write_trained

        with threadpool_limits(1):  # one thread a fit: more of them wait for each other (docs/adr/0003)
            trained = fit_and_judge(
                cases,
                dictionary,
                data_sha256=file_digest(data),
                synthetic=synthetic,
                seed=seed,
                with_ebm=ebm,
                most_pairs=pairs,
                jobs=jobs,
                progress=progress,
            )
        beside = None
        if against is not None:
            held = trained.held_out
            X, y, groups = cases.X[held], cases.y[held], cases.groups[held]
            margin = trained.held_out_margin
            beside = against_facts(against, data=trained.data, X=X, y=y, groups=groups, margin=margin, seed=seed)
        progress("writing the model and its card", 0.0)
        write_trained(trained, out, beside)
    print_report(Console(), trained, out)


@main.command()
@click.argument("data", type=FILE)
@click.option("--outcome", required=True, help="Column that says whether the outcome happened.")
@click.option("--group", help="Column of the family, never split between fitting and testing.")
@click.option("--exclude", multiple=True, help="Column to leave out; may be given several times.")
def describe(data: Path, outcome: str, group: str | None, exclude: tuple[str, ...]) -> None:
    """Draft a dictionary for DATA, on standard output. It trains as it stands; comments ask for your judgement."""
    from training.cases.describe import describe as draft

    click.echo(draft(data, outcome, group, exclude))


@main.command()
@click.argument("data", type=FILE)
@click.option("--dictionary", "dictionary_file", type=FILE, help="Data dictionary (TOML). Default: the shipped one.")
@click.option(
    "--k",
    type=click.IntRange(2),
    default=POLICY.k,
    show_default=True,
    help="Families (or cases, without [group]) that a cell should hold.",
)
@click.option("--generalise", "requests", multiple=True, help="FEATURE=0,20,30 or FEATURE=level+level:level.")
@click.option("--suppress", "suppressing", is_flag=True, help="Empty the answers of cases in small cells.")
@click.option("--out", type=FILE, help="New file for the changed cases; nothing is changed in place.")
def anonymity(
    data: Path, dictionary_file: Path | None, k: int, requests: tuple[str, ...], suppressing: bool, out: Path | None
) -> None:
    """Count the families of DATA that share each combination of quasi-identifiers. Exit code 1: some too few."""
    from training.anonymity_command import run_anonymity

    dictionary = load_dictionary(dictionary_file) if dictionary_file else shipped_dictionary()
    sys.exit(run_anonymity(data, dictionary, k, requests, suppressing, out))


@main.command()
@click.option("--families", type=click.IntRange(1), default=50_000, show_default=True)
@click.option("--seed", type=int, default=DEFAULT_SEED, show_default=True)
@click.option("--out", type=FOLDER, required=True, help="Folder for cohort.csv and truth.csv.")
@click.option("--report", is_flag=True, help="Print crude odds ratios beside the published ones.")
def cohort(families: int, seed: int, out: Path, report: bool) -> None:
    """Make the synthetic cohort. truth.csv is for evaluation; training never reads it."""
    from training.cases.cohort import make_cohort, odds_ratio_report, write_cohort

    made = make_cohort(families, seed, shipped_dictionary())
    write_cohort(made, out)
    click.echo(f"{out / 'cohort.csv'}: {len(made.cases)} cases of {families} families, synthetic")
    if report:
        click.echo(odds_ratio_report(made))


@main.command()
@click.argument("trained", type=FOLDER)
@click.option("--models", type=FOLDER, required=True, help="Folder of released models.")
@click.option("--keys", type=FOLDER, required=True, help="Folder of the release key.")
@click.option("--estimators", type=FOLDER, help="Archive of fitted estimators. Default: estimators/ beside MODELS.")
@click.option("--cases", type=FILE, help="Cases as for training, to compare prompt levels with the active model on.")
@click.option("--dictionary", type=FILE, help="Dictionary of the cases. Default: the one in TRAINED.")
@click.option(
    "--override",
    "overridden",
    multiple=True,
    type=click.Choice(list(OVERRIDABLE)),
    help="Gate of quality that may fail: it is put on record. May be given several times.",
)
@click.option("--reason", type=click.Choice(list(REASONS)), help="Reason for --override.")
@click.option("--by", type=click.Choice(list(ROLES)), help="Role that answers for --override; never a person's name.")
def release(
    trained: Path,
    models: Path,
    keys: Path,
    estimators: Path | None,
    cases: Path | None,
    dictionary: Path | None,
    overridden: tuple[str, ...],
    reason: str | None,
    by: str | None,
) -> None:
    """Check, sign and activate the model in TRAINED. A failed gate stops it."""
    from training.compare.command import compare_with_active
    from training.release.gates import AskedOverrides
    from training.release.story import release as release_model
    from training.report import print_gates

    asked = AskedOverrides(overridden, reason, by)
    compare_with_active(Console(), trained, models, cases, dictionary)
    version = release_model(trained, models, keys, lambda gates: print_gates(Console(), gates), asked, estimators)
    for gate in overridden:
        click.echo(f"warning: released in spite of {gate}; the model's card and the log say so", err=True)
    if "no_synthetic_in_place_of_real" in overridden:
        click.echo(SYNTHETIC_ACTIVE, err=True)
    click.echo(TO_SERVE)
    click.echo(f"released and active: {version}")


@main.command()
@click.argument("export", type=click.Path(exists=True, dir_okay=False, path_type=Path))
@click.option("--models", type=FOLDER, required=True, help="Folder of released models.")
@click.option("--estimators", type=FOLDER, help="Archive of fitted estimators. Default: estimators/ beside MODELS.")
@click.option("--keys", type=FOLDER, help="Folder with release.pub.pem. Default: keys/ beside MODELS.")
@click.option("--sample", "count", type=click.IntRange(1), help="Judge so many screenings, drawn at random.")
@click.option("--seed", type=int, default=0, show_default=True, help="Same seed, same sample.")
def replay(
    export: Path, models: Path, estimators: Path | None, keys: Path | None, count: int | None, seed: int
) -> None:
    """Judge the explanations in EXPORT again, with the shap library on the archived estimators.

    Exit code 0: all agree. 1: one or more differ, or could not be judged. 2: the replay could not be run.
    """
    from training.replay.command import run_replay

    sys.exit(run_replay(export, models, estimators, keys, count, seed))


def _write_cohort(folder: Path, families: int, seed: int, dictionary_file: Path | None) -> Path:
    from training.cases.cohort import make_cohort, write_cohort

    if dictionary_file is not None:
        raise CaseFileError(
            dictionary_file, ["the synthetic cohort fits the shipped dictionary only; give DATA as well"]
        )
    write_cohort(make_cohort(families, seed, shipped_dictionary()), folder)
    return folder / "cohort.csv"


def cli() -> None:
    """Runs a command; what the user can put right is said in a line each and exit code 1, never a traceback."""
    try:
        with ends_in_order():
            main(prog_name="python -m training")
    except EXPECTED as error:
        for line in str(error).splitlines():
            click.echo(f"error: {line}", err=True)
        sys.exit(1)


if __name__ == "__main__":
    cli()
