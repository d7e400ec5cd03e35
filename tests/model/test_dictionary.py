import pytest

from model.dictionary import DictionaryError, load_dictionary, shipped_dictionary
from model.dictionary_rules import read_dictionary
from tests.builders import built_dictionary, plain_dictionary

YES_NO = {"name": "a", "kind": "yes_no"}


def test_defaults_are_the_cautious_ones():
    dictionary = built_dictionary(YES_NO, {"name": "b", "kind": "yes_no", "direction": "lowers"})
    assert [feature.reference for feature in dictionary.features] == ["no", "yes"]
    assert not dictionary.features[0].not_applicable
    assert dictionary.feature("a").levels == ("no", "yes")


@pytest.mark.parametrize(
    ("feature", "message"),
    [
        ({"name": "a", "kind": "maybe"}, "feature a: kind: 'maybe' is not one of yes_no"),
        ({"name": "1a", "kind": "yes_no"}, "feature 1a: name"),
        ({"name": "a", "kind": "ordinal"}, "feature a: levels: ordinal needs 2 to 32 levels"),
        ({"name": "a", "kind": "ordinal", "levels": ["x", "x"]}, "names a value twice"),
        ({"name": "a", "kind": "category", "levels": ["x", "not_known"]}, "not_known is not a level"),
        ({"name": "a", "kind": "category", "levels": ["x", "y"], "direction": "raises"}, "its direction is free"),
        ({"name": "a", "kind": "yes_no", "direction": "up"}, "direction: 'up' is not one of"),
        ({"name": "a", "kind": "yes_no", "reference": "yes"}, "reference"),
        ({"name": "a", "kind": "number", "reference": "low"}, "reference: 'low' is not a number"),
        ({"name": "a", "kind": "number", "minimum": 3, "maximum": 3}, "minimum: must be below maximum"),
        ({"name": "a", "kind": "number", "maximum": 3, "reference": 4}, "lies outside"),
        ({"name": "a", "kind": "yes_no", "minimum": 0}, "only a count or a number"),
        ({"name": "a", "kind": "yes_no", "held_by": ["dentist"]}, "held_by: 'dentist' is not an agency"),
        ({"name": "a", "kind": "yes_no", "wieght": 1}, "wieght: unknown key"),
        ({"name": "a", "kind": "yes_no", "essential": "yes"}, "essential: expected a flag"),
        ({"name": "a"}, "kind: is missing"),
        ({"name": "outcome", "kind": "yes_no"}, "is also the outcome"),
    ],
)
def test_an_error_names_the_key_and_the_fix_on_one_line(feature, message):
    with pytest.raises(DictionaryError) as caught:
        built_dictionary(feature)
    assert message in str(caught.value)
    assert "\n" not in str(caught.value)


@pytest.mark.parametrize(
    ("top", "message"),
    [
        ({"format": 2}, "format: this version of Grounds reads format 1"),
        ({"colour": "red"}, "colour: unknown key"),
        ({"policy": {"capacity": 2}}, "capacity: is a share"),
        ({"policy": {"answers": -1}}, "cannot be negative"),
        ({"outcome": {"column": "x", "meaning": "y", "positive": []}}, "positive: name at least one"),
        ({"excluded": [{"name": "a", "reason": "proxy"}]}, "feature a: is also the outcome, group, time, monitored"),
        ({"monitored": [{"name": "a", "label": "A", "levels": ["x", "y"]}]}, "cannot be scored"),
        ({"feature": []}, "feature: none defined"),
        ({"feature": 3}, "feature: expected a list"),
    ],
)
def test_an_error_of_the_whole_file(top, message):
    with pytest.raises(DictionaryError, match=message):
        read_dictionary({**plain_dictionary(YES_NO), **top}, "test")


@pytest.mark.parametrize(
    ("when", "message"),
    [
        ("b = yes", "there is no feature 'b'"),
        ("a = maybe", "levels are no, yes"),
        ("a >= 3", "use = and a level"),
        ("n = 3", "compare a number with >="),
        ("a is not_applicable", "cannot be not applicable"),
    ],
)
def test_a_ground_can_only_ask_what_the_features_answer(when, message):
    ground = {"code": "g", "label": "G", "when": when, "text": "T", "action": "call", "source": "S"}
    with pytest.raises(DictionaryError, match=message):
        built_dictionary(YES_NO, {"name": "n", "kind": "number"}, ground=[ground])


