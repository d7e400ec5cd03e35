"""The data sets: two real ones, of which one is not in the repository, the synthetic cohort's, and your own.

Every learner gets the same encoded rows: levels as their index, numbers as they are, NaN for not known, -inf for not
applicable; a category's rarer values are counted as *other*, 32 levels at most, as in every dictionary.
"""

from __future__ import annotations

import tempfile
from dataclasses import dataclass, replace
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from model.dictionary import Dictionary, load_dictionary
from training.cases.describe import describe
from training.cases.file import read_cases
from training.cases.specs import term_specs
from training.fit.terms import TermSpec

Floats = NDArray[np.float64]

EXAMPLE = Path(__file__).parents[2] / "training/examples/infant_mortality"
INFANTS, READMISSION = "infant_mortality.csv", "readmission.csv.gz"

LEFT_OUT = ("encounter_id", "race", "gender", "age")  # an identifier; monitored and not scored
CODES = ("admission_type_id", "discharge_disposition_id", "admission_source_id")  # numbers that are names
RAISES = ("time_in_hospital", "number_inpatient", "number_emergency")
"""Length of stay and earlier emergency visits are in the LACE index (van Walraven and others 2010), earlier admissions
in the HOSPITAL score (Donze and others 2013): both published apart from these data."""


class NoData(ValueError):
    """A data set that is not there. One line, with the fix."""


@dataclass(frozen=True, slots=True)
class DataSet:
    """Rows with outcomes: `X` (rows, features) encoded as above, `y` 0 or 1 and the families `groups`, both (rows,)."""

    name: str
    specs: tuple[TermSpec, ...]
    X: Floats
    y: NDArray[np.int8]
    groups: NDArray[np.int64]


def infant_mortality(folder: Path) -> DataSet:
    """Twins at birth, with the example's dictionary; the example holds the same rows where `folder` has no file."""
    given = folder / INFANTS
    path = given if given.is_file() else EXAMPLE / "cases.csv.gz"
    return of_file("infant mortality", path, load_dictionary(EXAMPLE / "dictionary.toml"))


def readmission(folder: Path) -> DataSet:
    """Hospital stays, with the dictionary that `describe` drafts for them and the edits at the top of this file."""
    path = folder / READMISSION
    if not path.is_file():
        raise NoData(f"readmission: {READMISSION} is not in {folder}; name its folder with --data or GROUNDS_DATA")
    with tempfile.TemporaryDirectory() as drafts:
        draft = Path(drafts, "draft.toml")
        draft.write_text(describe(path, "readmitted_30d", "patient_nbr", LEFT_OUT), encoding="utf-8")
        return edited(of_file("readmission", path, load_dictionary(draft)), CODES, RAISES)


def of_file(name: str, path: Path, dictionary: Dictionary) -> DataSet:
    """A file of cases and its dictionary. Raises `training.cases.table.CaseFileError` with every problem in it."""
    cases = read_cases(path, dictionary)
    return DataSet(name, term_specs(dictionary), np.ascontiguousarray(cases.X), cases.y, cases.groups)


def edited(data: DataSet, codes: tuple[str, ...], raises: tuple[str, ...]) -> DataSet:
    """The set with the named numbers made categories, and the named features given the direction *raises*."""
    X, specs = data.X.copy(), list(data.specs)
    for j, spec in enumerate(specs):
        if spec.name in codes:
            values, levels = np.unique(X[np.isfinite(X[:, j]), j], return_inverse=True)
            X[np.isfinite(X[:, j]), j] = levels
            specs[j] = TermSpec(spec.name, "category", levels=len(values))
        elif spec.name in raises:
            specs[j] = replace(spec, direction="raises")
    return replace(data, X=X, specs=tuple(specs))


def at_most(data: DataSet, rows: int) -> DataSet:
    """Whole families in random order, the same at every call, until the next would bring more than `rows` rows."""
    _, family, sizes = np.unique(data.groups, return_inverse=True, return_counts=True)
    order = np.random.default_rng(0).permutation(len(sizes))
    chosen = np.zeros(len(sizes), dtype=bool)
    chosen[order[np.cumsum(sizes[order]) <= rows]] = True
    keep = chosen[family]
    return replace(data, X=data.X[keep], y=data.y[keep], groups=data.groups[keep])
