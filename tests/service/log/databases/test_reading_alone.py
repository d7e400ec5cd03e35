"""An auditor's role on the log's PostgreSQL database, and the public key: what the command line does with no more."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from pathlib import Path

import pytest

from model.dictionary import shipped_dictionary
from service.access.keys import Caller
from service.log.checkpoint import VerifierKey
from service.log.databases.roles import grant
from service.log.rotation import rotate
from service.log.schema import LogError
from service.model_files import load_active
from service.running.opening import LOG_KEY, open_log
from service.screening.answer import AnswerWriter
from service.screening.story import screen
from tests.service.conftest import hand_made_model, release_into, settings_in


@pytest.fixture
def settings(tmp_path, url):
    made = settings_in(tmp_path / "var", database_url=url)
    release_into(made, hand_made_model(shipped_dictionary()))
    return made


@pytest.fixture
def auditor(server, settings):
    """A log of five entries; gives the URL of a role that may read it, and the ids of its entries."""
    server.execute("DROP ROLE IF EXISTS reader")
    server.execute("CREATE ROLE reader LOGIN")
    log = open_log(settings)
    ids = [log.append("screening", b'{"n":%d}' % number).entry_id for number in range(5)]
    log.close()
    grant(settings.database_url, auditor="reader")
    return settings.database_url.replace("owner@", "reader@"), ids


@pytest.fixture
def run(tmp_path, settings, auditor):
    """Runs a command on the auditor's own machine: a folder with the public key and nothing of the service's."""
    machine = tmp_path / "auditor"
    machine.mkdir()
    (machine / "log.pub").write_bytes((settings.keys / "log.pub").read_bytes())
    environment = {name: value for name, value in os.environ.items() if not name.startswith("GROUNDS_")}
    environment["PYTHONPATH"] = str(Path(__file__).parents[4])

    def run(*arguments, named=True):
        given = ("--database", auditor[0], "--key", "log.pub") if named else ()
        return subprocess.run(
            [sys.executable, "-m", "service", "log", *arguments, *given],
            cwd=machine,
            env=environment,
            capture_output=True,
            text=True,
            timeout=120,
        )

    run.machine = machine
    return run


def test_with_the_public_key_all_is_read_that_there_is_to_read(run, auditor, settings):
    ids = auditor[1]
    verified = run("verify")
    assert (verified.returncode, verified.stderr) == (0, "")
    assert "verified: 5 entries" in verified.stdout
    checkpoint = run("checkpoint").stdout
    public = VerifierKey.parse((run.machine / "log.pub").read_text())
    assert public.open(checkpoint).size == 5
    (run.machine / "proof.json").write_text(run("prove", ids[2]).stdout)
    checked = run("check-proof", "proof.json", "--key", "log.pub", named=False)
    assert checked.stdout.startswith("proved: entry 2 is in the signed log of 5 entries"), checked.stderr
    assert json.loads(run("prove-consistency", "3").stdout)["from"] == 3
    for account in ("models", "looks", "responses"):
        assert run(account).returncode == 0
    exported = run("export", "--out", "log.jsonl")
    assert exported.stdout == "exported 5 entries to log.jsonl; no entry tells of it\n", exported.stderr
    offline = run("verify", "log.jsonl", "--key", "log.pub", "--manifest", named=False)
    assert offline.returncode == 0, offline.stderr
    assert "no entry of the log tells of this export" in offline.stdout
    assert sorted(path.name for path in run.machine.iterdir()) == [
        "log.jsonl",
        "log.jsonl.manifest.json",
        "log.pub",
        "proof.json",
    ], "nothing else was made, least of all a key"
    log = open_log(settings)
    assert log.size() == 5
    log.close()


def test_an_auditor_replays_from_the_database_with_the_archive_of_models(run, settings):
    log = open_log(settings)
    released = load_active(settings.models, settings.keys)
    asked = {"case_ref": "case-1", "agency": "gp", "features": {}}
    shown = screen(asked, released, AnswerWriter(released.model), log, Caller("00000000", "practitioner"))
    log.close()
    archive = ("--models", settings.models, "--keys", settings.keys)
    replayed = run("replay", *archive, "--entry", shown.receipt.entry_id)
    assert (replayed.returncode, replayed.stderr) == (0, "")
    assert "1 screenings, 1 models: 1 agree to the byte" in replayed.stdout


def test_a_log_of_another_key_is_told_apart(run, settings):
    old = (run.machine / "log.pub").read_bytes()
    rotate(settings.database_url, settings.keys / LOG_KEY, settings.origin)
    log = open_log(settings)
    log.append("screening", b"{}")  # signed by the new key alone
    log.close()
    assert run("verify").returncode == 0, "the change of keys is followed"
    assert "not signed by this key" in run("checkpoint").stderr
    other = old.replace(b"test.invalid/log", b"else.invalid/log")
    (run.machine / "log.pub").write_bytes(other)
    assert run("verify").stderr.startswith("error: the verifier key's id does not belong")


@pytest.mark.parametrize(
    ("arguments", "said"),
    [
        (("checkpoint", "--database", "postgresql://reader:secret@127.0.0.1/x"), "leave the password out"),
        (("checkpoint", "--database", "sqlite:///x"), "give postgresql://user@host/name"),
        (("checkpoint", "--database", "postgresql://reader@127.0.0.1:1/x"), "--key FILE"),
        (("checkpoint", "--key", "log.pub"), "--key goes with --database"),
        (("verify", "--database", "postgresql://reader@127.0.0.1:1/x", "--key", "log.pub"), "cannot be read"),
        (("checkpoint",), "--database URL --key FILE"),
    ],
)
def test_what_is_missing_is_said_and_nothing_is_made(run, arguments, said):
    done = run(*arguments, named=False)
    assert done.returncode in (1, 2)
    assert said in done.stderr
    assert "secret" not in done.stdout + done.stderr
    assert [path.name for path in run.machine.iterdir()] == ["log.pub"]


def test_a_service_whose_key_is_gone_gets_no_other(settings, auditor):
    (settings.keys / LOG_KEY).unlink()
    with pytest.raises(LogError, match="signing key is gone; restore the key from your backup"):
        open_log(settings)
    assert not list(settings.keys.glob("log*.pem"))


def test_a_service_whose_database_is_empty_begins_no_other_log_under_its_key(settings, auditor, server):
    name = settings.database_url.rpartition("/")[2]
    server.execute("DELETE FROM log_entry", name)
    server.execute("DELETE FROM log_checkpoint", name)
    with pytest.raises(LogError, match="there is no log in it; restore it from your backup"):
        open_log(settings)
