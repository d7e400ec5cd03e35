"""What was logged is what its model gives, to the byte; and where it is not, the digit is named."""

from __future__ import annotations

import json
import shutil
import tempfile
from collections.abc import Callable
from pathlib import Path

import pytest
from click.testing import CliRunner, Result
from hypothesis import given
from hypothesis import settings as examples
from hypothesis import strategies as st

from model.artefact import MODEL_FILE, SIGNATURE_FILE
from model.dictionary import shipped_dictionary
from service.access import Caller
from service.answer import AnswerWriter
from service.log.checkpoint import VerifierKey, create_signing_key
from service.log.export import export_lines
from service.log.store import LogStore
from service.log.verifier import verify
from service.model_files import ReleasedModel, load_active
from service.replay.archive import ModelArchive
from service.replay.command import replay_command
from service.replay.differences import Difference, differences, spelled
from service.replay.run import Tally, replay
from service.replay.source import LiveLog, draw
from service.schemas import UNSEEN
from service.screening import screen
from tests.builders import models, values
from tests.service.conftest import Service, hand_made_model, release_into, settings_in

GOLDEN = Path(__file__).parents[2] / "golden" / "log"
REPLAY = GOLDEN / "format-1.replay"
CALLER = Caller("00000000", "practitioner")

Run = Callable[..., Result]


@pytest.fixture
def run(settings) -> Run:
    """`log replay` as the command line gives it, for the service of the fixture."""

    def refuse() -> LogStore:
        pytest.fail("the live log was opened")

    def run(*arguments: object, store: LogStore | None = None) -> Result:
        opened = refuse if store is None else lambda: _Kept(store)
        return CliRunner().invoke(replay_command(lambda: settings, opened), [str(each) for each in arguments])

    return run


class _Kept:
    """A store that is another's to close."""

    def __init__(self, store: LogStore) -> None:
        self._store = store

    def __getattr__(self, name: str) -> object:
        return (lambda: None) if name == "close" else getattr(self._store, name)


def exported(log: LogStore, path: Path) -> Path:
    path.write_bytes(b"".join(export_lines(log)))
    return path


def altered(path: Path, change: Callable[[int, dict], None]) -> Path:
    """An unverified copy of an export, changed line by line (index, line)."""
    lines = [json.loads(line) for line in path.read_text().splitlines()]
    for index, line in enumerate(lines[1:-1]):
        change(index, line)
    copy = path.with_name("altered.jsonl")
    copy.write_text("".join(json.dumps(line) + "\n" for line in lines))
    return copy


def golden(run: Run, export: Path, *arguments: object) -> Result:
    return run("--export", export, "--models", REPLAY / "models", "--keys", REPLAY / "keys", *arguments)


def test_golden_screenings_of_format_1_replay_to_the_byte(run: Run) -> None:
    """If this fails, answers of format 1 can no longer be worked out again: see service/replay/formats.py."""
    with (REPLAY / "log.jsonl").open("rb") as lines:
        assert verify(lines, VerifierKey.parse((REPLAY / "log.pub").read_text())).ok
    result = golden(run, REPLAY / "log.jsonl")
    assert result.exit_code == 0, result.output
    assert result.stdout == (
        "6 screenings, 1 models: 6 agree to the byte; 0 differ; 0 erased, so not replayed; "
        "0 without their model; 0 not readable\n"
    )


def test_the_golden_log_of_all_kinds_is_read_and_what_was_erased_is_counted(run: Run) -> None:
    result = golden(run, GOLDEN / "format-1.jsonl")
    assert result.exit_code == 1
    assert "(01a2055f-ef1e-74ec-b3e4-547376fcda32): its payload is not that of a screening of format 1" in result.stdout
    assert "2 screenings, 0 models: 0 agree to the byte; 0 differ; 1 erased" in result.stdout


@pytest.mark.parametrize(
    ("before", "after", "named"),
    [
        ('"score":0.', '"score":0.9', "entry 2 ({id}): score: logged 0.9{rest}, replayed 0.{rest}"),
        ('"band":', '"band":1', "entry 2 ({id}): band: logged 1{rest}, replayed {rest}"),
        ('"text":"Seek', '"text":"seek', 'entry 2 ({id}): prompt.text: logged "seek'),
    ],
)
def test_one_altered_part_of_an_answer_is_named_to_the_digit(
    run: Run, tmp_path: Path, before: str, after: str, named: str
) -> None:
    shutil.copy(REPLAY / "log.jsonl", tmp_path / "log.jsonl")
    seen = {}

    def change(index: int, line: dict) -> None:
        if index == 2:
            assert line["payload"].count(before) >= 1
            rest = line["payload"].split(before, 1)[1]
            seen["rest"] = rest[: min(rest.find(end) for end in (",", "}") if end in rest)]
            seen["id"] = json.loads(line["leaf"])["entry"]
            line["payload"] = line["payload"].replace(before, after, 1)

    copy = altered(tmp_path / "log.jsonl", change)
    result = golden(run, copy)
    assert result.exit_code == 1
    assert len(result.stdout.splitlines()) == 2
    assert result.stdout.startswith(named.format(**seen))
    assert "5 agree to the byte; 1 differ" in result.stdout
    assert golden(run, copy, "--from", 3).exit_code == 0
    assert golden(run, copy, "--from", 2, "--to", 2).exit_code == 1
    assert golden(run, copy, "--entry", seen["id"].upper()).exit_code == 1


