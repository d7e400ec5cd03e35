"""Tables of two features together: what loads, what is promised, and what answers that hang together come to."""

import itertools
import json

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from model.artefact import ArtefactError, promises_broken, read_model, write_model
from model.case import Case
from model.dictionary import NOT_KNOWN
from model.explanation import explain
from model.gaps import fewest_answers, find_gaps
from model.wording import WordsError, together_with
from tests.builders import built_model, cases, model_content, models, plain_dictionary, values, yes_no_term

RAW = plain_dictionary(*({"name": name, "kind": "yes_no", "direction": "raises"} for name in "abc"))
PAIR = {
    "features": ["a", "b"],
    "groups": [[0, 1, 2], [0, 1, 2]],
    "values": [[0.2, -0.2, 0.0], [-0.2, 0.3, 0.0], [0.0, 0.0, 0.0]],
    "mean": 0.05,
    "counts": [[800, 40, 20], [40, 30, 10], [30, 20, 10]],
}


def content(*pairs, **top):
    terms = [yes_no_term("a", -0.1, 0.2, 0.5), yes_no_term("b", 0.0, 0.4, 0.9), yes_no_term("c", 0.0, 0.1, 0.2)]
    return model_content(RAW, terms, format=2, pairs=list(pairs), **top)


def one_value_a_slot(model, feature):
    term = next(term for term in model.terms if term.feature == feature)
    numbers = [term.edges[0] - 1 if term.edges else 0, *term.edges] if feature.is_numeric else []
    return [*feature.levels, *numbers, NOT_KNOWN, *(["not_applicable"] if feature.not_applicable else [])]


def test_a_pair_is_split_evenly_between_its_features():
    model = built_model(RAW, content()["terms"], format=2, pairs=[PAIR])
    explanation = explain(model, Case.of(model.dictionary, {"a": "yes", "b": "yes", "c": "no"}))
    assert explanation.contributions == pytest.approx([0.6 + 0.125, 0.9 + 0.125, 0.0])
    assert explanation.margin == pytest.approx(-3.0 + 0.5 + 0.9 + 0.3)
    assert model.base_value == pytest.approx(-3.0 - 0.1 + 0.05)
    assert together_with(model, 0, explanation.slots) == ["Label of b"]
    assert together_with(model, 2, explanation.slots) == []


def test_a_format_without_pairs_must_not_hold_any():
    with pytest.raises(ArtefactError, match="pairs: must be there in format 2"):
        read_model(write_model({**content(PAIR), "format": 1}), "m")
    with pytest.raises(ArtefactError, match="pairs: must be there in format 2"):
        read_model(write_model({k: v for k, v in content().items() if k != "pairs"}), "m")


@pytest.mark.parametrize(
    ("change", "said"),
    [
        ({"features": ["b", "a"]}, "the dictionary's order"),
        ({"features": ["a", "z"]}, "not in list"),
        ({"features": ["a"]}, "not enough values"),
        ({"groups": [[0, 1], [0, 1, 2]]}, "groups of a must give each slot"),
        ({"groups": [[0, 1, 3], [0, 1, 2]]}, "groups of a must give each slot"),
        ({"groups": [[0, 1, 2], [0, 1, 1]], "values": [[0, 0], [0, 0], [0, 0]]}, "not known of b must be a group of"),
        ({"values": [[0.2, -0.2], [-0.2, 0.3, 0.0], [0, 0, 0]]}, "groups of b|same length"),
        ({"values": []}, "missing or of the wrong kind"),
        ({"counts": [[800, 40, 20]]}, "a row for each row"),
        ({"deviations": [[[0.1], [0.1], [0.1, 0.2]]] * 3}, "one deviation a refit"),
        ({"deviations": [[[0.1], [0.1], [0.1]]] * 3 + [[[1e999]]]}, "not a number|a row for each row"),
        ({"values": [[0.2, -0.2, 0.0], [-0.41, 0.3, 0.0], [0.0, 0.0, 0.0]]}, "a with its pairs: does not keep its dir"),
        (
            {"values": [[0.2, -0.2, 0.0], [-0.2, 0.3, 0.0], [-0.2, 0.0, 0.0]]},
            "a with its pairs: not known scores below",
        ),
    ],
)
def test_a_pair_that_may_not_be_served_is_refused_on_one_line(change, said):
    data = json.dumps({**content({**PAIR, **change})}).encode()
    with pytest.raises(ArtefactError, match=said) as refused:
        read_model(data, "m")
    assert "\n" not in str(refused.value)


