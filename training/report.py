"""What a training run tells the person who ran it: figures with intervals, exactness, gates."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING

from rich.console import Console
from rich.table import Table

from model.account.measured import MEASURES
from model.artefact import MODEL_FILE
from training.release.gate import Gate
from training.report_quality import print_fairness, print_quality

if TYPE_CHECKING:  # the pipeline takes seconds to import, and a release does not need it
    from training.pipeline import Trained


def print_report(console: Console, trained: Trained, folder: Path) -> None:
    """Prints the evaluation on held-out cases, the checks of exactness, and where the model is."""
    evaluation, training = trained.facts["evaluation"], trained.facts["training"]
    rows = f"{evaluation['held_out_rows']} cases"
    if training["grouped"]:
        title, unit = f"Held-out families: {evaluation['held_out_families']} ({rows})", "family"
    else:
        title, unit = f"Held-out: {rows}, families not named", "case; siblings may be on both sides"
    table = Table(title=title, caption=f"95 % bootstrap intervals by {unit}")
    table.add_column("")
    for name in trained.measured:
        table.add_column(name, justify="right")
    for measure in MEASURES:
        figures = [trained.measured[name][measure] for name in trained.measured]
        table.add_row(measure.replace("_", " "), *(f"{m.value:.4f}\n{m.low:.4f} to {m.high:.4f}" for m in figures))
    console.print(table)
    print_quality(console, evaluation)
    print_fairness(console, trained.facts["fairness"])
    weights = ", ".join(f"{name} {weight:.2f}" for name, weight in training["learners"].items())
    shap = training["shap"]
    for line in (
        f"learners and weights: {weights}",
        f"pairs of features with a table together: {_pairs(trained)}",
        f"table against the fitted estimators: {training['compile_difference']:.1e} log-odds at most",
        f"contributions against the shap library on {shap['cases']} cases: {shap['largest_difference']:.1e} at most "
        f"({', '.join(f'{part} {value:.1e}' for part, value in shap['by_part'].items())})",
        f"written: {folder / MODEL_FILE} ({len(trained.data) // 1024} kB)",
    ):
        console.print(line, markup=False, highlight=False, soft_wrap=True)


def _pairs(trained: Trained) -> str:
    terms = trained.estimators.table_.terms
    names = [
        f"{terms[pair.first].spec.name} with {terms[pair.second].spec.name}" for pair in trained.estimators.table_.pairs
    ]
    return ", ".join(names) or "none"


def print_gates(console: Console, gates: Sequence[Gate]) -> None:
    """Prints one line a gate: its figure, its limit, pass, fail or overridden."""
    table = Table(title="Gates")
    for column in ("gate", "figure", "limit", ""):
        table.add_column(column)
    for gate in gates:
        table.add_row(
            gate.name, gate.figure, gate.limit, "pass" if gate.passed else "OVERRIDDEN" if gate.overridden else "FAIL"
        )
    console.print(table)
