"""No figure is optimistic where siblings are alike, nothing monitored is scored, and the facts are data."""

from __future__ import annotations

import json
from dataclasses import replace
from pathlib import Path

import numpy as np
import pandas as pd
import pytest

from model.additive import AdditiveModel
from model.artefact import read_model
from model.card import model_card
from model.dictionary import Dictionary, DictionaryError
from tests.builders import built_dictionary
from tests.training.conftest import SEED, Run
from tests.training.judge.conftest import MONITORED
from training.cases.file import CaseFile, cases_from
from training.judge.certainty import CertainScore
from training.judge.held import Held
from training.judge.quality import judge_quality
from training.pipeline import Trained, train

FAMILIES, SIBLINGS = 90, 10
COLUMNS = 3  # a category has at most 32 levels, so three columns name the families between them


def trained(cases: CaseFile, dictionary: Dictionary) -> Trained:
    return train(cases, dictionary, data_sha256="0" * 64, synthetic=True, seed=SEED, jobs=1)


def siblings(named_by: str) -> tuple[CaseFile, Dictionary]:
    """Families drawn by chance in which nearly all share the outcome; the streets tell the family and nothing else."""
    rng = np.random.default_rng(5)
    family = np.repeat(np.arange(FAMILIES), SIBLINGS)
    outcome = rng.permutation(np.arange(FAMILIES) % 2)[family] ^ (rng.random(len(family)) < 0.02)
    frame = pd.DataFrame(
        {
            **{
                f"street_{n}": np.where(family % COLUMNS == n, family // COLUMNS, -1).astype(str)
                for n in range(COLUMNS)
            },
            "noise": rng.choice(["no", "yes"], len(family)),
            "family": family.astype(str),
            "row": np.arange(len(family)).astype(str),
            "outcome": outcome.astype(str),
        }
    )
    levels = [str(number) for number in range(-1, FAMILIES // COLUMNS)]
    dictionary = built_dictionary(
        *({"name": f"street_{n}", "kind": "category", "levels": levels} for n in range(COLUMNS)),
        {"name": "noise", "kind": "yes_no"},
        group={"column": named_by},
    )
    return cases_from(frame, dictionary), dictionary


def test_siblings_that_leak_raise_the_figure_only_where_families_are_split() -> None:
    """Each family is a level of its own: known to a model that saw a sibling, and of no use for a new family."""
    grouped = trained(*siblings("family")).facts["evaluation"]
    ungrouped = trained(*siblings("row")).facts["evaluation"]
    assert ungrouped["grounds"]["auc"]["value"] > 0.95
    assert 0.3 < grouped["grounds"]["auc"]["value"] < 0.7
    assert grouped["grounds"]["auc"]["low"] < 0.5 < grouped["grounds"]["auc"]["high"]
    assert grouped["held_out_families"] == FAMILIES / 5


@pytest.fixture(scope="module")
def monitored(run: Run) -> Trained:
    """The run's own cases and seed, with a monitored characteristic beside them that says much of the outcome."""
    dictionary = built_dictionary(*run.dictionary.raw["feature"], group={"column": "family"}, monitored=list(MONITORED))
    sex = np.where(run.cases.y == 1, "f", np.random.default_rng(1).choice(["f", "m"], len(run.cases.y)))
    return trained(replace(run.cases, monitored=pd.DataFrame({"sex": sex})), dictionary)


def test_nothing_monitored_can_change_a_score(run: Run, monitored: Trained) -> None:
    """Byte for byte but for what names it: the dictionary, the fairness part, the version."""
    one, other = json.loads(run.trained.data), json.loads(monitored.data)
    for key in ("fairness", "version", "dictionary"):
        assert one.pop(key) != other.pop(key)
    one["training"].pop("data_sha256"), other["training"].pop("data_sha256")
    assert one == other


def test_a_dictionary_that_would_score_what_is_monitored_is_refused() -> None:
    with pytest.raises(DictionaryError, match="feature sex: is also the outcome, group, time, monitored or excluded"):
        built_dictionary({"name": "sex", "kind": "yes_no"}, monitored=list(MONITORED))


def test_the_facts_are_read_back_from_the_artefact_and_stand_on_the_card(monitored: Trained) -> None:
    model = read_model(monitored.data)
    assert model.facts["fairness"] == json.loads(json.dumps(monitored.facts["fairness"]))
    assert model.facts["fairness"]["characteristics"][0]["reference"] == "f"
    evaluation = model.facts["evaluation"]
    assert set(evaluation) >= {
        *("method", "events", "prompts", "calibration", "decision_curve", "workload"),
        *("robustness", "shift", "newest_period"),
    }
    assert evaluation["newest_period"]["judged"] is False
    assert model_card(model, "0" * 64)["fairness"] == model.facts["fairness"]


def test_the_shares_of_the_artefact_are_at_its_own_threshold(run: Run) -> None:
    model = read_model(run.trained.data)
    as_recorded = model.facts["evaluation"]["robustness"]["as_recorded"]
    assert as_recorded["share_over_threshold"]["value"] == pytest.approx(
        model.facts["threshold"]["share_prompted"], rel=1e-4
    )
    assert as_recorded["auc"] == model.facts["evaluation"]["grounds"]["auc"]


def test_the_judgement_repeats_itself_and_is_plain_json(judged: AdditiveModel, held: Held, tmp_path: Path) -> None:
    first, second = (json.dumps(judge_quality(judged, held), allow_nan=False) for _ in range(2))
    assert first == second
    assert len(first) < 60_000


def test_a_score_that_is_certain_is_refused_in_one_line(judged: AdditiveModel, held: Held) -> None:
    certain = replace(judged, intercept=60.0)
    with pytest.raises(CertainScore, match="gives the outcome away") as refused:
        judge_quality(certain, held)
    assert "\n" not in str(refused.value)