def test_a_pair_twice_or_pairs_that_all_hang_together_are_refused():
    with pytest.raises(ArtefactError, match="none of them twice"):
        read_model(write_model(content(PAIR, PAIR)), "m")
    names = [f"f{number}" for number in range(4)]
    raw = plain_dictionary(*({"name": n, "kind": "ordinal", "levels": [f"l{i}" for i in range(8)]} for n in names))
    term = {"values": [0.0] * 8, "not_known": 0.0, "not_applicable": None, "mean": 0, "reference": 0, "counts": [9] * 8}
    grid = {"groups": [list(range(9))] * 2, "values": [[0.0] * 9] * 9, "mean": 0.0, "counts": []}
    pairs = [{**grid, "features": list(both)} for both in itertools.combinations(names, 2)]
    terms = [{**term, "feature": name} for name in names]
    with pytest.raises(ArtefactError, match="too many share features"):
        read_model(write_model(model_content(raw, terms, format=2, pairs=pairs)), "m")
    assert read_model(write_model(model_content(raw, terms, format=2, pairs=pairs[:3])), "m").pairs


def test_words_without_the_sentence_about_pairs_cannot_word_a_model_with_pairs():
    words = json.loads(json.dumps(content()["words"]))
    del words["contribution"]["together"]
    assert read_model(write_model(content(words=words)), "m").pairs == ()
    with pytest.raises(WordsError, match=r"\[contribution\] together"):
        read_model(write_model(content(PAIR, words=words)), "m")


@given(models(pairs=4))
@settings(max_examples=60)
def test_every_model_that_loads_keeps_its_promises_whatever_the_partners_answers(model):
    assert promises_broken(model) == []


@given(st.data())
@settings(max_examples=60, deadline=None)
def test_each_step_in_a_features_direction_raises_the_score_whatever_the_other_answers(data):
    model = data.draw(models(pairs=4))
    case = data.draw(cases(model))
    for term in model.terms:
        feature = term.feature
        sign = {"raises": 1, "lowers": -1}.get(feature.direction, 0)
        answers = one_value_a_slot(model, feature)[: len(term.values)]
        margins = [sign * explain(model, Case({**case.values, feature.name: value})).margin for value in answers]
        assert margins == sorted(margins)


@given(st.data())
@settings(max_examples=60, deadline=None)
def test_the_fewest_answers_are_as_few_as_trying_every_set_finds(data):
    model = data.draw(models(pairs=4))
    case = data.draw(cases(model))
    unknown = case.not_known()
    slots = {name: one_value_a_slot(model, model.dictionary.feature(name)) for name in unknown}
    sizes = [len(slots[name]) for name in unknown]
    if len(unknown) > 3 or max(sizes, default=0) > 8:
        case = Case(
            {
                **case.values,
                **{name: data.draw(values(model.dictionary.feature(name), known=True)) for name in unknown[3:]},
            }
        )
        unknown = case.not_known()
    explanation = explain(model, case)
    gaps = find_gaps(model, explanation)
    found = fewest_answers(model, explanation, gaps)

    def most(names):
        options = [slots[name] for name in names]
        return max(
            explain(model, Case({**case.values, **dict(zip(names, given, strict=True))})).margin
            for given in itertools.product(*options)
        )

    reached = [most(names) for size in range(len(unknown) + 1) for names in itertools.combinations(unknown, size)]
    sets = [names for size in range(len(unknown) + 1) for names in itertools.combinations(unknown, size)]
    near = min((abs(margin - model.threshold) for margin in reached), default=1.0)
    if near < 1e-9:  # a tie at the threshold is decided by the last bit
        return
    fewest = next((len(names) for names, margin in zip(sets, reached, strict=True) if margin >= model.threshold), None)
    assert (None if found is None else len(found)) == fewest
    if found is not None:
        assert most([term.feature.name for term in found]) >= model.threshold
