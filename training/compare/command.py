"""`compare`: finds the two models and the cases to put them to."""

from __future__ import annotations

from pathlib import Path

from rich.console import Console

from model.additive import AdditiveModel
from model.artefact import MODEL_FILE, ArtefactError, read_model
from model.case import Case
from model.dictionary import load_dictionary, shipped_dictionary
from training.release.released import active_folder

FAMILIES = 1500
SEED = 20260401


def load_model(place: Path) -> AdditiveModel:
    """The model in a folder or a file. Raises `ArtefactError`."""
    path = place / MODEL_FILE if place.is_dir() else place
    if not path.exists():
        raise ArtefactError(f"{path}: no such file; name a folder with {MODEL_FILE}, or the file itself")
    return read_model(path.read_bytes(), str(path))


def run_compare(
    console: Console, old: AdditiveModel, new: AdditiveModel, cases: Path | None = None, dictionary: Path | None = None
) -> None:
    """Prints the comparison, on the cases in a file or on synthetic ones drawn with a fixed seed."""
    from training.compare.models import levels_changed
    from training.compare.report import print_comparison

    put, of = _cases(new, cases, dictionary)
    levels = None if put is None else levels_changed(old, new, put)
    print_comparison(console, old, new, levels, of)
    if put is None:
        console.print(
            "prompt levels not compared: the synthetic cohort fits the shipped dictionary only; give --cases "
            "(make release DATA=file)",
            markup=False,
            highlight=False,
            soft_wrap=True,
        )


def compare_with_active(
    console: Console, trained: Path, models: Path, cases: Path | None = None, dictionary: Path | None = None
) -> None:
    """The comparison that a release prints: nothing where no model is active, or it is the very one.

    `cases` and `dictionary` as `run_compare` takes them.
    """
    folder = active_folder(models)
    if folder is None or not (trained / MODEL_FILE).exists():
        return
    path = folder / MODEL_FILE
    if path.exists() and path.read_bytes() == (trained / MODEL_FILE).read_bytes():
        return
    try:
        old = load_model(path)
    except ValueError as error:
        # What is broken must not stop the release that replaces it.
        console.print(f"not compared with the active model: {error}", markup=False, highlight=False, soft_wrap=True)
        return
    run_compare(console, old, load_model(trained), cases, dictionary)


def _cases(new: AdditiveModel, path: Path | None, dictionary: Path | None) -> tuple[list[Case] | None, str]:
    from training.cases.file import read_cases
    from training.compare.models import as_asked, cases_of

    if path is not None:
        read_with = load_dictionary(dictionary) if dictionary else new.dictionary
        rows = cases_of(read_with, read_cases(path, read_with).X)
        return [as_asked(case, new.dictionary) for case in rows], "cases"
    shipped = shipped_dictionary()
    if [f.name for f in new.dictionary.features] != [f.name for f in shipped.features]:
        return None, ""
    from training.cases.cohort import make_cohort

    drawn = make_cohort(FAMILIES, SEED, shipped)
    return [as_asked(case, new.dictionary) for case in cases_of(shipped, drawn.X)], "synthetic cases"
