"""Builds valid dictionaries, models and cases for tests; `hypothesis` draws them at random."""

from __future__ import annotations

import math
from collections.abc import Mapping
from itertools import combinations
from random import Random
from typing import Any

from hypothesis import strategies as st

from model.additive import AdditiveModel
from model.artefact import read_model, write_model
from model.case import Case
from model.dictionary import Dictionary, Feature
from model.dictionary_rules import read_dictionary
from training.artefact import shipped_words

KINDS = ("yes_no", "ordinal", "category", "count", "number")
VALUES = st.floats(-3, 3, allow_nan=False).map(lambda value: value + 0.0)


def plain_dictionary(*features: Mapping[str, Any], **top: Any) -> dict[str, Any]:
    """Dictionary data with the given features and two agencies; a test states only what matters to it."""
    return {
        "format": 1,
        "name": "Test screen",
        "version": "t1",
        "outcome": {"column": "outcome", "meaning": "the outcome is recorded", "positive": ["1"]},
        "agency": [{"id": "gp", "label": "General practice"}, {"id": "police", "label": "Police"}],
        "feature": [{"held_by": ["gp"], "label": f"Label of {feature['name']}", **feature} for feature in features],
        **top,
    }


def built_dictionary(*features: Mapping[str, Any], **top: Any) -> Dictionary:
    """The same, read and checked."""
    return read_dictionary(plain_dictionary(*features, **top), "test")


def model_content(raw: Mapping[str, Any], terms: list[dict[str, Any]], **top: Any) -> dict[str, Any]:
    """Content of a model.json for a dictionary and its terms."""
    return {
        "format": 1,
        "name": "Test model",
        "version": "t1-0001",
        "synthetic": True,
        "intercept": -3.0,
        "threshold": {"margin": -1.0, "capacity": 0.05},
        "bands": [-4 + step / 4 for step in range(19)],
        "terms": terms,
        "training": {"rows": 1000},
        "evaluation": {},
        "words": shipped_words(),
        "dictionary": dict(raw),
        **top,
    }


def built_model(raw: Mapping[str, Any], terms: list[dict[str, Any]], **top: Any) -> AdditiveModel:
    """A model read back from its own bytes, as the service reads it."""
    return read_model(write_model(model_content(raw, terms, **top)), "test")


def yes_no_term(name: str, no: float, not_known: float, yes: float, **rest: Any) -> dict[str, Any]:
    """The table of a yes/no feature; its mean is that of no."""
    return {
        "feature": name,
        "values": [no, yes],
        "not_known": not_known,
        "not_applicable": None,
        "mean": no,
        "reference": 0,
        "counts": [900, 50],
        **rest,
    }


@st.composite
def features(draw: st.DrawFn, index: int) -> dict[str, Any]:
    """Data of one feature of any kind."""
    kind = draw(st.sampled_from(KINDS))
    feature: dict[str, Any] = {"name": f"feature_{index}", "kind": kind}
    if kind in ("ordinal", "category"):
        feature["levels"] = [f"level_{i}" for i in range(draw(st.integers(2, 6)))]
    if kind in ("count", "number"):
        feature["minimum"], feature["maximum"] = 0, 100
    if kind != "category":
        feature["direction"] = draw(st.sampled_from(("raises", "lowers", "free")))
    feature["not_applicable"] = draw(st.booleans())
    feature["held_by"] = draw(st.lists(st.sampled_from(("gp", "police")), unique=True, min_size=1))
    feature["essential"] = draw(st.booleans())
    return feature


@st.composite
def terms(draw: st.DrawFn, feature: Feature) -> dict[str, Any]:
    """A table for the feature that keeps the promises, with nothing else assumed of it."""
    edges = sorted(draw(st.sets(st.integers(1, 99), max_size=5))) if feature.is_numeric else None
    bins = len(feature.levels) or len(edges or ()) + 1
    values = draw(st.lists(VALUES, min_size=bins, max_size=bins))
    if feature.direction != "free":
        values.sort(reverse=feature.direction == "lowers")
    declared = feature.reference
    reference = feature.levels.index(str(declared)) if declared is not None else draw(st.integers(0, bins - 1))
    not_known = values[reference] + draw(st.floats(0, 2))
    not_applicable = draw(VALUES) if feature.not_applicable else None
    slots = bins + 1 + feature.not_applicable
    return {
        "feature": feature.name,
        **({"edges": edges} if edges is not None else {}),
        "values": values,
        "not_known": not_known,
        "not_applicable": not_applicable,
        "mean": draw(VALUES),
        "reference": reference,
        "counts": draw(st.lists(st.integers(10, 999), min_size=bins, max_size=bins)),
        "deviations": draw(
            st.just([]) | st.lists(st.lists(VALUES, min_size=3, max_size=3), min_size=slots, max_size=slots)
        ),
    }


