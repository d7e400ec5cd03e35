"""A referral summary out of the record of a screening.

Nothing in it depends on the score: not the order, which is the dictionary's, and not the choice of what is named. So
two screenings with the same answers make the same summary, whatever model scored them.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from model.dictionary import NOT_KNOWN, Dictionary, Value
from service.fhir.authored import AUTHORED, STATUS, WHOLE
from service.log.store import Receipt, StoredEntry
from service.screening.reading import agencies_of
from service.words.topics import topic


@dataclass(frozen=True, slots=True)
class Fact:
    """One known answer, the agencies that gave it, and, where agencies differ, what each says."""

    feature: str
    label: str
    value: Value
    text: str
    given_by: tuple[str, ...]
    differ: str = ""


@dataclass(frozen=True, slots=True)
class Unknown:
    """One thing that is not known, and the labels of the agencies that may hold it."""

    feature: str
    label: str
    held_by: tuple[str, ...]
    differ: str = ""


@dataclass(frozen=True, slots=True)
class SummaryGround:
    """A ground that is met, in its own words."""

    code: str
    label: str
    text: str
    action: str
    source: str


@dataclass(frozen=True, slots=True)
class Summary:
    """Everything on a referral summary that comes from the record; the rest are fixed words."""

    screening_id: str
    case_ref: str
    at: str
    log: str
    index: int
    agencies: tuple[tuple[str, str], ...]
    facts: tuple[Fact, ...]
    not_known: tuple[Unknown, ...]
    grounds: tuple[SummaryGround, ...]
    synthetic: bool
    authored: str | None = None
    """When the answers were given, as their sender said; None where nobody said."""
    status: str = WHOLE
    """FHIR's status of the answers."""

    def unknown_by_holder(self) -> dict[str, list[str]]:
        """What to ask whom: labels of what is not known, by the first agency that may hold it."""
        asked: dict[str, list[str]] = {}
        for one in self.not_known:
            holder = one.held_by[0] if one.held_by else topic("summary").not_known.nobody
            asked.setdefault(holder, []).append(one.label)
        return asked


def summarise(entry: StoredEntry | Receipt, payload: Mapping[str, Any], dictionary: Dictionary, log: str) -> Summary:
    """The summary of a recorded screening. `dictionary` gives order and units; the record gives the labels."""
    answer, asked = payload["answer"], payload["asked"]
    labels = {agency.id: agency.label for agency in dictionary.agencies}
    order = {feature.name: place for place, feature in enumerate(dictionary.features)}
    rows = sorted(
        answer["explanation"]["contributions"], key=lambda row: (order.get(row["feature"], len(order)), row["feature"])
    )
    said = _said(asked)
    holders = {gap["feature"]: tuple(labels.get(one, one) for one in gap["held_by"]) for gap in answer["not_known"]}
    grounds = sorted(answer["grounds"], key=lambda ground: str(ground["code"]))
    return Summary(
        screening_id=entry.entry_id,
        case_ref=answer["case_ref"],
        at=entry.at,
        log=log,
        index=entry.index,
        agencies=tuple((agency, labels.get(agency, agency)) for agency in agencies_of(asked)),
        facts=tuple(_fact(row, said, labels, dictionary) for row in rows if row["value"] != NOT_KNOWN),
        not_known=tuple(
            Unknown(
                row["feature"], row["label"], holders.get(row["feature"], ()), _differ(row, said, labels, dictionary)
            )
            for row in rows
            if row["value"] == NOT_KNOWN
        ),
        grounds=tuple(SummaryGround(**{name: ground[name] for name in SummaryGround.__slots__}) for ground in grounds),
        synthetic=bool(answer["model"]["synthetic"]),
        authored=asked.get(AUTHORED),
        status=asked.get(STATUS, WHOLE),
    )


def _said(asked: Mapping[str, Any]) -> dict[str, list[tuple[str, Any]]]:
    """What each agency said of each feature, known answers only."""
    observations = asked.get("observations") or [asked]
    said: dict[str, list[tuple[str, Any]]] = {}
    for one in observations:
        for name, value in one["features"].items():
            if value is not None and not str(value).startswith(NOT_KNOWN):
                said.setdefault(name, []).append((one["agency"], value))
    return said


def _fact(
    row: Mapping[str, Any],
    said: Mapping[str, list[tuple[str, Any]]],
    labels: Mapping[str, str],
    dictionary: Dictionary,
) -> Fact:
    name, value = row["feature"], row["value"]
    given_by = tuple(labels.get(agency, agency) for agency, theirs in said.get(name, ()) if theirs == value)
    text = value_text(dictionary, name, value)
    return Fact(name, row["label"], value, text, given_by, _differ(row, said, labels, dictionary))


def _differ(
    row: Mapping[str, Any],
    said: Mapping[str, list[tuple[str, Any]]],
    labels: Mapping[str, str],
    dictionary: Dictionary,
) -> str:
    """A sentence where what agencies said is not all the same, or does not count; else nothing."""
    name, given = row["feature"], said.get(row["feature"], [])
    if all(value == row["value"] for _, value in given):
        return ""
    words = topic("summary").facts
    each = [
        words.given.format(agency=labels.get(agency, agency), value=value_text(dictionary, name, value))
        for agency, value in given
    ]
    return str(words.differ.format(given="; ".join(each)))


def value_text(dictionary: Dictionary, name: str, value: Value) -> str:
    """An answer as a person reads it."""
    feature = next((one for one in dictionary.features if one.name == name), None)
    unit = f" {feature.unit}" if feature is not None and feature.unit and feature.kind == "number" else ""
    plain = topic("pages")[value] if value in ("not_known", "not_applicable") else f"{value}{unit}"
    return str(plain).replace("_", " ")
