"""One small model, trained once from a real file, for every test that needs one."""

from __future__ import annotations

import json
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import pandas as pd
import pytest
from threadpoolctl import threadpool_limits

from model.artefact import MODEL_FILE, write_model
from model.dictionary import Dictionary
from tests.builders import built_dictionary
from training.cases.file import CaseFile, read_cases
from training.pipeline import Trained, file_digest, train
from training.release.story import release
from training.writing import write_trained

ROWS = 1200
SEED = 7
FEATURES = (
    {"name": "history", "kind": "yes_no", "direction": "raises"},
    {"name": "in_contact", "kind": "yes_no", "direction": "lowers"},
    {"name": "concern", "kind": "ordinal", "direction": "raises", "levels": ["none", "some", "much"]},
    {"name": "visits", "kind": "count", "direction": "lowers", "missing": ["-9"]},
    {"name": "gap", "kind": "number", "not_applicable": True},
    {"name": "source", "kind": "category", "levels": ["gp", "police", "school", "other"]},
)


@dataclass(frozen=True)
class Run:
    """A training run: the file, the dictionary, what was read and what came of it."""

    path: Path
    dictionary: Dictionary
    cases: CaseFile
    trained: Trained

    def again(self, jobs: int = 1, seed: int = SEED) -> Trained:
        with threadpool_limits(1):
            return train(
                self.cases, self.dictionary, data_sha256=file_digest(self.path), synthetic=True, seed=seed, jobs=jobs
            )


def drawn_cases(rows: int = ROWS, seed: int = SEED) -> pd.DataFrame:
    """Rows of text in families of two, with a rare source, empty cells and cells that do not apply."""
    rng = np.random.default_rng(seed)
    history, contact, concern = rng.random(rows) < 0.3, rng.random(rows) < 0.6, rng.integers(0, 3, rows)
    visits, gap = rng.poisson(4, rows), np.round(rng.gamma(2, 10, rows), 1)
    source = rng.choice(["gp", "police", "school", "dentist"], rows, p=[0.5, 0.3, 0.196, 0.004])
    margin = -0.3 + 1.2 * history - 0.7 * contact + 0.6 * concern - 0.1 * visits + 0.5 * (source == "police")
    frame = pd.DataFrame(
        {
            "history": np.where(history, "yes", "no"),
            "in_contact": np.where(contact, "yes", "no"),
            "concern": np.array(["none", "some", "much"])[concern],
            "visits": visits.astype(str),
            "gap": gap.astype(str),
            "source": source,
        }
    ).mask(rng.random((rows, len(FEATURES))) < 0.1, "")
    frame.loc[rng.random(rows) < 0.2, "gap"] = "not_applicable"
    frame.loc[rng.random(rows) < 0.05, "visits"] = "-9"
    frame["family"] = [f"F{number // 2}" for number in range(rows)]
    frame["outcome"] = (rng.random(rows) < 1 / (1 + np.exp(-margin))).astype(int).astype(str)
    return frame


@pytest.fixture(scope="session")
def run(tmp_path_factory: pytest.TempPathFactory) -> Run:
    path = tmp_path_factory.mktemp("cases") / "cases.csv"
    drawn_cases().to_csv(path, index=False)
    dictionary = built_dictionary(*FEATURES, group={"column": "family"})
    cases = read_cases(path, dictionary)
    with threadpool_limits(1):
        trained = train(cases, dictionary, data_sha256=file_digest(path), synthetic=True, seed=SEED, jobs=1)
    return Run(path, dictionary, cases, trained)


@pytest.fixture
def trained(run: Run, tmp_path: Path) -> Path:
    """The folder of the run, ready for a release."""
    folder = tmp_path / "trained"
    write_trained(run.trained, folder)
    return folder


@pytest.fixture
def later(trained: Path, tmp_path: Path) -> Path:
    """The same folder, released, with another model in it by now that scores otherwise."""
    release(trained, tmp_path / "models", tmp_path / "keys", lambda gates: None)
    content = json.loads((trained / MODEL_FILE).read_bytes())
    content |= {"version": "later-1", "intercept": content["intercept"] + 0.01}
    (trained / MODEL_FILE).write_bytes(write_model(content))
    return trained
