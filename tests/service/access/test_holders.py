"""A key that takes another's place has its holder: what that one asked goes on being theirs, by every door."""

import json
from dataclasses import replace

import pytest

from service.access.holders import holder_of
from service.access.keys import KEY_FILE, Keys, create_key, read_keys, revoke_key, rotate_key
from service.app import Collaborators, create_app
from service.log.store import LogStore

BODY = {"case_ref": "case-0001", "agency": "gp", "features": {"parent_mental_health_history": "yes"}}
POOLED = {
    "case_ref": "case-0001",
    "observations": [{"agency": "gp", "features": {}}, {"agency": "police", "features": {}}],
}
REPLAYED = "Idempotent-Replayed"


@pytest.fixture
def asked(service):
    """Sends with a key to an app that has read the key file just now."""

    def send(method, path, key, body=None, once=None):
        keys = Keys(read_keys(service.settings.keys))
        app = create_app(Collaborators(service.released, service.log, keys, service.settings.origin))
        headers = {"Authorization": f"Bearer {key}", **({"Idempotency-Key": once} if once else {})}
        return app.test_client().open(path, method=method, json=body, headers=headers)

    return send


def rotated(service, key, **changes):
    return rotate_key(service.settings.keys, key.split("_")[2], **changes)[0]


@pytest.mark.parametrize(
    ("path", "body"), [("/v1/screenings", BODY), ("/v1/screenings/batch", {"cases": [BODY, BODY]})]
)
def test_a_retry_under_the_new_key_is_answered_as_it_was_under_the_old_one(service, asked, path, body):
    old, _ = create_key(service.settings.keys, "practitioner")
    first = asked("POST", path, old, body, "11111111-aaaa")
    new = rotated(service, old)
    newest = rotated(service, new)
    size = service.log.size()
    for key in (newest, new, old):
        again = asked("POST", path, key, body, "11111111-aaaa")
        assert (again.status_code, again.data, again.headers[REPLAYED]) == (201, first.data, "true")
    assert service.log.size() == size


def test_the_old_keys_screenings_are_shown_summed_up_and_responded_to(service, asked):
    old, _ = create_key(service.settings.keys, "practitioner")
    made = [asked("POST", "/v1/screenings", old, body).get_json()["screening_id"] for body in (BODY, POOLED)]
    new = rotated(service, old)
    revoke_key(service.settings.keys, old.split("_")[2])
    for number, screening in enumerate(made):
        address = f"/v1/screenings/{screening}"
        assert asked("GET", address, new).get_json()["screening_id"] == screening
        assert asked("GET", f"{address}/summary", new).status_code == 200
        said = {"action": "discussed"}
        first = asked("POST", f"{address}/response", new, said, f"2222222{number}-aaaa")
        assert first.status_code == 201
        again = asked("POST", f"{address}/response", rotated(service, new), said, f"2222222{number}-aaaa")
        assert again.data == first.data
    stranger, _ = create_key(service.settings.keys, "practitioner")
    assert asked("GET", f"/v1/screenings/{made[0]}", stranger).status_code == 404


def test_the_log_names_the_key_that_asked(service, asked):
    old, _ = create_key(service.settings.keys, "practitioner")
    new = rotated(service, old)
    asked("POST", "/v1/screenings", new, BODY, "33333333-aaaa")
    said = json.loads(service.log.latest_of_kind("screening").payload)
    assert said["caller"] == {"key_id": new.split("_")[2], "role": "practitioner"}


def test_a_holder_outlasts_the_records_of_the_keys_before(tmp_path):
    _, first = create_key(tmp_path, "practitioner")
    _, second = rotate_key(tmp_path, first.key_id)
    third, stored = rotate_key(tmp_path, second.key_id)
    path = tmp_path / KEY_FILE
    content = json.loads(path.read_text())
    content["keys"] = [key for key in content["keys"] if key["key_id"] == stored.key_id]
    path.write_text(json.dumps(content))
    caller = Keys(read_keys(tmp_path)).caller(f"Bearer {third}")
    assert caller.holder == first.key_id
    assert all(caller.holds(key.key_id) for key in (first, second, stored))


def test_a_key_file_of_a_version_without_holders_is_followed_and_left_readable_to_it(tmp_path):
    _, first = create_key(tmp_path, "practitioner")
    assert "holder" not in (tmp_path / KEY_FILE).read_text()
    kept = {first.key_id: first}
    for name, before in (("b", first.key_id), ("c", "b")):
        kept[name] = replace(first, key_id=name, sha256=name, replaces=before)
    assert holder_of("c", kept) == first.key_id
    caller = Keys(kept).by_id("c")
    assert (caller.holder, caller.unmarked) == (first.key_id, ("b", "c"))


def test_keys_that_name_each_other_in_a_circle_are_read(tmp_path):
    _, first = create_key(tmp_path, "practitioner")
    circle = {name: replace(first, key_id=name, sha256=name, replaces=other) for name, other in ("ab", "ba")}
    assert Keys(circle).by_id("a").holds("b")


def test_what_a_rotated_key_asked_once_of_a_version_without_holders_is_still_asked_once(service, asked):
    old, first = create_key(service.settings.keys, "practitioner")
    new = rotated(service, old)
    path = service.settings.keys / KEY_FILE
    content = json.loads(path.read_text())
    for key in content["keys"]:
        key.pop("holder", None)
    path.write_text(json.dumps(content))
    append, append_whole = LogStore.append, LogStore.append_whole
    by_key = new.split("_")[2]

    def renamed(unique):
        return None if unique is None else unique.replace(first.key_id, by_key)  # as that version would have it

    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(
            LogStore, "append", lambda self, kind, payload, its_id=None, unique=None: append(
                self, kind, payload, its_id, renamed(unique)
            )
        )  # fmt: skip
        patch.setattr(
            LogStore, "append_whole", lambda self, kind, entries: append_whole(
                self, kind, [(one_id, payload, renamed(unique)) for one_id, payload, unique in entries]
            )
        )  # fmt: skip
        one = asked("POST", "/v1/screenings", new, BODY, "44444444-aaaa")
        many = asked("POST", "/v1/screenings/batch", new, {"cases": [BODY]}, "44444444-aaaa")
    size = service.log.size()
    newest = rotated(service, new)
    assert asked("POST", "/v1/screenings", newest, BODY, "44444444-aaaa").data == one.data
    assert asked("POST", "/v1/screenings/batch", newest, {"cases": [BODY]}, "44444444-aaaa").data == many.data
    assert service.log.size() == size
