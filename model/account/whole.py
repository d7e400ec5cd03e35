"""The account of a model, section by section: what it is for, what it learned from, what it must not be used for."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from model.account.fairness import fairness
from model.account.figures import disclosure_threshold, listed, percent, why_withheld, words
from model.account.lineage import accepted, folded
from model.account.measured import measured
from model.account.page import Block, Bullets, Page, Section, Table
from model.account.pairs import pairs_section
from model.account.shapes import importance, importance_figure, shape
from model.additive import AdditiveModel, probability
from model.card import FORBIDDEN_USE, INTENDED_USE, LIMITS
from model.overrides import REASONS, ROLES, Override

SYNTHETIC = (
    "Learned from synthetic data: no row stands for a real person. This model shows how Grounds works. It must not be "
    "used about a real child."
)
OUTCOME_WORDS = "The outcome is a decision by an agency. It is not harm, and a low score is not a finding of no harm."
TOP = 3


def account(
    model: AdditiveModel, sha256: str, overrides: tuple[Override, ...] = (), extra: tuple[Section, ...] = ()
) -> Page:
    """The card as a page. `sha256` is the digest of the model's file; `extra` stands behind where it learned from."""
    warnings = [SYNTHETIC] if model.synthetic else []
    warnings += [f"Released in spite of a failed gate: {_override(one)}." for one in overrides]
    lead = (
        f"Version {model.version}. It scores how like past cases with an outcome a new case looks, and prompts a "
        "practitioner to consider a referral or to ask for what is not known. The outcome: "
        f"{model.dictionary.outcome.meaning}."
    )
    return Page(
        title=f"Model card: {model.name}",
        lead=lead,
        warnings=tuple(warnings),
        sections=(
            _at_a_glance(model, sha256),
            _use(),
            _lineage(model),
            *extra,
            measured(model.facts.get("evaluation", {})),
            fairness(model.facts.get("fairness"), model.dictionary.agency_label),
            Section("How far each feature moves a score", (importance_figure(model),)),
            _shapes(model),
            *((pairs_section(model),) if model.pairs else ()),
            _rules(model),
            Section("Limits", (Bullets(LIMITS),)),
            Section("What is withheld", (why_withheld(disclosure_threshold(model.facts)),)),
        ),
    )


def _at_a_glance(model: AdditiveModel, sha256: str) -> Section:
    threshold: Mapping[str, Any] = model.facts.get("threshold", {})
    top = listed([term.feature.label for term, _ in importance(model)[:TOP]])
    rows = [
        ("Model", model.name),
        ("Version", model.version),
        ("SHA-256 of model.json", sha256),
        ("Dictionary", f"{model.dictionary.name}, {model.dictionary.version}"),
        ("Outcome", f"{model.dictionary.outcome.meaning} (column {model.dictionary.outcome.column})"),
        ("Form", _form(model)),
        ("Score of an average case", f"{probability(model.base_value):.4f}"),
        ("Prompts from a score of", f"{probability(model.threshold):.4f}"),
        ("Moves scores most, on average", top),
    ]
    for key, name in (
        ("share_prompted", "Share prompted by score"),
        ("sensitivity", "Sensitivity"),
        ("precision", "Precision"),
    ):
        if key in threshold:
            rows.append((f"{name}, held-out cases", percent({"value": threshold[key]})))
    return Section("At a glance", (OUTCOME_WORDS, Table("The model", ("What", "Is"), tuple(rows))))


def _form(model: AdditiveModel) -> str:
    pairs = f", and {len(model.pairs)} of two features together" if model.pairs else ""
    return f"a sum of {len(model.terms)} tables, one a feature{pairs}: every score is worked out from them by hand"


def _use() -> Section:
    return Section("Use", (f"Intended: {INTENDED_USE}", "Forbidden:", Bullets(FORBIDDEN_USE)))


ANONYMITY = {
    "counted": "Anonymity: those who share a combination, counted in",
    "k": "Anonymity: fewest that should share a combination",
    "rows": "Anonymity: rows looked at",
    "rows_below_k": "Anonymity: rows in smaller groups",
    "why": "Anonymity: not measured",
}


def _lineage(model: AdditiveModel) -> Section:
    training: Mapping[str, Any] = model.facts.get("training", {})
    rows = [
        ("Origin", "synthetic cohort" if model.synthetic else "cases given by the organisation"),
        ("SHA-256 of the data file", str(training.get("data_sha256", "not stated"))),
    ]
    for key in ("rows", "families", "events", "seed"):
        if key == "families" and not training.get("grouped", True):
            rows.append((words(key), "not named in the data"))
        elif key in training:
            rows += [(words(key), f"{training[key]:,}" if key != "seed" else str(training[key]))]
    rows += [(f"Dates, {key}", str(said)) for key, said in (training.get("dates") or {}).items()]
    if "learners" in training:
        parts = ", ".join(f"{words(name)} {weight:.2f}" for name, weight in training["learners"].items())
        rows.append(("Learners and weights", parts))
    anonymity = model.facts.get("anonymity") or training.get("anonymity")
    named = ((ANONYMITY.get(key, f"Anonymity: {words(key)}"), said) for key, said in (anonymity or {}).items())
    rows += [(name, f"{said:,}" if isinstance(said, int) else str(said)) for name, said in named if _plain(said)]
    said = "The same data, dictionary, seed and versions give the same model, byte for byte."
    table = Table("Data lineage", ("What", "Is"), tuple(rows))
    return Section("What it learned from", (said, table, *accepted(training), *folded(model, training)))


def _shapes(model: AdditiveModel) -> Section:
    intro = (
        "What each answer adds to or takes off a score, in log-odds, against the mean of the training cases. The range "
        "is from refits on resampled families; it is too narrow to be a confidence interval. Answers given in fewer "
        f"than {disclosure_threshold(model.facts)} training cases are withheld. A contribution says what the model "
        "does, not why something happens."
    )
    return Section("The shape of every feature", (intro,), tuple(shape(model, term) for term in model.terms))


def _rules(model: AdditiveModel) -> Section:
    dictionary, blocks = model.dictionary, []
    if dictionary.grounds:
        rows = tuple((one.label, one.text, one.source) for one in dictionary.grounds)
        blocks.append(Table("Grounds that prompt whatever the score", ("Ground", "Words", "Source"), rows))
    if dictionary.monitored:
        watched = tuple((one.label, listed(list(one.levels))) for one in dictionary.monitored)
        blocks.append(Table("Watched for fairness, never scored", ("Characteristic", "Groups"), watched))
    if dictionary.excluded:
        refused = tuple((one.name, one.reason) for one in dictionary.excluded)
        blocks.append(Table("Refused as a feature", ("Column", "Reason"), refused))
    found: tuple[Block, ...] = tuple(blocks) or ("The dictionary names no ground, group or excluded column.",)
    return Section("Rules beside the score", found)


def _override(one: Override) -> str:
    return (
        f"{one.gate.replace('_', ' ')} ({one.figure}; limit {one.limit}). {REASONS[one.reason]}. "
        f"By: {ROLES[one.by].lower()}"
    )


def _plain(value: object) -> bool:
    return isinstance(value, str | int | float)