def test_one_altered_contribution_is_named_by_its_feature_and_nothing_that_agrees_is_shown(
    run: Run, tmp_path: Path
) -> None:
    shutil.copy(REPLAY / "log.jsonl", tmp_path / "log.jsonl")
    logged = []

    def change(index: int, line: dict) -> None:
        if index == 0:
            payload = json.loads(line["payload"])
            row = next(r for r in payload["answer"]["explanation"]["contributions"] if r["feature"] == "visits")
            logged.append(row["contribution"])
            row["contribution"] += 1e-15
            logged.append(row["contribution"])
            line["payload"] = json.dumps(payload, ensure_ascii=False, separators=(",", ":"))

    result = golden(run, altered(tmp_path / "log.jsonl", change))
    assert result.exit_code == 1
    right, wrong = logged
    assert f"explanation.contributions[visits].contribution: logged {wrong!r}, replayed {right!r}\n" in result.stdout
    assert len(result.stdout.splitlines()) == 2
    assert "case-" not in result.output
    assert "12.5" not in result.output


def test_the_same_answer_in_other_bytes_does_not_agree(run: Run, tmp_path: Path) -> None:
    shutil.copy(REPLAY / "log.jsonl", tmp_path / "log.jsonl")

    def change(index: int, line: dict) -> None:
        line["payload"] = line["payload"].replace('"answer":{', '"answer": {', 1 if index == 4 else 0)

    result = golden(run, altered(tmp_path / "log.jsonl", change))
    assert result.exit_code == 1
    assert "says the same in other bytes" in result.stdout


@pytest.mark.parametrize(
    ("change", "said"),
    [
        (lambda line: line.update(payload='{"answer":{}}'), "is not that of a screening of format 1"),
        (lambda line: line.update(payload="not JSON"), "is not that of a screening of format 1"),
        (lambda line: line.update(payload=None), "its payload cannot be read; verify the log"),
        (lambda line: line.update(leaf=line["leaf"].replace('"format":1', '"format":7')), "has format 7, which this"),
        (lambda line: line.update(leaf="garbage"), "its leaf cannot be read"),
        (
            lambda line: line.update(payload=line["payload"].replace('"history":"yes"', '"history":"Mary"')),
            "its logged input is not one that its model can read",
        ),
        (
            lambda line: line.update(payload=line["payload"].replace('"model_sha256":"', '"model_sha256":"0')),
            "its model is not in the archive",
        ),
    ],
)
def test_what_cannot_be_replayed_is_listed_without_case_data(
    run: Run, tmp_path: Path, change: Callable[[dict], None], said: str
) -> None:
    shutil.copy(REPLAY / "log.jsonl", tmp_path / "log.jsonl")
    copy = altered(tmp_path / "log.jsonl", lambda index, line: change(line) if index == 3 else None)
    result = golden(run, copy)
    assert result.exit_code == 1
    assert result.stdout.startswith("entry 3 (")
    assert said in result.stdout
    assert "5 agree to the byte" in result.stdout
    assert "Mary" not in result.output
    assert "Traceback" not in result.output


def test_an_erased_payload_is_counted_and_no_fault(run: Run, tmp_path: Path) -> None:
    shutil.copy(REPLAY / "log.jsonl", tmp_path / "log.jsonl")
    copy = altered(
        tmp_path / "log.jsonl", lambda index, line: line.update(payload=None, salt=None) if index == 1 else None
    )
    result = golden(run, copy)
    assert result.exit_code == 0
    assert "5 agree to the byte; 0 differ; 1 erased" in result.stdout