@st.composite
def models(draw: st.DrawFn, pairs: int = 0) -> AdditiveModel:
    """Any model that may be served, over any dictionary; with at most `pairs` pairs of features."""
    count = draw(st.integers(1, 8))
    raw = plain_dictionary(
        *[draw(features(index)) for index in range(count)],
        policy={"capacity": 0.05, "answers": draw(st.integers(0, 3)), "minimum_known": draw(st.integers(0, 3))},
        ground=draw(grounds(count)) if draw(st.booleans()) else [],
    )
    dictionary = read_dictionary(raw, "test")
    threshold = {"margin": draw(st.floats(-5, 5)), "capacity": 0.05}
    drawn = [draw(terms(f)) for f in dictionary.features]
    together = draw(grids(dictionary, drawn, pairs)) if pairs else []
    top = {"format": 2, "pairs": together} if pairs else {}
    return built_model(raw, drawn, intercept=draw(VALUES), threshold=threshold, **top)


@st.composite
def grids(draw: st.DrawFn, dictionary: Dictionary, drawn: list[dict[str, Any]], most: int) -> list[dict[str, Any]]:
    """Pairs of features with any grids at all; the features' own tables are made steep enough for the promises."""
    both = list(combinations(range(len(drawn)), 2))
    picked = draw(st.lists(st.sampled_from(both), max_size=most, unique=True)) if both else []
    pairs = []
    for pair in picked:
        groups = [draw(slot_groups(drawn[place], dictionary.features[place])) for place in pair]
        rows, columns = (max(of_slots) + 1 for of_slots in groups)
        luck = Random(draw(st.integers(0, 2**32)))
        values = [[luck.choice((0.0, 0.25, luck.uniform(-1, 1))) for _ in range(columns)] for _ in range(rows)]
        spread = [[[luck.uniform(-1, 1) for _ in range(3)] for _ in range(columns)] for _ in range(rows)]
        pairs.append(
            {
                "features": [drawn[place]["feature"] for place in pair],
                "groups": groups,
                "values": values,
                "mean": luck.uniform(-1, 1),
                "counts": [[None] * columns] * rows,
                "deviations": luck.choice(([], spread)),
            }
        )
    for feature, term in zip(dictionary.features, drawn, strict=True):
        _steepen(feature, term, [pair for pair in pairs if feature.name in pair["features"]])
    return pairs


@st.composite
def slot_groups(draw: st.DrawFn, term: dict[str, Any], feature: Feature) -> list[int]:
    """Groups of a term's slots: up to three of known answers, *not known* alone, *not applicable* alone."""
    bins = len(term["values"])
    known = draw(st.lists(st.integers(0, 2), min_size=bins, max_size=bins))
    names = sorted(set(known))
    return [*(names.index(one) for one in known), *range(len(names), len(names) + 1 + feature.not_applicable)]


def _steepen(feature: Feature, term: dict[str, Any], pairs: list[dict[str, Any]]) -> None:
    """Makes the steps of a feature's own table at least as large as its pairs could take away."""
    sign = {"raises": 1, "lowers": -1}.get(feature.direction, 0)

    def taken(before: int, after: int, sign: int) -> float:
        least = 0.0
        for pair in pairs:
            side = pair["features"].index(feature.name)
            rows = pair["values"] if side == 0 else list(zip(*pair["values"], strict=True))
            low, high = (rows[pair["groups"][side][slot]] for slot in (before, after))
            least += min(sign * (b - a) for a, b in zip(low, high, strict=True))
        return -least

    values, floor = list(term["values"]), term["not_known"] - term["values"][term["reference"]]
    if pairs and sign:
        for slot in range(1, len(values)):
            step = sign * (term["values"][slot] - term["values"][slot - 1])
            values[slot] = values[slot - 1] + sign * (max(step, taken(slot - 1, slot, sign)) + 1e-9)
    term["values"] = values
    if pairs:
        term["not_known"] = values[term["reference"]] + max(floor, taken(term["reference"], len(values), 1)) + 1e-9


@st.composite
def grounds(draw: st.DrawFn, count: int) -> list[dict[str, Any]]:
    """One or two grounds over *not known*, which every kind of feature has."""
    rows = []
    for number in range(draw(st.integers(1, 2))):
        picked = draw(st.lists(st.integers(0, count - 1), min_size=1, max_size=3, unique=True))
        operands = [f"feature_{index} is not_known" for index in picked]
        rows.append(
            {
                "code": f"ground_{number}",
                "label": "Ground",
                "when": {draw(st.sampled_from(("all", "any"))): operands},
                "text": "Text.",
                "action": "discuss",
                "source": "Test",
            }
        )
    return rows


def values(feature: Feature, known: bool = False) -> st.SearchStrategy[Any]:
    """Any value that the feature may take; with `known`, only known ones (not applicable included)."""
    if feature.kind == "count":
        base: st.SearchStrategy[Any] = st.integers(0, 100)
    elif feature.kind == "number":
        base = st.floats(0, 100)
    else:
        base = st.sampled_from(feature.levels)
    if feature.not_applicable:
        base |= st.just("not_applicable")
    return base if known else base | st.just("not_known")


def cases(model: AdditiveModel) -> st.SearchStrategy[Case]:
    """Any case of the model's dictionary."""
    return st.fixed_dictionaries({f.name: values(f) for f in model.dictionary.features}).map(
        lambda given: Case.of(model.dictionary, given)
    )


def logit(score: float) -> float:
    """Log-odds of a probability."""
    return math.log(score / (1 - score))


def admitted(model: AdditiveModel, given: Mapping[str, Any]) -> Case:
    """A case from values as they were asked; what is not given is not known."""
    return Case.of(model.dictionary, dict(given))