def test_all_errors_are_said_at_once_a_line_each():
    ground = {"code": "g", "label": "G", "when": "bad = yes", "text": "T", "action": "run", "source": "S"}
    raw = plain_dictionary(
        {"name": "bad", "kind": "yes_no", "direction": "up", "held_by": ["nobody"], "wieght": 1},
        {"name": "listed", "kind": "ordinal", "missing": "NK"},
        {"name": "few", "kind": "category", "levels": ["one"]},
        {"name": "good", "kind": "yes_no"},
        {"name": "good", "kind": "count", "minimum": 3, "maximum": 2},
        {"name": "", "kind": ""},
        outcome={"column": "outcome", "positive": []},
        ground=[ground, {**ground, "code": "h", "when": "gone = yes", "action": "call"}],
        policy={"capacity": 3, "answers": -1},
        monitored=[{"name": "sex", "label": "Sex"}],
        excluded=["no table"],
        colour="red",
    )
    with pytest.raises(DictionaryError) as caught:
        read_dictionary(raw, "my.toml")
    # The ground that asks `bad` is not in error for that: the feature is.
    beginnings = [
        "colour: unknown key",
        "feature bad: wieght: unknown key",
        "feature bad: held_by: 'nobody' is not an agency",
        "feature bad: direction: 'up' is not one of",
        "feature listed: missing: expected a list",
        "feature few: levels: category needs 2 to 32 levels",
        "feature good: minimum: must be below maximum",
        "feature 6: name: '' may hold letters",
        "feature 6: kind: '' is not one of",
        "outcome: positive: name at least one value",
        "outcome: meaning: is missing",
        "monitored sex: levels: is missing",
        "excluded 1: expected a table",
        "ground g: action: 'run' is not call or discuss",
        "ground h: when: 'gone = yes': there is no feature 'gone'",
        "policy: capacity: is a share of cases",
        "policy: answers: is a count and cannot be negative",
        "feature good: stands twice",
    ]
    assert len(caught.value.errors) == len(beginnings)
    for error, beginning in zip(caught.value.errors, beginnings, strict=True):
        assert error.startswith(f"my.toml: {beginning}")
    assert str(caught.value).splitlines() == list(caught.value.errors)


@pytest.mark.parametrize("part", ["outcome", "group", "time", "policy", "agency", "feature", "monitored", "ground"])
@pytest.mark.parametrize("wrong", [3, "text", [3], {"column": 3}, [{}], [{"name": ["x"]}], None])
def test_whatever_stands_in_a_part_is_an_error_and_no_crash(part, wrong):
    with pytest.raises(DictionaryError) as caught:
        read_dictionary(plain_dictionary(YES_NO, **{part: wrong}), "test")
    assert any(part in error for error in caught.value.errors)


def test_a_file_that_is_not_there_or_not_toml(tmp_path):
    with pytest.raises(DictionaryError, match="no such file"):
        load_dictionary(tmp_path / "none.toml")
    (tmp_path / "bad.toml").write_text("format = ")
    with pytest.raises(DictionaryError, match="not valid TOML"):
        load_dictionary(tmp_path / "bad.toml")


class TestShipped:
    def test_every_feature_has_a_holder_a_source_and_help(self):
        for feature in shipped_dictionary().features:
            assert feature.held_by, feature.name
            assert feature.source, feature.name
            assert feature.help, feature.name

    def test_about_forty_features_held_by_different_agencies(self):
        dictionary = shipped_dictionary()
        assert 35 <= len(dictionary.features) <= 48
        assert len({agency for feature in dictionary.features for agency in feature.held_by}) >= 7

    def test_poverty_and_protected_characteristics_are_never_features(self):
        dictionary = shipped_dictionary()
        names = " ".join(feature.name for feature in dictionary.features)
        for proxy in ("benefit", "postcode", "ethnic", "immigration", "religion", "unemploy", "imd", "tenure"):
            assert proxy not in names
        assert {excluded.name for excluded in dictionary.excluded}
        assert all(excluded.reason for excluded in dictionary.excluded)

    def test_no_word_of_a_ground_claims_a_cause(self):
        for ground in shipped_dictionary().grounds:
            assert "because" not in ground.text.lower()
            assert ground.source


def test_marks_for_anonymity_and_accepted_leaks_are_read_and_checked():
    feature = {"name": "stage", "kind": "yes_no", "quasi_identifier": True, "accepted": "known at the contact"}
    watched = {"name": "sex", "label": "Sex", "levels": ["f", "m"], "quasi_identifier": True}
    read = built_dictionary(feature, monitored=[watched])
    assert read.features[0].quasi_identifier
    assert read.features[0].accepted == "known at the contact"
    assert read.monitored[0].quasi_identifier
    assert not built_dictionary({"name": "a", "kind": "yes_no"}).features[0].quasi_identifier
    with pytest.raises(DictionaryError, match="feature stage: quasi_identifier: expected a flag"):
        built_dictionary({**feature, "quasi_identifier": "yes"})
    with pytest.raises(DictionaryError, match="monitored sex: quasi_identifier: expected a flag"):
        built_dictionary(feature, monitored=[{**watched, "quasi_identifier": 1}])
