"""The learners are told what the dictionary says, feature by feature."""

from __future__ import annotations

from model.dictionary import shipped_dictionary
from tests.builders import built_dictionary
from training.cases.specs import term_specs
from training.fit.terms import TermSpec


def test_every_kind_is_told_with_its_reference_as_a_code() -> None:
    dictionary = built_dictionary(
        {"name": "harm", "kind": "yes_no", "direction": "raises"},
        {"name": "support", "kind": "yes_no", "direction": "lowers", "not_applicable": True},
        {"name": "concern", "kind": "ordinal", "levels": ["a", "b", "c"], "reference": "b", "direction": "lowers"},
        {"name": "source", "kind": "category", "levels": ["x", "y"]},
        {"name": "visits", "kind": "count", "reference": 9},
        {"name": "weight", "kind": "number", "direction": "raises", "not_applicable": True},
    )
    assert term_specs(dictionary) == (
        TermSpec("harm", "yes_no", "raises", reference=0.0, levels=2),
        TermSpec("support", "yes_no", "lowers", reference=1.0, levels=2, not_applicable=True),
        TermSpec("concern", "ordinal", "lowers", reference=1.0, levels=3),
        TermSpec("source", "category", levels=2),
        TermSpec("visits", "count", reference=9.0),
        TermSpec("weight", "number", "raises", not_applicable=True),
    )


def test_the_shipped_dictionary_is_told_whole_and_in_order() -> None:
    dictionary = shipped_dictionary()
    specs = term_specs(dictionary)
    assert [spec.name for spec in specs] == [feature.name for feature in dictionary.features]
    assert [spec.direction for spec in specs] == [feature.direction for feature in dictionary.features]
    assert [spec.numeric for spec in specs] == [feature.is_numeric for feature in dictionary.features]