def test_a_sample_is_the_same_for_the_same_seed_and_only_the_sample_is_replayed(run: Run, tmp_path: Path) -> None:
    shutil.copy(REPLAY / "log.jsonl", tmp_path / "log.jsonl")
    ids = [json.loads(json.loads(line)["leaf"])["entry"] for line in (REPLAY / "log.jsonl").read_text().splitlines()[1:-1]]
    for seed in (0, 1, 2):
        drawn = sorted(range(6), key=lambda index: draw(seed, ids[index]))[:2]
        copy = altered(
            tmp_path / "log.jsonl",
            lambda index, line, drawn=drawn: None if index in drawn else line.update(payload="never read"),
        )
        result = golden(run, copy, "--sample", 2, "--seed", seed)
        assert result.exit_code == 0, result.output
        assert "2 screenings, 1 models: 2 agree" in result.stdout
    assert golden(run, copy, "--sample", 6, "--seed", 2).exit_code == 1


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
    """Two levels that no dictionary lists, sent in no order, and whole numbers sent with a decimal point."""
    features = service.released.model.dictionary.features
    unlisted = {f.name: "zz-unlisted" for f in reversed(features) if f.kind == "category"}
    numbers = {f.name: float(f.maximum or 40) for f in features if f.kind == "number"}
    assert len(unlisted) > 1 or numbers
    answer = service.screen({**unlisted, **numbers})
    assert answer.status_code == 201, answer.text
    result = run(store=service.log)
    assert result.exit_code == 0, result.output


def test_entries_of_other_kinds_are_passed_over(service: Service, run: Run) -> None:
    answer = service.screen({}).get_json()
    service.client.get(f"/v1/screenings/{answer['screening_id']}", headers=service.auditor)
    service.screen({"child_stage": "never heard of"})
    assert "1 screenings, 1 models: 1 agree" in run(store=service.log).stdout
    lookup = run("--from", 1, "--to", 1, store=service.log)
    assert lookup.exit_code == 2
    assert lookup.stderr == "error: no screening is among these entries; nothing was replayed\n"
    assert run("--entry", answer["screening_id"], store=service.log).exit_code == 0


@pytest.mark.parametrize(
    ("arguments", "said"),
    [
        (("--export", REPLAY / "log.pub"), "line 1 is not a JSON object"),
        (("--export", REPLAY / "models" / "golden-1" / "model.sig.json"), "line 1 is not a JSON object"),
        (("--export", REPLAY / "log.jsonl", "--models", "nowhere"), "nowhere: no such folder"),
        (("--export", REPLAY / "log.jsonl", "--from", 6), "the log has 6, from 0 on"),
        (("--export", REPLAY / "log.jsonl", "--entry", "nothing"), "no entry of that id"),
        (("--export", REPLAY / "log.jsonl", "--entry", "x", "--sample", 2), "leave out --from, --to and --sample"),
        ((), "there is no log; give an export with --export"),
        (("--sample", 0), "0 is not in the range"),
    ],
)
def test_a_replay_that_cannot_be_run_is_one_line_and_exit_code_2(
    run: Run, arguments: tuple[object, ...], said: str
) -> None:
    result = run(*arguments)
    assert result.exit_code == 2
    assert said in result.stderr
    assert "Traceback" not in result.output


def test_an_export_that_was_cut_short_is_refused(run: Run, tmp_path: Path) -> None:
    lines = (REPLAY / "log.jsonl").read_bytes().splitlines(keepends=True)
    cut = tmp_path / "cut.jsonl"
    cut.write_bytes(b"".join(lines[:5]))
    result = golden(run, cut)
    assert result.exit_code == 2
    assert "cut short" in result.stderr
    assert golden(run, cut, "--to", 2).exit_code == 0
    cut.write_bytes(b"".join(lines[:5]) + lines[5][:40])
    assert "line 6 is not a JSON object" in golden(run, cut).stderr


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


def _bytes_of(model) -> bytes:
    from model.artefact import write_model
    from tests.builders import model_content

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


def test_differences_are_by_meaning_and_by_digit() -> None:
    def compared(logged: str, replayed: str) -> list[Difference]:
        return differences(spelled(logged.encode()), spelled(replayed.encode()))

    assert compared('{"a":1,"b":[1,2]}', '{"b":[1,2],"a":1}') == []
    assert compared('{"a":0.10}', '{"a":0.1}') == [Difference("a", "0.10", "0.1")]
    assert compared('{"a":"1"}', '{"a":1}') == [Difference("a", '"1"', "1")]
    assert compared('{"a":true}', '{"a":1}') == [Difference("a", "true", "1")]
    assert compared('{"a":[1]}', '{"a":[1,{"b":2}]}') == [Difference("a[1]", "(absent)", '{"b":2}')]
    rows = '[{"feature":"x","n":1},{"feature":"y","n":2}]'
    assert compared(rows, '[{"feature":"x","n":1}]') == [Difference("[y]", '{"feature":"y","n":2}', "(absent)")]
    assert compared(rows, '[{"feature":"y","n":2},{"feature":"x","n":1}]') == [Difference(" (order)", "x, y", "y, x")]
    assert compared('[{"code":"x"},{"code":"x"}]', '[{"code":"x"}]') == [Difference("[1]", '{"code":"x"}', "(absent)")]
