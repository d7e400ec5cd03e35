"""Releasing in spite of a gate: only a gate of quality, on record, and under the model's signature."""

from __future__ import annotations

import json
from pathlib import Path

import pytest
from click.testing import CliRunner

from model.artefact import SIGNATURE_FILE, ArtefactError, read_model
from model.card import model_card
from model.overrides import (
    ONLY_FOR,
    OVERRIDABLE,
    OVERRIDES_FILE,
    REASONS,
    ROLES,
    Override,
    read_overrides,
    write_overrides,
)
from service.model_files import load_active
from tests.training.conftest import Run
from tests.training.release.test_story import FAILING, changed, snapshot
from training.__main__ import main
from training.release.gates import AskedOverrides, Gate, ReleaseError, gates
from training.release.story import release
from training.report_page.write import ATRS_FILE, HTML_FILE, JSON_FILE, MARKDOWN_FILE, write_card
from training.writing import write_trained

ASKED = AskedOverrides(("enough_events",), "silent_pilot", "data_scientist")
OVERRIDE = Override("enough_events", "99", ">= 100", "silent_pilot", "data_scientist")


@pytest.fixture
def trained(run: Run, tmp_path: Path) -> Path:
    """A model with too few events."""
    folder = tmp_path / "trained"
    write_trained(run.trained, folder)
    changed(folder, {"training.events": 99})
    return folder


def released(trained: Path, folder: Path, asked: AskedOverrides = ASKED) -> tuple[str, list[Gate]]:
    told: list[Gate] = []
    return release(trained, folder / "models", folder / "keys", told.extend, asked), told


def test_a_lifted_gate_is_told_stored_signed_and_on_the_card(trained: Path, tmp_path: Path) -> None:
    _, told = released(trained, tmp_path)
    assert [(gate.name, gate.overridden) for gate in told if not gate.passed] == [("enough events", True)]
    active = load_active(tmp_path / "models", tmp_path / "keys")
    assert active.overrides == (OVERRIDE,)
    card = model_card(active.model, active.sha256, active.overrides)
    assert card["gates_overridden"] == [
        {"gate": "enough_events", "figure": "99", "limit": ">= 100", "reason": "silent_pilot", "by": "data_scientist"}
    ]


def test_the_card_beside_the_released_model_has_every_gate_as_judged_and_what_was_overridden(
    trained: Path, tmp_path: Path
) -> None:
    first, _ = released(trained, tmp_path)
    changed(trained, {"version": "later-1"})
    asked = AskedOverrides(("enough_events",), "small_population", "safeguarding_lead")
    _, told = released(trained, tmp_path, asked)
    folder = tmp_path / "models" / "later-1"
    text = (folder / MARKDOWN_FILE).read_text()
    section = text[text.index("\n## Gates") + 1 :].split("\n## ")[0]
    rows = [line.strip("| ").split(" | ") for line in section.splitlines() if line.startswith("| ")][2:]
    assert [row[0] for row in rows] == [gate.name for gate in told]
    assert {"no worse than the released model", "no synthetic model in place of a real one"} <= {row[0] for row in rows}
    said = {row[0]: row[-1] for row in rows}
    assert said["enough events"] == f"OVERRIDDEN. {REASONS['small_population']}. By: safeguarding lead"
    assert said["calibration"] == "pass"
    assert "Released in spite of a failed gate: enough events" in text
    assert "OVERRIDDEN" in (folder / HTML_FILE).read_text()
    card = json.loads((folder / JSON_FILE).read_bytes())
    assert [one["name"] for one in card["gates_at_release"] if one["overridden"]] == ["enough events"]
    assert (folder / ATRS_FILE).exists()
    before = snapshot(folder)
    assert released(trained, tmp_path, asked)[0] == "later-1"
    write_card(folder, folder)
    assert snapshot(folder) == before, "what it was compared with is active no longer; the card says what was judged"
    assert "FAIL" in card_of(trained)
    assert "every gate as it was judged then" in card_of(trained)
    assert "OVERRIDDEN" in (tmp_path / "models" / first / MARKDOWN_FILE).read_text()


def card_of(trained: Path) -> str:
    write_card(trained, trained)
    return (trained / MARKDOWN_FILE).read_text()


def test_a_damaged_card_is_one_line(trained: Path, tmp_path: Path) -> None:
    version, _ = released(trained, tmp_path)
    for content in ("{", "[]", '{"sha256": 1'):
        (tmp_path / "models" / version / JSON_FILE).write_text(content)
        with pytest.raises(ArtefactError, match="not a card of Grounds"):
            write_card(tmp_path / "models" / version, tmp_path / "out")


def test_overrides_can_be_neither_taken_away_nor_changed_nor_lent(trained: Path, tmp_path: Path) -> None:
    version, _ = released(trained, tmp_path)
    path = tmp_path / "models" / version / OVERRIDES_FILE
    written = path.read_bytes()
    path.write_bytes(written.replace(b"data_scientist", b"safeguarding_lead"))
    with pytest.raises(ArtefactError, match="signature does not fit"):
        load_active(tmp_path / "models", tmp_path / "keys")
    path.unlink()
    with pytest.raises(ArtefactError, match="signature does not fit"):
        load_active(tmp_path / "models", tmp_path / "keys")
    changed(trained, {"training.events": 100, "version": "later-1"})
    released(trained, tmp_path, AskedOverrides())
    assert load_active(tmp_path / "models", tmp_path / "keys").overrides == ()
    (tmp_path / "models" / "later-1" / OVERRIDES_FILE).write_bytes(written)
    with pytest.raises(ArtefactError, match="signature does not fit"):
        load_active(tmp_path / "models", tmp_path / "keys")


