"""Short tables of what was judged, for the person who ran `make train`. Everything else is in `model.json`."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from typing import Any

from rich.console import Console
from rich.table import Table

Figure = Mapping[str, float | None] | None
WITHHELD = "-"
LEGEND = f"{WITHHELD}: withheld, as it would show or give away a small count, or not defined"


def print_quality(console: Console, evaluation: Mapping[str, Any]) -> None:
    """Prompt levels, workload, and what is left when less is recorded."""
    prompts, workload = evaluation["prompts"], evaluation["workload"]
    _print(
        console,
        f"Prompts on {prompts['cases']} held-out cases",
        ("level", "share of cases", "outcome in", "share of outcomes"),
        [
            (row["level"], *(percent(row[key]) for key in ("share", "outcome_share", "share_of_outcomes")))
            for row in prompts["levels"]
        ],
    )
    _print(
        console,
        "Workload: the score alone",
        ("capacity", "precision", "sensitivity", "prompts for one outcome"),
        [
            (
                f"{row['capacity']:.0%}",
                percent(row["precision"]),
                percent(row["sensitivity"]),
                number(row["prompts_for_each_outcome_found"], 1),
            )
            for row in workload
        ],
    )
    _print(
        console,
        "When less is recorded (threshold unchanged)",
        ("", "AUC", "log loss", "over the threshold"),
        _robustness_rows(evaluation),
    )
    _say(console, "calibration: ", f"ECE {number(evaluation['calibration']['ece'], 4)}")
    newest = evaluation["newest_period"]
    said = f"AUC {number(newest['auc'], 4)}, log loss {number(newest['log_loss'], 4)}" if newest["judged"] else ""
    _say(console, "newest part of the cases, held out: ", said or f"not judged: {newest['why']}")


def print_fairness(console: Console, fairness: Mapping[str, Any]) -> None:
    """One row a group, small ones named."""
    if not fairness["judged"]:
        console.print(f"fairness not judged: {fairness['why']}", markup=False, highlight=False, soft_wrap=True)
        return
    for characteristic in fairness["characteristics"]:
        _print(
            console,
            f"{characteristic['label']}, at the referral threshold (gaps are to {characteristic['reference']})",
            ("group", "cases", "selected", "sensitivity", "false positives", "observed/expected", "not known"),
            [_group_row(row) for row in characteristic["levels"]],
        )


def _robustness_rows(evaluation: Mapping[str, Any]) -> Iterable[tuple[str, ...]]:
    robustness, shift = evaluation["robustness"], evaluation["shift"]
    rows = [
        ("as recorded", robustness["as_recorded"]),
        *((f"nothing from: {row['label']}", row) for row in robustness["without_agency"]),
        *((f"{row['share']:.0%} of answers lost", row) for row in robustness["at_random"]),
        ("another authority: before", shift["as_recorded"]),
        ("another authority: half as often", shift["recorded_less"]),
    ]
    for name, row in rows:
        yield name, number(row["auc"], 3), number(row["log_loss"], 4), percent(row["share_over_threshold"])


def _group_row(row: Mapping[str, Any]) -> tuple[str, ...]:
    not_known = row["not_known"]
    return (
        row["level"],
        WITHHELD if row["cases"] is None else str(row["cases"]),
        *(percent(row[name]) for name in ("selection_rate", "sensitivity", "false_positive_rate")),
        number(row["observed_to_expected"], 2),
        percent(not_known["all"]) if not_known else WITHHELD,
    )


def percent(figure: Figure) -> str:
    """`4.9 % (4.4 to 5.5)`, or a dash where the figure is withheld or not defined."""
    return _words(figure, 100, 1, " %")


def number(figure: Figure, digits: int) -> str:
    """`0.812 (0.790 to 0.835)`, or a dash."""
    return _words(figure, 1, digits, "")


def _words(figure: Figure, times: float, digits: int, unit: str) -> str:
    value, low, high = (figure[key] for key in ("value", "low", "high")) if figure else (None, None, None)
    if value is None:
        return WITHHELD
    if low is None or high is None:
        return f"{value * times:.{digits}f}{unit}"
    return f"{value * times:.{digits}f}{unit} ({low * times:.{digits}f} to {high * times:.{digits}f})"


def _say(console: Console, name: str, figures: str) -> None:
    legend = f" ({LEGEND})" if WITHHELD in figures.replace(",", "").split() else ""
    console.print(f"{name}{figures}{legend}", markup=False, highlight=False, soft_wrap=True)


def _print(console: Console, title: str, columns: Iterable[str], rows: Iterable[tuple[str, ...]]) -> None:
    rows = list(rows)
    legend = LEGEND if any(WITHHELD in row for row in rows) else None
    table = Table(title=title, title_justify="left", caption=legend, caption_justify="left")
    for position, column in enumerate(columns):
        table.add_column(column, justify="right" if position else "left")
    for row in rows:
        table.add_row(*row)
    console.print(table, markup=False)
