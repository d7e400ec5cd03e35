"""Files of one column or several, drafted and read back as `train` would."""

from __future__ import annotations

import csv
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd

from model.dictionary import Dictionary, load_dictionary
from training.cases.describe import describe
from training.cases.file import CaseFile, read_cases
from training.cases.specs import term_specs
from training.fit.binning import Binner

ROWS = 200
RNG = np.random.default_rng(5)
OUTCOME = np.arange(ROWS) % 4 == 0


def drawn(*values: object) -> list[object]:
    """A column of these values at random, each in it at least once."""
    rows = [values[pick] for pick in RNG.integers(0, len(values), ROWS)]
    return [*values[:ROWS], *rows[len(values) :]]


def drafted(frame: pd.DataFrame, folder: Path, **options: Any) -> tuple[Dictionary, CaseFile]:
    """Writes the frame, drafts a dictionary, and reads both back as `train` would."""
    data, draft = folder / "cases.csv", folder / "draft.toml"
    frame.to_csv(data, index=False, quoting=csv.QUOTE_NONNUMERIC)
    draft.write_text(describe(data, **{"outcome": "outcome", **options}), encoding="utf-8")
    dictionary = load_dictionary(draft)
    cases = read_cases(data, dictionary)
    Binner(term_specs(dictionary)).fit(cases.X)  # every code is one that the learners take
    return dictionary, cases


def one(folder: Path, column: list[object], name: str = "asked") -> dict[str, Any]:
    """What the draft says of one column, as TOML has it: a feature, or a column left out or watched."""
    frame = pd.DataFrame({name: pd.Series(column, dtype=object), "filler": drawn(1.5, -2.5, 0.25), "outcome": OUTCOME})
    dictionary, _ = drafted(frame, folder)
    tables = [table for role in ("feature", "excluded", "monitored") for table in dictionary.raw.get(role, [])]
    return dict(next(table for table in tables if table.get("column", table["name"]) == name))
