"""The story of a pooled screening: each agency's own view, the view of all together, and what made the difference.

Stateless: everything comes in one request, and nothing is linked to any other.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from model.additive import AdditiveModel
from model.case import Case
from model.dictionary import NOT_KNOWN, Value
from model.pooling import Conflict, Difference, NotCounted, Observation, PooledCase, difference, pool
from model.view import View, view
from model.wording import value_words
from service.errors import problem
from service.model_files import ReleasedModel
from service.screening.schemas import UNSEEN

if TYPE_CHECKING:
    from model.kernel import Kernel


@dataclass(frozen=True, slots=True)
class Pooled:
    """The view of all agencies together, what the answer says of the pooling, and the values nobody recognised."""

    together: View
    said: dict[str, Any]
    not_recognised: tuple[str, ...]


def pooled_view(
    observations: Sequence[Mapping[str, Any]], released: ReleasedModel, kernel: Kernel | None = None
) -> Pooled:
    """What a validated request's observations make together. Raises `Problem` where the model has no words for it."""
    model, rules = released.model, released.ground_rules
    if "pooled" not in model.words:
        raise problem("no_pooled_words")
    unseen = {name for one in observations for name, value in one["features"].items() if value == UNSEEN}
    known = [Observation(one["agency"], _recognised(one["features"])) for one in observations]
    alone = [view(model, rules, Case.of(model.dictionary, one.features), kernel) for one in known]
    found = pool(model, known)
    together = view(model, rules, found.case, kernel)
    changed = difference(model, rules, together, alone, kernel)
    said = {
        "alone": [_alone(one.agency, seen) for one, seen in zip(known, alone, strict=True)],
        "conflicts": [_conflict(model, one) for one in found.conflicts],
        "made_the_difference": _made_the_difference(model, found, changed),
        "not_counted": [_not_counted(model, one) for one in found.not_counted],
    }
    return Pooled(together, said, tuple(sorted(unseen)))


def _recognised(features: Mapping[str, Any]) -> dict[str, Any]:
    return {name: NOT_KNOWN if value == UNSEEN else value for name, value in features.items()}


def _alone(agency: str, seen: View) -> dict[str, Any]:
    prompt = seen.prompt
    return {
        "agency": agency,
        "grounds": [ground.code for ground in seen.grounds.met],
        "known": seen.case.known(),
        "prompt": {
            "ask": list(prompt.ask),
            "level": prompt.level,
            "reasons": list(prompt.reasons),
            "text": prompt.text,
        },
        "score": seen.explanation.score,
        "score_range": list(seen.gaps.score_range),
    }


def _made_the_difference(model: AdditiveModel, found: PooledCase, changed: Difference) -> dict[str, Any]:
    words = model.words["pooled"]
    facts = [_fact(model, found, name) for name in changed.facts]
    listed = "; ".join(str(fact["text"]) for fact in facts)
    if not changed.rose:
        text = words["same"]
    elif not facts:
        text = words["all_made_the_difference"]
    else:
        text = words[_which(changed)].format(facts=listed)
    return {"facts": facts, "grounds": list(changed.grounds), "rose": changed.rose, "text": text}


def _which(changed: Difference) -> str:
    if len(changed.facts) == 1:
        return "fact_made_the_difference"
    return "facts_made_the_difference" if changed.each else "pair_made_the_difference"


def _fact(model: AdditiveModel, found: PooledCase, name: str) -> dict[str, Any]:
    feature, value, agencies = model.dictionary.feature(name), found.case.values[name], found.sources[name]
    spelled = value_words(model, feature, value)
    known_to = _listed(model, agencies)
    text = model.words["pooled"]["fact"].format(label=feature.label, value=spelled, agencies=known_to)
    return {"agencies": list(agencies), "feature": name, "label": feature.label, "text": text, "value": value}


def _conflict(model: AdditiveModel, conflict: Conflict) -> dict[str, Any]:
    words, feature = model.words["pooled"], model.dictionary.feature(conflict.feature)
    given = "; ".join(
        words["given"].format(agency=model.dictionary.agency_label(agency), value=value_words(model, feature, value))
        for agency, value in conflict.given
    )
    which = "conflict_not_known" if conflict.counted == NOT_KNOWN else "conflict_riskier"
    counted = value_words(model, feature, conflict.counted)
    return {
        "counted": conflict.counted,
        "feature": feature.name,
        "given": [_given(agency, value) for agency, value in conflict.given],
        "label": feature.label,
        "text": words[which].format(label=feature.label, given=given, counted=counted),
    }


def _given(agency: str, value: Value) -> dict[str, Any]:
    return {"agency": agency, "value": value}


def _not_counted(model: AdditiveModel, one: NotCounted) -> dict[str, Any]:
    feature = model.dictionary.feature(one.feature)
    text = model.words["pooled"]["not_counted"].format(
        label=feature.label,
        agency=model.dictionary.agency_label(one.agency),
        value=value_words(model, feature, one.value),
        holders=_listed(model, feature.held_by),
    )
    return {"agency": one.agency, "feature": feature.name, "label": feature.label, "text": text, "value": one.value}


def _listed(model: AdditiveModel, agencies: Iterable[str]) -> str:
    joined: str = model.words["prompt"]["holders_join"]
    return joined.join(model.dictionary.agency_label(agency) for agency in agencies)
