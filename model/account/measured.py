"""What was measured on held-out cases, as sections. A part that a model was not judged on says so."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any

from model.account.figures import WITHHELD, counted, mark, number, percent, words
from model.account.page import Block, Dots, Figure, Lines, Section, Series, Table

Facts = Mapping[str, Any]

MEASURES = ("auc", "average_precision", "log_loss", "brier", "calibration_slope", "calibration_intercept")
"""What every way of scoring is judged by, under these names in a model's facts."""
NO_FAMILIES = (
    "The data name no families: where there are siblings, they may be on both sides, which makes figures too good and "
    "ranges too narrow."
)
NOT_MEASURED = "Not measured for this model."
DIGITS = 4
ROBUST = ("AUC", "Log loss", "Over the threshold")


def measured(evaluation: Facts) -> Section:
    """Discrimination, calibration, usefulness, prompts and robustness."""
    if "held_out_rows" not in evaluation:
        return Section("What was measured", (NOT_MEASURED,))
    rows, grouped = f"{evaluation['held_out_rows']:,} cases", resampled_families(evaluation)
    intro = (
        f"Figures are of {rows}{_from_families(evaluation) if grouped else ''} that the judged model never saw. Ranges "
        f"are 95 % intervals by resampling {'families' if grouped else 'cases'}. The released table was then fitted on "
        f"all {'families' if grouped else 'cases'} with the settings chosen without these."
        f"{'' if grouped else ' ' + NO_FAMILIES}"
    )
    parts = (
        Section("Beside other ways of scoring", (_discrimination(evaluation),)),
        _part("Calibration: do scores mean what they say?", "calibration", evaluation, _calibration),
        _part("What practitioners would be shown", "prompts", evaluation, _prompts),
        _part("Workload at each capacity", "workload", evaluation, _workload),
        _part("Decision curve", "decision_curve", evaluation, _decisions),
        _part("When less is recorded", "robustness", evaluation, _robustness),
        _part("In another local authority", "shift", evaluation, _shift),
        _part("The newest part of the cases", "newest_period", evaluation, _newest),
    )
    return Section("What was measured", (intro,), parts)


def resampled_families(evaluation: Facts) -> bool:
    """Whether the figures are by family: the dictionary named the family of each case."""
    return bool(evaluation.get("method", {}).get("resampled_by", "family") == "family")


def _from_families(evaluation: Facts) -> str:
    return f" from {evaluation['held_out_families']:,} families"


def _part(title: str, key: str, evaluation: Facts, render: Callable[[Any], tuple[Block, ...]]) -> Section:
    return Section(title, render(evaluation[key]) if key in evaluation else (NOT_MEASURED,))


def _discrimination(evaluation: Facts) -> Table:
    names = [
        name for name, part in evaluation.items() if isinstance(part, Mapping) and "log_loss" in part and "auc" in part
    ]
    names = [name for name in names if name != "newest_period"]
    rows = tuple((words(one), *(number(evaluation[name].get(one), DIGITS) for name in names)) for one in MEASURES)
    return Table("The model beside plain and unconstrained ones", ("Measure", *names), rows)


def _calibration(facts: Facts) -> tuple[Block, ...]:
    bins, points, rows = facts["bins"], [], []
    for place, one in enumerate(bins, 1):
        said = percent(one["outcome_share"], 2)
        mean = one["mean_score"]
        mean_said = WITHHELD if mean is None else f"{mean * 100:.2f} %"
        rows.append((str(place), counted(one["cases"]), mean_said, said))
        if mean is not None:
            points.append((mean, mark(f"tenth {place}, mean score {mean_said}", one["outcome_share"], said)))
    title = "Mean score and share with the outcome, by tenth of the scores"
    plot = Lines(
        title, "mean score", "share with the outcome", (Series("held-out cases", tuple(points)),), diagonal=True
    )
    table = Table(title, ("Tenth", "Cases", "Mean score", "Share with the outcome"), tuple(rows))
    return (
        f"Expected calibration error: {number(facts['ece'], DIGITS)}; resampling adds noise, which makes it "
        "larger, so its range may lie above it. On the dotted diagonal, scores equal what happened. Slope and "
        "intercept are in the table above: 1 and 0 are ideal.",
        Figure(plot, table),
    )


def _prompts(facts: Facts) -> tuple[Block, ...]:
    heads = ("Share of cases", "Outcome found in", "Share of all outcomes")
    keys = ("share", "outcome_share", "share_of_outcomes")

    def rows(found: list[Facts], name: str) -> tuple[tuple[str, ...], ...]:
        return tuple((words(one[name]), *(percent(one[key]) for key in keys)) for one in found)

    levels = facts["levels"]
    title = "Share of cases at each prompt level"
    marks = tuple(mark(words(one["level"]), one["share"], percent(one["share"])) for one in levels)
    return (
        f"By the real prompt rules on {facts['cases']:,} held-out cases, grounds included.",
        Figure(Dots(title, "share of cases", marks), Table(title, ("Level", *heads), rows(levels, "level"))),
        Table(
            "Consider referral, by the rule that gave it", ("Rule", *heads), rows(facts["consider_referral"], "rule")
        ),
        Table(
            "Seek information, by rule (several may hold together)",
            ("Rule", *heads),
            rows(facts["seek_information"], "rule"),
        ),
        Table("Grounds met", ("Ground", *heads), rows(facts["grounds"], "ground")),
    )