def test_the_same_release_twice_changes_nothing_and_a_plain_one_takes_the_overrides_away(
    trained: Path, tmp_path: Path
) -> None:
    version, _ = released(trained, tmp_path)
    before = snapshot(tmp_path)
    released(trained, tmp_path)
    assert snapshot(tmp_path) == before
    changed(trained, {"training.events": 100})
    released(trained, tmp_path, AskedOverrides())
    assert load_active(tmp_path / "models", tmp_path / "keys").overrides == ()
    assert not (tmp_path / "models" / version / OVERRIDES_FILE).exists()
    assert (tmp_path / "models" / version / SIGNATURE_FILE).exists()


def test_another_failed_gate_still_stops_it(trained: Path, tmp_path: Path) -> None:
    changed(trained, {"training.compile_difference": 1e-8})
    with pytest.raises(ReleaseError, match="not released: table equals the fitted estimators"):
        released(trained, tmp_path)
    assert not (tmp_path / "models").exists()


@pytest.mark.parametrize(
    ("asked", "what"),
    [
        (AskedOverrides(("enough_events",)), "needs --reason"),
        (AskedOverrides(("enough_events",), "silent_pilot"), "needs --reason"),
        (AskedOverrides(("enough_events",), "we know best", "data_scientist"), "needs --reason"),
        (AskedOverrides(("enough_events",), "silent_pilot", "Jo Bloggs"), "needs --reason"),
        (AskedOverrides((), "silent_pilot", "data_scientist"), "go with --override"),
        (AskedOverrides(("no_worse_than_logistic_regression",), "silent_pilot", "data_scientist"), "passed"),
        (AskedOverrides(("promises_hold_on_the_table",), "silent_pilot", "data_scientist"), "only gates of quality"),
    ],
)
def test_an_override_that_does_not_fit_is_refused(
    trained: Path, tmp_path: Path, asked: AskedOverrides, what: str
) -> None:
    with pytest.raises(ReleaseError, match=what) as refused:
        released(trained, tmp_path, asked)
    assert "Bloggs" not in str(refused.value)
    assert not (tmp_path / "models").exists()


def test_only_the_gates_of_quality_can_be_lifted(run: Run) -> None:
    names = [gate.name for gate in gates(read_model(run.trained.data))]
    assert [name for name in names if name not in OVERRIDABLE.values()] == [
        "promises hold on the table",
        "contributions equal shap's",
        "table equals the fitted estimators",
    ]
    beside_active = {OVERRIDABLE[code] for code in ("no_worse_than_released", "no_synthetic_in_place_of_real")}
    assert set(OVERRIDABLE.values()) - beside_active < set(names)
    assert set(ONLY_FOR) <= set(OVERRIDABLE)
    assert set(ONLY_FOR.values()) <= set(REASONS)
    assert {name for _, _, name in FAILING} < set(names)


@pytest.mark.parametrize(
    "content",
    [
        b"",
        b"[]",
        b'{"format": 1, "overrides": []}',
        b'{"format": 1, "overrides": [{"gate": "enough_events"}]}',
        write_overrides([OVERRIDE]).replace(b'"format": 1', b'"format": 2'),
        write_overrides([Override("promises_hold_on_the_table", "1", "0", "silent_pilot", "data_scientist")]),
        write_overrides([Override("enough_events", "1", "0", "on a whim", "data_scientist")]),
    ],
)
def test_a_file_of_overrides_of_another_shape_is_refused(content: bytes) -> None:
    with pytest.raises(ArtefactError, match=OVERRIDES_FILE):
        read_overrides(content)


def test_from_the_command_line(trained: Path, tmp_path: Path) -> None:
    into = ["--models", str(tmp_path / "models"), "--keys", str(tmp_path / "keys")]
    said = ["--override", "enough_events", "--reason", "silent_pilot", "--by", "data_scientist"]
    done = CliRunner().invoke(main, ["release", str(trained), *into, *said])
    assert done.exit_code == 0, done.output
    assert "OVERRIDDEN" in done.stdout
    assert "warning: released in spite of enough_events" in done.stderr
    stored = json.loads(next((tmp_path / "models").glob(f"*/{OVERRIDES_FILE}")).read_bytes())
    assert stored["overrides"][0]["reason"] in REASONS


def test_the_command_names_every_gate_reason_and_role(trained: Path, tmp_path: Path) -> None:
    helped = CliRunner().invoke(main, ["release", "--help"], terminal_width=200)
    into = ["--models", str(tmp_path / "models"), "--keys", str(tmp_path / "keys")]
    refused = CliRunner().invoke(main, ["release", str(trained), *into, "--override", "foo"])
    assert refused.exit_code == 2
    assert not (tmp_path / "models").exists()
    for code in (*OVERRIDABLE, *REASONS, *ROLES):
        assert code in helped.stdout
        assert code in refused.stderr or code not in OVERRIDABLE
