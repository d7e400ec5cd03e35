"""The log of a running service replays, whatever was released since and however the log spells what was asked."""

from __future__ import annotations

import json
import shutil
import tempfile
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import settings as examples
from hypothesis import strategies as st

from model.additive import AdditiveModel
from model.artefact import MODEL_FILE, SIGNATURE_FILE, write_model
from model.dictionary import shipped_dictionary
from service.access.keys import Caller
from service.log.checkpoint import create_signing_key
from service.log.store import LogStore
from service.model_files import ReleasedModel, load_active
from service.replay.archive import ModelArchive
from service.replay.run import Tally, replay
from service.replay.source import LiveLog
from service.screening.answer import AnswerWriter
from service.screening.schemas import UNSEEN
from service.screening.story import screen
from tests.builders import model_content, models, values
from tests.service.conftest import Service, hand_made_model, release_into, settings_in
from tests.service.log.replay_golden import golden_model
from tests.service.log.replaying import Run, exported, runner

CALLER = Caller("00000000", "practitioner")


@pytest.fixture
def run(settings) -> Run:
    return runner(settings)


def test_an_old_entry_replays_with_the_model_that_made_it(service: Service, run: Run, tmp_path: Path) -> None:
    """A new release with another table: what was logged under the old model still replays, from log and export."""
    service.screen({"child_stage": "newborn"})
    settings, log = service.settings, service.log
    content = json.loads(hand_made_model(shipped_dictionary()))
    content.update(version="test-2", intercept=-2.5)
    release_into(settings, json.dumps(content).encode(), "test-2")
    newer = load_active(settings.models, settings.keys)
    screen({"case_ref": "case-9", "agency": "gp", "features": {}}, newer, AnswerWriter(newer.model), log, CALLER)
    for source in ({"store": log}, {}):
        arguments = () if source else ("--export", exported(log, tmp_path / "log.jsonl"))
        result = run(*arguments, **source)
        assert result.exit_code == 0, result.output
        assert "2 screenings, 2 models: 2 agree to the byte" in result.stdout
    shutil.rmtree(settings.models / "test-1")
    result = run(store=log)
    assert result.exit_code == 1
    assert "entry 0 (" in result.stdout
    assert "its model is not in the archive" in result.stdout
    assert "1 agree to the byte; 0 differ; 0 erased, so not replayed; 1 without" in result.stdout


def test_a_model_whose_signature_does_not_fit_is_not_used(service: Service, run: Run) -> None:
    service.screen({})
    folder = service.released.folder
    signature = json.loads((folder / SIGNATURE_FILE).read_text())
    signature["signature"] = "A" * 86 + "=="
    (folder / SIGNATURE_FILE).write_text(json.dumps(signature))
    result = run(store=service.log)
    assert result.exit_code == 1
    assert "cannot be used" in result.stdout
    assert "signature does not fit" in result.stdout
    (folder / MODEL_FILE).write_bytes((folder / MODEL_FILE).read_bytes() + b" ")
    assert "its model is not in the archive" in run(store=service.log).stdout


def test_an_answer_replays_though_the_log_sorts_and_respells_what_was_asked(service: Service, run: Run) -> None:
    """Whole numbers sent with a decimal point, and levels that no dictionary lists, sent in no order."""
    numbers = {f.name: float(f.maximum or 40) for f in service.released.model.dictionary.features if f.kind == "number"}
    assert numbers
    answer = service.screen(numbers)
    assert answer.status_code == 201, answer.text
    release_into(service.settings, golden_model(), "golden-1")
    golden = load_active(service.settings.models, service.settings.keys)
    asked = {"case_ref": "case-9", "agency": "gp", "features": {"source": UNSEEN, "area": UNSEEN}}
    shown = screen(asked, golden, AnswerWriter(golden.model), service.log, CALLER)
    assert json.loads(shown.answer)["not_recognised"] == ["area", "source"]
    result = run(store=service.log)
    assert result.exit_code == 0, result.output
    assert "2 agree" in result.stdout


