"""Keys: made, stored as digests, revoked."""

import stat

import pytest

from service.access import KeyFileError, Keys, create_key, development_keys, read_keys, revoke_key
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
