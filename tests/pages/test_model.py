"""The pages about the model: its account, what was live when, and what changed between two versions."""

from __future__ import annotations

import json

import pytest

from model.artefact import MODEL_FILE, SIGNATURE_FILE
from model.dictionary import shipped_dictionary
from service.pages.model.changes import changes
from service.running.lifetime import record_start
from tests.builders import built_model, plain_dictionary, yes_no_term
from tests.pages.site import serving
from tests.service.conftest import hand_made_model, release_into
from training.release.story import sign, signing_key


@pytest.fixture(scope="module")
def two_versions(tmp_path_factory):
    """A service on whose disk lie two released versions; the first is live and said so in the log."""
    with serving(tmp_path_factory.mktemp("models"), hand_made_model(shipped_dictionary())) as site:
        content = json.loads(hand_made_model(shipped_dictionary()))
        content["version"] = "test-2"
        term = next(one for one in content["terms"] if one["feature"] == "parent_mental_health_history")
        term["values"][1] += 0.5
        data = json.dumps(content).encode()
        active = (site.settings.models / "active").read_text()
        release_into(site.settings, data, "test-2")
        (site.settings.models / "active").write_text(active)
        record_start(site.released, site.log, site.settings)
        yield site


def test_the_account_has_every_feature_with_its_numbers_in_a_table(site, page):
    page.goto("/model")
    text = page.locator("main").inner_text()
    for feature in shipped_dictionary().features:
        assert feature.label in text
    assert page.locator("figure svg").count() >= len(shipped_dictionary().features)
    assert page.locator("figure svg[role=img]").count() == page.locator("figure svg").count()
    assert "It is not harm" in text


def test_anybody_may_read_about_the_model(two_versions):
    client = two_versions.app.test_client()
    for address in ("/model", "/model/test-2", "/model/history", "/model/changes"):
        assert client.get(address).status_code == 200, address


def test_the_history_says_what_was_live_and_since_when(two_versions):
    page = two_versions.app.test_client().get("/model/history").text
    assert "/model/test-1" in page
    assert "still in use" in page
    assert "synthetic data" in page


def test_two_versions_show_the_question_that_moved(two_versions):
    page = two_versions.app.test_client().get("/model/changes?old=test-1&new=test-2").text
    assert "1 questions moved and 41 did not" in page
    assert "+0.280" in page
    assert "+0.780" in page


@pytest.mark.parametrize("version", ["test-3", "..", "%2e%2e%2fkeys", "active"])
def test_a_version_that_there_is_not_is_not_found(two_versions, version):
    client = two_versions.app.test_client()
    assert client.get(f"/model/{version}", headers={"Accept": "text/html"}).status_code == 404
    assert client.get(f"/model/changes?old=test-1&new={version}").status_code == 400


def test_a_version_whose_signature_is_bad_is_not_shown(two_versions):
    folder = two_versions.settings.models / "test-bad"
    folder.mkdir()
    data = hand_made_model(shipped_dictionary())
    (folder / MODEL_FILE).write_bytes(data + b" ")
    (folder / SIGNATURE_FILE).write_bytes(sign(data, signing_key(two_versions.settings.keys)))
    answer = two_versions.app.test_client().get("/model/test-bad")
    assert answer.status_code == 500
    assert "not in order" in answer.text


def test_changes_tell_questions_added_removed_and_redrawn():
    yes_no = {"kind": "yes_no", "direction": "raises"}

    def model(*names, **kinds):
        features = [{"name": name, **kinds.get(name, yes_no)} for name in names]
        terms = [
            {**yes_no_term(name, 0.0, 0.1, 0.5), "values": [0.0, 0.5, 0.6][: 3 if name in kinds else 2]}
            for name in names
        ]
        for term in terms:
            term["counts"] = [100] * len(term["values"])
        return built_model(plain_dictionary(*features), terms)

    levels = {"kind": "ordinal", "levels": ["low", "middle", "high"], "direction": "raises", "reference": "low"}
    found = changes(model("a", "b"), model("b", "c", b=levels))
    assert found.added == ("Label of c",)
    assert found.removed == ("Label of a",)
    assert found.redrawn == ("Label of b",)
    assert found.tables == ()


def test_a_model_is_the_same_as_itself():
    model = built_model(
        plain_dictionary({"name": "a", "kind": "yes_no", "direction": "raises"}), [yes_no_term("a", 0.0, 0.1, 0.5)]
    )
    found = changes(model, model)
    assert (found.tables, found.same, found.words_changed) == ((), 1, ())
    assert all(before == after for _, before, after in found.figures)
