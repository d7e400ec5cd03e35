"""Keys: made, stored as digests, revoked."""

import stat
import threading
import time
from dataclasses import replace
from datetime import UTC, datetime, timedelta

import pytest

from service.access.keys import (
    KEY_FILE,
    FollowedKeys,
    KeyFileError,
    Keys,
    create_key,
    development_keys,
    read_keys,
    revoke_key,
    rotate_key,
)
from service.app import Collaborators, create_app
from service.audit import AuditPlan
from service.errors import Problem


def test_a_key_is_stored_as_a_digest_in_a_private_file(tmp_path):
    key, stored = create_key(tmp_path, "practitioner", "gp")
    files = list(tmp_path.iterdir())
    assert all(stat.S_IMODE(file.stat().st_mode) == 0o600 for file in files)
    assert not any(key in file.read_text() for file in files)
    caller = Keys(read_keys(tmp_path)).caller(f"Bearer {key}")
    assert (caller.key_id, caller.role, caller.agency) == (stored.key_id, "practitioner", "gp")


def test_a_revoked_key_is_refused(tmp_path):
    key, stored = create_key(tmp_path, "auditor")
    revoke_key(tmp_path, stored.key_id)
    with pytest.raises(Problem) as refused:
        Keys(read_keys(tmp_path)).caller(f"Bearer {key}")
    assert refused.value.status == 401


@pytest.mark.parametrize("header", [None, "", "Bearer", "Bearer ", "Basic x", "Bearer nonsense", "Bearer é"])
def test_what_is_no_key_is_refused(tmp_path, header):
    create_key(tmp_path, "auditor")
    with pytest.raises(Problem) as refused:
        Keys(read_keys(tmp_path)).caller(header)
    assert refused.value.status == 401
    assert refused.value.headers["WWW-Authenticate"].startswith("Bearer")


def test_development_keys_stay_the_same_until_revoked(tmp_path):
    first = development_keys(tmp_path)
    assert development_keys(tmp_path) == first
    (tmp_path / "api_keys.json").unlink()
    assert development_keys(tmp_path) != first


def test_a_damaged_key_file_is_named(tmp_path):
    (tmp_path / "api_keys.json").write_text("{")
    with pytest.raises(KeyFileError, match="not a key file"):
        read_keys(tmp_path)
    (tmp_path / "api_keys.json").unlink()
    with pytest.raises(KeyFileError, match="there is no key"):
        revoke_key(tmp_path, "abcd")


def test_a_key_ends_when_it_was_said_to(tmp_path, monkeypatch):
    key, stored = create_key(tmp_path, "auditor", days=2)
    keys = Keys(read_keys(tmp_path))
    assert keys.caller(f"Bearer {key}").key_id == stored.key_id
    now = time.time()
    monkeypatch.setattr("service.access.keys.time.time", lambda: now + 2 * 86400 + 1)
    with pytest.raises(Problem) as refused:
        keys.caller(f"Bearer {key}")
    assert refused.value.code == "unknown_key"
    assert stored.state(datetime.now(UTC)) == "active"
    assert stored.state(datetime.now(UTC) + timedelta(days=3)) == "expired"


@pytest.mark.parametrize("days", [0, -1, 4000, float("nan")])
def test_an_odd_time_to_live_makes_no_key(tmp_path, days):
    with pytest.raises(KeyFileError, match="days"):
        create_key(tmp_path, "auditor", days=days)
    assert read_keys(tmp_path) == {}


def test_a_rotated_key_hands_over_and_ends_after_the_overlap(tmp_path, monkeypatch):
    old, first = create_key(tmp_path, "practitioner", "gp")
    new, second = rotate_key(tmp_path, first.key_id, overlap_days=1)
    assert (second.role, second.agency, second.replaces) == ("practitioner", "gp", first.key_id)
    keys = Keys(read_keys(tmp_path))
    assert keys.caller(f"Bearer {old}").key_id == first.key_id
    now = time.time()
    monkeypatch.setattr("service.access.keys.time.time", lambda: now + 86400 + 1)
    assert keys.caller(f"Bearer {new}").key_id == second.key_id
    with pytest.raises(Problem):
        keys.caller(f"Bearer {old}")
    revoke_key(tmp_path, second.key_id)
    with pytest.raises(KeyFileError, match="no active key"):
        rotate_key(tmp_path, second.key_id)


def test_an_overlap_never_lengthens_a_key(tmp_path):
    _, first = create_key(tmp_path, "auditor", days=1)
    rotate_key(tmp_path, first.key_id, overlap_days=30)
    assert read_keys(tmp_path)[first.key_id].expires == first.expires


def test_running_workers_follow_the_key_file(tmp_path, monkeypatch):
    monkeypatch.setattr("service.access.keys.SECONDS_BETWEEN_LOOKS", 0.0)
    first, stored = create_key(tmp_path, "auditor")
    keys = FollowedKeys(tmp_path)
    second, _ = create_key(tmp_path, "practitioner")
    assert keys.caller(f"Bearer {second}").role == "practitioner"
    revoke_key(tmp_path, stored.key_id)
    with pytest.raises(Problem):
        keys.caller(f"Bearer {first}")
    (tmp_path / "api_keys.json").write_text("{")
    assert keys.caller(f"Bearer {second}").role == "practitioner"


def test_a_key_file_that_is_gone_leaves_the_keys_as_they_were(tmp_path, monkeypatch, capsys):
    monkeypatch.setattr("service.access.keys.SECONDS_BETWEEN_LOOKS", 0.0)
    key, stored = create_key(tmp_path, "practitioner")
    keys = FollowedKeys(tmp_path)
    path = tmp_path / KEY_FILE
    path.rename(tmp_path / "away")
    assert keys.caller(f"Bearer {key}").key_id == stored.key_id
    assert keys.by_id(stored.key_id) is not None
    assert "key_file_gone" in "".join(capsys.readouterr())
    (tmp_path / "away").rename(path)
    revoke_key(tmp_path, stored.key_id)
    with pytest.raises(Problem):
        keys.caller(f"Bearer {key}")


def test_a_key_that_is_revoked_while_another_is_made_stays_revoked(tmp_path):
    _, first = create_key(tmp_path, "auditor")
    revoking = threading.Thread(target=revoke_key, args=(tmp_path, first.key_id))

    def slowly(_stored):
        revoking.start()
        time.sleep(0.3)

    create_key(tmp_path, "practitioner", record=slowly)
    revoking.join()
    assert read_keys(tmp_path)[first.key_id].revoked
    assert len(read_keys(tmp_path)) == 2


def test_an_auditor_is_of_no_one_agency(service, settings):
    with pytest.raises(KeyFileError, match="reads the whole log"):
        create_key(settings.keys, "auditor", "gp")
    kept = read_keys(settings.keys)
    old = next(key for key in kept.values() if key.role == "auditor")
    bound = Keys({old.key_id: replace(old, agency="gp")})
    app = create_app(
        Collaborators(
            service.released, service.log, bound, settings.origin, AuditPlan(settings.audit_index, "100/minute")
        )
    )
    made = service.screen().get_json()["screening_id"]
    for address in ("/v1/log/entries", f"/v1/screenings/{made}", f"/v1/screenings/{made}/summary", "/v1/drift"):
        refused = app.test_client().get(address, headers=service.auditor)
        assert (refused.status_code, refused.get_json()["code"]) == (403, "wrong_role")
        assert "of no one agency" in refused.get_json()["detail"]
