"""A record for the UK Algorithmic Transparency Recording Standard (template 3.0), as far as a model can fill it.

What only the organisation can answer stands as a visible gap. Nothing is guessed in its name.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from model.account.figures import listed, number
from model.account.measured import resampled_families
from model.additive import AdditiveModel
from model.card import FORBIDDEN_USE, INTENDED_USE, LIMITS
from training.report_page.markdown import text

GAP = "[to be completed by the organisation]"

Field = tuple[str, str, str]


def atrs(model: AdditiveModel, sha256: str) -> str:
    """The record as Markdown: a heading a section, a heading a field."""
    parts = [
        ("Tier 1: overview", _overview(model)),
        ("Tier 2, section 1: owner and responsibility", _owner()),
        ("Tier 2, section 2: description and rationale", _rationale(model)),
        ("Tier 2, section 3: deployment context", _deployment()),
        ("Tier 2, section 4.1: tool specification", _tool()),
        ("Tier 2, section 4.2: model specification", _model(model, sha256)),
        ("Tier 2, section 4.3: development data", _development(model)),
        ("Tier 2, section 4.4: operational data", _operational(model)),
        ("Tier 2, section 5: risks, mitigations and impact assessments", _risks(model)),
    ]
    gaps = sum(GAP in answer for _, fields in parts for _, _, answer in fields)
    whole = sum(len(fields) for _, fields in parts)
    lines = [f"# Algorithmic transparency record: {text(model.name)}\n"]
    if model.synthetic:
        lines.append("> **Learned from synthetic data: a draft to look at, never a record to publish.**\n")
    lines.append(
        "Follows the fields of the Algorithmic Transparency Recording Standard, template 3.0. Filled from the model's "
        f"own file; {gaps} of {whole} fields wait for the organisation, marked `{GAP}`. Check each against the current "
        "template before publishing.\n"
    )
    for title, fields in parts:
        lines.append(f"## {title}\n")
        for code, name, answer in fields:
            lines.append(f"### {code} {name}\n\n{_answer(answer)}\n")
    return "\n".join(lines).rstrip("\n") + "\n"


def _answer(answer: str) -> str:
    """Escaped, but for the gaps, which a person searches for."""
    return text(answer).replace(text(GAP), GAP)


def _overview(model: AdditiveModel) -> list[Field]:
    return [
        ("1", "Name", f"Grounds: {model.name}"),
        (
            "2",
            "Description",
            f"{INTENDED_USE} It scores anonymised answers about a case and shows what each answer added. The outcome "
            f"that it learned: {model.dictionary.outcome.meaning}. It makes no decision.",
        ),
        ("3", "Website URL", GAP),
        ("4", "Contact email", GAP),
    ]


def _owner() -> list[Field]:
    return [
        ("1.1", "Organisation or department", GAP),
        ("1.2", "Team", GAP),
        ("1.3", "Senior responsible owner", GAP),
        ("1.4", "Third party involvement", GAP),
        ("1.4.1", "Third party", GAP),
        ("1.4.2", "Companies House number", GAP),
        ("1.4.3", "Third party role", GAP),
        ("1.4.4", "Procurement procedure type", GAP),
        ("1.4.5", "Third party data access terms", GAP),
    ]


def _rationale(model: AdditiveModel) -> list[Field]:
    return [
        (
            "2.1",
            "Detailed description",
            f"{len(model.terms)} answers each add to or take off a score, by a table that anyone can read. Grounds, "
            "written as rules, prompt whatever the score. A case is prompted to consider a referral, or to seek what "
            "is not known, or not at all. Each answer given is logged in a tamper-evident log before it is shown.",
        ),
        ("2.2", "Benefits", GAP),
        ("2.3", "Previous process", GAP),
        ("2.4", "Alternatives considered", f"Judged beside: {listed(_opponents(model))}. Other alternatives: {GAP}"),
    ]


def _deployment() -> list[Field]:
    return [
        ("3.1", "Integration into broader operational process", GAP),
        (
            "3.2",
            "Human review",
            "Every prompt is read by a practitioner, who decides and may record agreement or disagreement with a "
            f"reason. Local arrangements: {GAP}",
        ),
        ("3.3", "Frequency and scale of usage", GAP),
        ("3.4", "Required training", GAP),
        ("3.5", "Appeals and review", GAP),
    ]


def _tool() -> list[Field]:
    return [
        (
            "4.1.1",
            "System architecture",
            "A web service that reads one signed model file, answers with score and explanation, and writes each to an "
            f"append-only log with proofs. Local installation: {GAP}",
        ),
        ("4.1.2", "Phase", GAP),
        ("4.1.3", "Maintenance", f"Models are trained, gated, signed and released by command. Local schedule: {GAP}"),
        ("4.1.4", "Models", "One additive model, described below."),
    ]


def _model(model: AdditiveModel, sha256: str) -> list[Field]:
    evaluation: Mapping[str, Any] = model.facts["evaluation"]
    ours = evaluation["grounds"]
    unit = "families" if resampled_families(evaluation) else "cases"
    figures = "; ".join(
        f"{name} {number(ours[key], 4)}"
        for key, name in (("auc", "AUC"), ("average_precision", "average precision"), ("log_loss", "log loss"))
    )
    return [
        ("4.2.1", "Model name", model.name),
        ("4.2.2", "Model version", f"{model.version} (SHA-256 {sha256})"),
        (
            "4.2.3",
            "Model task",
            f"To say how like past cases with this outcome a case is: {model.dictionary.outcome.meaning}",
        ),
        (
            "4.2.4",
            "Model input",
            f"{len(model.terms)} answers, each of which may be not known; no name, date or free text",
        ),
        ("4.2.5", "Model output", "A score of 0 to 1 with ranges, each answer's contribution, and a prompt in words"),
        ("4.2.6", "Model architecture", "An additive model: a table a feature, monotone where the dictionary says so"),
        (
            "4.2.7",
            "Model performance",
            f"On {evaluation['held_out_rows']:,} held-out cases{_families(model, evaluation['held_out_families'])}, "
            f"with 95 % intervals by resampling {unit}: {figures}. More in the card beside this record.",
        ),
        (
            "4.2.8",
            "Datasets and their purposes",
            f"One data set: {unit} are held out to judge, then all are used to fit.",
        ),
    ]


def _development(model: AdditiveModel) -> list[Field]:
    training: Mapping[str, Any] = model.facts["training"]
    watched = [one.label for one in model.dictionary.monitored]
    origin = "A synthetic cohort: no row is a person." if model.synthetic else f"An extract of past cases: {GAP}"
    return [
        ("4.3.1", "Development data description", origin),
        ("4.3.2", "Data modality", "Tabular"),
        (
            "4.3.3",
            "Data quantities",
            f"{training['rows']:,} cases{_families(model, training.get('families', 0))}, "
            f"{training['events']:,} with the outcome",
        ),
        ("4.3.4", "Sensitive attributes", f"Never scored; watched for fairness where recorded: {listed(watched)}"),
        (
            "4.3.5",
            "Data completeness and representativeness",
            f"The card gives counts of every answer. In the area: {GAP}",
        ),
        ("4.3.6", "Source data URL", GAP),
        ("4.3.7", "Data collection", GAP),
        (
            "4.3.8",
            "Data cleaning",
            f"Each value is checked against the data dictionary before fitting. Before that: {GAP}",
        ),
        ("4.3.9", "Data sharing agreements", GAP),
        ("4.3.10", "Data access and storage", GAP),
    ]


def _operational(model: AdditiveModel) -> list[Field]:
    agencies = [agency.label for agency in model.dictionary.agencies]
    return [
        ("4.4.1", "Data sources", f"Answers that these may hold: {listed(agencies)}"),
        ("4.4.2", "Sensitive attributes", "Not asked for a score. May be given for monitoring alone."),
        (
            "4.4.3",
            "Data processing methods",
            "Names, NHS numbers, dates of birth, postcodes, phone numbers and free text are refused and not logged.",
        ),
        (
            "4.4.4",
            "Data access and storage",
            f"Keys by role; each look-up is logged. Periods are in the log's policy. {GAP}",
        ),
        ("4.4.5", "Data sharing agreements", GAP),
    ]


def _risks(model: AdditiveModel) -> list[Field]:
    return [
        ("5.1", "Impact assessments", GAP),
        (
            "5.2",
            "Risks and mitigations",
            f"Limits: {' '.join(LIMITS)} Forbidden: {'; '.join(FORBIDDEN_USE)}. Local risks and mitigations: {GAP}",
        ),
    ]


def _families(model: AdditiveModel, count: int) -> str:
    """How many families the cases are of, where the data name them."""
    return f" of {count:,} families" if resampled_families(model.facts["evaluation"]) else ", families not named"


def _opponents(model: AdditiveModel) -> list[str]:
    evaluation: Mapping[str, Any] = model.facts["evaluation"]
    scored = [name for name, part in evaluation.items() if isinstance(part, Mapping) and "average_precision" in part]
    return [name for name in scored if name not in ("grounds", "newest_period")]
