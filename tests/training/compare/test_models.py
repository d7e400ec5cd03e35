"""Two models beside each other: what moved, who would be prompted otherwise, and what moved them."""

from __future__ import annotations

import copy
import json
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from click.testing import CliRunner

from model.additive import AdditiveModel
from model.artefact import MODEL_FILE, write_model
from model.case import Case
from model.prompt import LEVELS
from tests.builders import built_model, model_content, plain_dictionary, yes_no_term
from tests.training.conftest import Run
from tests.training.release.test_story import changed
from training.__main__ import main
from training.compare.models import BASE, THRESHOLD, cases_of, levels_changed, shown_counts, tables_moved
from training.release.story import release
from training.writing import write_trained

RAW = plain_dictionary(
    {"name": "history", "kind": "yes_no", "direction": "raises"},
    {"name": "visits", "kind": "count", "direction": "free", "minimum": 0, "maximum": 100},
)
VISITS: dict[str, Any] = {
    "feature": "visits",
    "edges": [5],
    "values": [0.0, 1.0],
    "not_known": 0.0,
    "not_applicable": None,
    "mean": 0.0,
    "reference": 0,
    "counts": [500, 400],
}
TERMS = [yes_no_term("history", 0.0, 0.1, 1.0), VISITS]
MANY = 40


def model(terms: list[dict[str, Any]] = TERMS, **top: Any) -> AdditiveModel:
    return built_model(RAW, terms, **{"intercept": -2.0, "threshold": {"margin": -1.5}, **top})


def moved_terms() -> list[dict[str, Any]]:
    terms = copy.deepcopy(TERMS)
    terms[0]["values"] = [0.0, 0.2]
    terms[1]["edges"] = [7]
    return terms


def cases(old: AdditiveModel, **values: int) -> list[Case]:
    """`history=3` is three cases with that history; visits are few."""
    return [Case.of(old.dictionary, {"history": said, "visits": 0}) for said, n in values.items() for _ in range(n)]


def test_tables_are_named_by_how_far_they_moved() -> None:
    moved = tables_moved(model(), model(moved_terms()))
    assert [(one.feature, one.answer, one.by) for one in moved] == [
        ("visits", "5 or a little more", pytest.approx(-1.0)),
        ("history", "yes", pytest.approx(-0.8)),
    ]
    assert tables_moved(model(), model()) == []


def test_edges_without_a_step_are_no_move() -> None:
    terms = copy.deepcopy(TERMS)
    terms[1] |= {"edges": [5, 9], "values": [0.0, 1.0, 1.0], "counts": [500, 300, 100]}
    assert tables_moved(model(), model(terms)) == []


def test_who_changes_level_and_what_moved_them() -> None:
    old, new = model(), model(moved_terms())
    put = cases(old, yes=MANY, no=MANY)
    found = levels_changed(old, new, put)
    assert found.cases == 2 * MANY
    assert sum(count or 0 for row in found.table for count in row) == 2 * MANY
    assert found.table[0] == (0, 0, MANY)
    assert found.changed == MANY
    (why,) = found.why
    assert (why.before, why.after, why.cases) == (LEVELS[0], LEVELS[2], MANY)
    assert why.moved[0] == ("history", pytest.approx(-0.8))


def test_a_moved_threshold_is_named_as_what_moved_them() -> None:
    old, new = model(), model(threshold={"margin": -0.5})
    (why,) = levels_changed(old, new, cases(old, yes=MANY)).why
    assert why.moved == ((THRESHOLD, pytest.approx(-1.0)),)
    (why,) = levels_changed(old, model(intercept=-3.0), cases(old, yes=MANY)).why
    assert why.moved == ((BASE, pytest.approx(-1.0)),)


def test_few_cases_are_neither_counted_nor_explained() -> None:
    old, new = model(), model(moved_terms())
    found = levels_changed(old, new, cases(old, yes=9, no=MANY))
    assert found.changed is None
    assert found.why == ()
    assert found.table[0][2] is None
    assert found.table[2][2] is None, "or the 9 could be worked out from the total"


@pytest.mark.parametrize(
    ("counts", "shown"),
    [
        ([50, 0, 20], [50, 0, 20]),
        ([50, 9, 20], [50, None, None]),
        ([50, 9, 9], [50, None, None]),
        ([50, 1, 2, 30], [50, None, None, None]),
        ([9], [None]),
    ],
)
def test_hidden_counts_cannot_be_worked_out_from_the_total(counts: list[int], shown: list[int | None]) -> None:
    assert shown_counts(counts) == shown


def test_rows_become_the_cases_that_a_service_admits() -> None:
    nan = float("nan")
    found = cases_of(model().dictionary, np.array([[1.0, nan], [nan, 3.0]]))
    assert [dict(case.values) for case in found] == [
        {"history": "yes", "visits": "not_known"},
        {"history": "not_known", "visits": 3.0},
    ]


def test_a_question_that_the_old_model_did_not_ask_is_named(tmp_path: Path) -> None:
    small = plain_dictionary({"name": "history", "kind": "yes_no", "direction": "raises"})
    for name, raw, terms in (("old", small, TERMS[:1]), ("new", RAW, TERMS)):
        (tmp_path / name).mkdir()
        (tmp_path / name / MODEL_FILE).write_bytes(write_model(model_content(raw, terms)))
    done = CliRunner().invoke(main, ["compare", str(tmp_path / "old"), str(tmp_path / "new" / MODEL_FILE)])
    assert done.exit_code == 0, done.output
    assert "new questions: visits" in done.stdout
    assert "no feature's table moved" in done.stdout
    assert "give --cases" in done.stdout


def test_on_a_file_of_cases_and_before_a_release(run: Run, tmp_path: Path) -> None:
    trained = tmp_path / "trained"
    write_trained(run.trained, trained)
    release(trained, tmp_path / "models", tmp_path / "keys", lambda gates: None)
    changed(trained, {"version": "later-1", "intercept": -5.0})
    old = next(path for path in (tmp_path / "models").iterdir() if path.is_dir())
    done = CliRunner().invoke(main, ["compare", str(old), str(trained), "--cases", str(run.path)])
    assert done.exit_code == 0, done.output
    assert "Prompt level of 1200 cases" in done.stdout
    assert "mean move towards the threshold: (base value) -" in done.stdout
    into = ["--models", str(tmp_path / "models"), "--keys", str(tmp_path / "keys")]
    done = CliRunner().invoke(main, ["release", str(trained), *into])
    assert f"{old.name} -> later-1" in done.stdout
    assert "prompt levels not compared" in done.stdout
    assert "make release DATA=file" in done.stdout
    asked = ["--cases", str(run.path), "--dictionary", str(write_dictionary(run, tmp_path))]
    done = CliRunner().invoke(main, ["release", str(trained), *into, *asked])
    assert "Prompt level of 1200 cases" in done.stdout


def write_dictionary(run: Run, folder: Path) -> Path:
    """The run's dictionary as a person would write it, of the features alone."""
    lines = ["format = 1", 'name = "Test"', 'version = "1"', "[outcome]", 'column = "outcome"', 'meaning = "it"']
    lines += ['positive = ["1"]']
    for feature in run.dictionary.features[:3]:
        lines += ["[[feature]]", f'name = "{feature.name}"', 'label = "A"', f'kind = "{feature.kind}"']
        lines += [f"levels = {json.dumps(list(feature.levels))}"] if feature.kind == "ordinal" else []
    path = folder / "dictionary.toml"
    path.write_text("\n".join(lines) + "\n")
    return path