def _workload(rows: list[Facts]) -> tuple[Block, ...]:
    title = "Precision and sensitivity of the score alone, by capacity"
    series = tuple(
        Series(
            words(key),
            tuple(
                (one["capacity"], mark(f"{words(key)} at {one['capacity']:.0%}", one[key], percent(one[key])))
                for one in rows
            ),
        )
        for key in ("precision", "sensitivity")
    )
    table = Table(
        title,
        ("Capacity", "Threshold (score)", "Prompted", "Precision", "Sensitivity", "Prompts for one outcome found"),
        tuple(
            (
                f"{one['capacity']:.0%}",
                WITHHELD if one["threshold_score"] is None else f"{one['threshold_score']:.4f}",
                *(percent(one[key]) for key in ("share_prompted", "precision", "sensitivity")),
                number(one["prompts_for_each_outcome_found"], 1),
            )
            for one in rows
        ),
    )
    plot = Lines(title, "capacity (share of cases prompted)", "share", series)
    return (
        "Precision is the share of prompted cases with the outcome; sensitivity is the share of outcomes prompted.",
        Figure(plot, table),
    )


def _decisions(rows: list[Facts]) -> tuple[Block, ...]:
    title = "Net benefit by the score at which one would act"
    none = {"value": 0.0, "low": None, "high": None}
    names = {"net_benefit": "this model", "treat_all": "prompting for every case", "treat_none": "prompting for none"}

    def figure(one: Facts, key: str) -> Mapping[str, float | None] | None:
        return none if key == "treat_none" else one[key]

    best = max((one[key]["value"] for one in rows for key in ("net_benefit", "treat_all") if one[key]), default=0.0)

    def near(one: Facts) -> bool:
        """Prompting for every case falls so far that the other lines would lie on each other."""
        return best <= 0 or not one["treat_all"] or one["treat_all"]["value"] >= -best

    series = tuple(
        Series(
            name,
            tuple(
                (one["threshold"], _bare(name, one, figure(one, key)))
                for one in rows
                if key != "treat_all" or near(one)
            ),
        )
        for key, name in names.items()
    )
    table = Table(
        title,
        ("Score", *(name[:1].upper() + name[1:] for name in names.values()), "Gain over the better of all and none"),
        tuple(
            (
                f"{one['threshold']:.1%}",
                *(number(figure(one, key), 5) for key in names),
                number(one["gain_over_best_of_both"], 5),
            )
            for one in rows
        ),
    )
    return (
        "True prompts a case, less the false ones at the odds of the score (Vickers and Elkin 2006). Only where the "
        "model lies above both other lines does it help at that trade-off. Prompting for every case is drawn as far as "
        "it loses no more than the best gains; the table has the rest.",
        Figure(Lines(title, "score at which one would act", "net benefit", series), table),
    )


def _bare(name: str, one: Facts, figure: Mapping[str, float | None] | None) -> Any:
    """A mark without its range, which would drown the lines; the table has it."""
    value = figure and {"value": figure["value"]}
    return mark(f"{name} at {one['threshold']:.1%}", value, number(figure, 5))


def _robust(one: Facts) -> tuple[str, ...]:
    return number(one["auc"]), number(one["log_loss"], DIGITS), percent(one["share_over_threshold"])


def _robustness(facts: Facts) -> tuple[Block, ...]:
    found = [("As recorded", facts["as_recorded"])]
    found += [(f"Nothing from: {one['label']}", one) for one in facts["without_agency"]]
    found += [(f"{one['share']:.0%} of answers lost at random", one) for one in facts["at_random"]]
    title = "AUC when answers are taken away, threshold unchanged"
    marks = tuple(mark(name, one["auc"], number(one["auc"])) for name, one in found)
    table = Table(title, ("Recorded", *ROBUST), tuple((name, *_robust(one)) for name, one in found))
    return (Figure(Dots(title, "AUC", marks, zero=0.5), table),)


def _shift(facts: Facts) -> tuple[Block, ...]:
    heads = ("Measure", "As recorded", "Recorded half as often", "Change")
    names = list(facts["change"])
    rows = tuple(
        (words(one), *(number(facts[part].get(one), DIGITS) for part in ("as_recorded", "recorded_less", "change")))
        for one in names
    )
    said = f"Held-out cases: {counted(facts['cases'])}, with {facts['share_of_answers_lost']:.0%} of the answers to "
    return (f"{said}{len(facts['features'])} features taken away.", Table("Another rate of recording", heads, rows))


def _newest(facts: Facts) -> tuple[Block, ...]:
    if not facts["judged"]:
        return (f"Not judged: {facts['why']}.",)
    rows = tuple((words(one), number(facts[one], DIGITS)) for one in MEASURES if one in facts)
    said = (
        f"Older cases that it was fitted on: {counted(facts['fitted_rows'])}. Newest cases: {counted(facts['rows'])}."
    )
    return (said, Table("On the newest part", ("Measure", "Figure"), rows))