def test_what_the_kernel_answered_is_replayed_without_it(service: Service, run: Run, monkeypatch) -> None:
    """So a kernel that was wrong would not agree with itself, and one is judged by every entry."""
    assert service.released.kernel is not None
    known = {"agency": "gp", "features": {"child_stage": "newborn"}}
    assert service.screen(known["features"]).status_code == 201
    both = {"case_ref": "case-9", "observations": [known, {"agency": "police", "features": {}}]}
    for sent, address in (
        (both, "/v1/screenings"),
        ({"cases": [{"case_ref": "case-8", **known}]}, "/v1/screenings/batch"),
    ):
        answer = service.client.post(address, json=sent, headers=service.practitioner)
        assert answer.status_code == 201, answer.text
    monkeypatch.setattr("model.view.look", None)
    assert "3 agree" in run(store=service.log).stdout


def test_entries_of_other_kinds_are_passed_over(service: Service, run: Run) -> None:
    answer = service.screen({}).get_json()
    service.client.get(f"/v1/screenings/{answer['screening_id']}", headers=service.auditor)
    service.screen({"child_stage": "never heard of"})
    assert "1 screenings, 1 models: 1 agree" in run(store=service.log).stdout
    lookup = run("--from", 1, "--to", 1, store=service.log)
    assert lookup.exit_code == 2
    assert lookup.stderr == "error: no screening is among these entries; nothing was replayed\n"
    assert run("--entry", answer["screening_id"], store=service.log).exit_code == 0


@given(st.data())
@examples(max_examples=30)
def test_any_case_of_any_model_replays(data: st.DataObject) -> None:
    model = data.draw(models())
    with tempfile.TemporaryDirectory() as name:
        configured = settings_in(Path(name))
        release_into(configured, _bytes_of(model))
        released = load_active(configured.models, configured.keys)
        log = LogStore.open(Path(name) / "log.sqlite", create_signing_key(Path(name) / "log.pem", "test.invalid/log"))
        try:
            asked = {"case_ref": "case-1", "agency": "gp", "features": data.draw(_asked(released))}
            screen(asked, released, AnswerWriter(released.model), log, CALLER)
            tally = Tally()
            archive = ModelArchive(configured.models, configured.keys)
            assert list(replay(LiveLog(log).entries(0, 1), archive, tally)) == []
            assert tally.agreed == 1
        finally:
            log.close()


def _asked(released: ReleasedModel) -> st.SearchStrategy[dict]:
    """Any validated features, keys in any order: what the schema lets through."""
    each = {}
    for feature in released.model.dictionary.features:
        each[feature.name] = st.none() | values(feature)
        if feature.kind == "category":
            each[feature.name] |= st.just(UNSEEN)
        if feature.kind == "number":
            # The schema admits a whole number in one form only (model/case.py).
            each[feature.name] = each[feature.name].map(_admitted)
    filled = st.fixed_dictionaries({}, optional=each)
    return filled.flatmap(lambda given: st.permutations(list(given.items())).map(dict))


def _admitted(value: object) -> object:
    return int(value) if isinstance(value, float) and value.is_integer() else value


def _bytes_of(model: AdditiveModel) -> bytes:
    terms = [
        {
            "feature": term.feature.name,
            **({"edges": list(term.edges)} if term.feature.is_numeric else {}),
            **{name: getattr(term, name) for name in ("not_known", "not_applicable", "mean", "reference")},
            **{name: list(getattr(term, name)) for name in ("values", "counts")},
            "deviations": [list(row) for row in term.deviations],
        }
        for term in model.terms
    ]
    top = {"intercept": model.intercept, "threshold": {"margin": model.threshold, "capacity": 0.05}}
    return write_model(model_content(model.dictionary.raw, terms, **top))
