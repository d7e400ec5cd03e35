"""No key without its record."""

import json
import sqlite3

import pytest

from service.access.key_records import create_recorded_key, recorded_development_keys, revoke_recorded_key
from service.access.keys import KeyFileError, read_keys
from service.log.store import LogStore, NotDurable
from service.running.assembly import open_log


@pytest.fixture
def opened(settings):
    return lambda: open_log(settings)


@pytest.fixture
def full_disk(monkeypatch):
    """The log takes no entry."""

    def fails(*args, **kwargs):
        raise NotDurable("the log cannot be written (SQLITE_FULL)")

    return lambda: monkeypatch.setattr(LogStore, "append", fails)


def recorded(opened):
    log = opened()
    try:
        return [(entry.kind, json.loads(entry.payload)) for entry in log.entries(0, log.size())]
    finally:
        log.close()


def test_a_key_is_recorded_and_neither_it_nor_its_digest_is_in_the_log(settings, opened):
    key, stored = create_recorded_key(settings, opened, "practitioner", "gp")
    revoke_recorded_key(settings, opened, stored.key_id)
    said = {"agency": "gp", "by": "command line", "key_id": stored.key_id, "role": "practitioner"}
    made = {**said, "expires": None, "replaces": None}
    assert recorded(opened) == [("key_created", made), ("key_revoked", said)]
    for payload in (json.dumps(payload) for _, payload in recorded(opened)):
        assert key not in payload
        assert stored.sha256 not in payload


def test_where_the_log_cannot_be_written_no_key_is_made(settings, opened, full_disk):
    _, first = create_recorded_key(settings, opened, "auditor", None)
    full_disk()
    with pytest.raises(NotDurable, match="no key was made: the log cannot be written"):
        create_recorded_key(settings, opened, "auditor", None)
    assert list(read_keys(settings.keys)) == [first.key_id]


def test_a_log_that_cannot_be_opened_makes_no_key(settings, opened):
    opened().close()
    with sqlite3.connect(settings.log_database) as connection:
        connection.execute("UPDATE alembic_version SET version_num = 'from the future'")
    connection.close()
    with pytest.raises(RuntimeError, match="does not know"):
        create_recorded_key(settings, opened, "auditor", None)
    assert read_keys(settings.keys) == {}


def test_a_key_is_revoked_even_while_the_log_cannot_be_written(settings, opened, full_disk):
    _, stored = create_recorded_key(settings, opened, "auditor", None)
    full_disk()
    with pytest.raises(NotDurable, match="is revoked, but not recorded"):
        revoke_recorded_key(settings, opened, stored.key_id)
    assert read_keys(settings.keys)[stored.key_id].revoked


def test_development_keys_are_recorded_once(settings, opened):
    keys = recorded_development_keys(settings, opened)
    assert recorded_development_keys(settings, opened) == keys
    assert [(kind, said["role"]) for kind, said in recorded(opened)] == [
        ("key_created", "practitioner"),
        ("key_created", "auditor"),
    ]


def test_an_agency_that_is_no_id_is_refused_before_anything_is_recorded(settings, opened):
    (settings.models / "active").unlink()
    with pytest.raises(KeyFileError, match="agency: send the id") as refused:
        create_recorded_key(settings, opened, "practitioner", "Jo Bloggs")
    assert "Bloggs" not in str(refused.value)
    assert recorded(opened) == []
    assert read_keys(settings.keys) == {}


def test_a_key_is_bound_to_no_agency_that_the_active_model_does_not_know(settings, opened):
    with pytest.raises(KeyFileError, match=r"^agency: send one of .*\bgp\b"):
        create_recorded_key(settings, opened, "practitioner", "nosuchagency")
    assert read_keys(settings.keys) == {}
    assert recorded(opened) == []


def test_before_a_model_is_released_a_key_is_bound_to_any_agency(settings, opened):
    (settings.models / "active").unlink()
    _, stored = create_recorded_key(settings, opened, "practitioner", "nosuchagency")
    assert stored.agency == "nosuchagency"
