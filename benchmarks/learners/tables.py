"""The figures as ratio tables: one a set, one of the means, and the differences with their intervals."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
from rich.console import Console
from rich.table import Table

from benchmarks.figures import print_aim, print_note, ratio_table
from benchmarks.learners.comparison import Difference, in_a_set, over_sets
from benchmarks.learners.opponents import EBM
from benchmarks.learners.ours import OURS, WITHOUT_FLOOR

Measured = Mapping[str, Any]

COLUMNS = (
    "learner", "log loss", "× ours", "AUC", "avg prec.", "slope", "ECE", "seconds", "× ours", "MB",
)  # fmt: skip
MARGINS = {"log_loss": 0.001, "auc": 0.002}
"""How much worse still counts as no worse: our choice, made before the full measurement; the AUC's is the room that the
aim leaves below the oracle."""
REGRET_AIM = 0.002
NOTE = (
    "slope 1 is ideal; ECE is never negative, so chance alone raises it; regret: AUC below the oracle's; seconds are "
    "of the processor, one thread; MB: the fit's peak over its data and libraries"
)


@dataclass(frozen=True, slots=True)
class SetResults:
    """One set: what every learner reached in each repeat. A learner that failed is not in `measured`."""

    name: str
    about: str
    test_to_fit: float
    measured: Mapping[str, Sequence[Measured]]

    def mean(self, learner: str, measure: str) -> float:
        return float(np.mean([repeat[measure] for repeat in self.measured[learner]]))

    def differences(self, learner: str, other: str, measure: str) -> list[float]:
        """`learner` less `other`, repeat by repeat."""
        pairs = zip(self.measured[learner], self.measured[other], strict=True)
        return [float(mine[measure] - theirs[measure]) for mine, theirs in pairs]

    @property
    def has_oracle(self) -> bool:
        return all("regret" in repeat for repeats in self.measured.values() for repeat in repeats)


def set_table(results: SetResults) -> Table:
    """Means over the repeats of one set."""
    columns = [*COLUMNS, "regret"] if results.has_oracle else COLUMNS
    rows = []
    title = f"{results.name}: {results.about}"
    if results.has_oracle:
        title += f"; the oracle's AUC is {results.mean(next(iter(results.measured)), 'oracle_auc'):.4f}"
    for learner in results.measured:
        row = _row(learner, [results])
        rows.append([*row, f"{results.mean(learner, 'regret'):.4f}"] if results.has_oracle else row)
    return ratio_table(title, columns, rows)


def mean_table(sets: Sequence[SetResults]) -> Table:
    """Means over the sets, of the learners that answered in all of them."""
    learners = [name for name in sets[0].measured if all(name in each.measured for each in sets)]
    title = f"mean of {len(sets)} sets (seconds and megabytes: geometric mean)"
    return ratio_table(title, COLUMNS, [_row(learner, sets) for learner in learners])


def difference_table(sets: Sequence[SetResults], learner: str, other: str) -> Table:
    """`learner` less `other`, a set a row and their mean, with 95 % intervals."""
    rows = []
    for each in sets:
        found = [
            in_a_set(each.differences(learner, other, measure), each.test_to_fit) for measure in ("log_loss", "auc")
        ]
        rows.append([each.name, *map(_interval, found)])
    rows.append(["mean", *(_interval(_over(sets, learner, other, measure)) for measure in ("log_loss", "auc"))])
    columns = ["set", "log loss (below 0: better)", "AUC (above 0: better)"]
    return ratio_table(f"{learner} less {other}, 95 % intervals (Nadeau and Bengio 2003)", columns, rows)


def print_results(console: Console, sets: Sequence[SetResults]) -> None:
    """Every table, and the aims beside their figures."""
    for results in sets:
        console.print(set_table(results))
    if len(sets) > 1:
        console.print(mean_table(sets))
    for other in (EBM, WITHOUT_FLOOR):
        both = [each for each in sets if OURS in each.measured and other in each.measured]
        if both:
            console.print(difference_table(both, OURS, other))
    _print_aims(console, sets)


def _print_aims(console: Console, sets: Sequence[SetResults]) -> None:
    both = [each for each in sets if OURS in each.measured and EBM in each.measured]
    if both:
        loss, auc = (_over(both, OURS, EBM, measure) for measure in ("log_loss", "auc"))
        print_aim(console, f"mean log loss at most that of {EBM}", f"{loss.mean:+.5f}", loss.mean <= 0)
        print_aim(console, f"mean AUC at least that of {EBM}", f"{auc.mean:+.4f}", auc.mean >= 0)
        if np.isfinite(loss.high):
            aim = f"no worse than {EBM} by {MARGINS['log_loss']} log loss, the interval included"
            print_aim(console, aim, f"at most {loss.high:+.5f}", loss.high <= MARGINS["log_loss"])
            aim = f"no worse than {EBM} by {MARGINS['auc']} AUC, the interval included"
            print_aim(console, aim, f"at least {auc.low:+.4f}", auc.low >= -MARGINS["auc"])
        ratio = _geometric(both, OURS, "seconds") / _geometric(both, EBM, "seconds")
        print_aim(console, f"no more seconds than {EBM}", f"{ratio:.2f} times", ratio <= 1)
    for each in sets:
        if each.has_oracle and OURS in each.measured:
            regret = each.mean(OURS, "regret")
            print_aim(
                console, f"within {REGRET_AIM} AUC of the oracle ({each.name})", f"{regret:.4f}", regret <= REGRET_AIM
            )
    print_note(console, NOTE)


def _row(learner: str, sets: Sequence[SetResults]) -> list[str]:
    def mean(measure: str, name: str = learner) -> float:
        return float(np.mean([each.mean(name, measure) for each in sets]))

    seconds, megabytes = _geometric(sets, learner, "seconds"), _geometric(sets, learner, "megabytes")
    known = all(OURS in each.measured for each in sets)
    return [
        learner,
        f"{mean('log_loss'):.5f}",
        f"{mean('log_loss') / mean('log_loss', OURS):.4f}" if known else "",
        f"{mean('auc'):.4f}",
        f"{mean('average_precision'):.4f}",
        f"{mean('calibration_slope'):.2f}",
        f"{mean('ece'):.4f}",
        f"{seconds:.1f}",
        f"{seconds / _geometric(sets, OURS, 'seconds'):.2f}" if known else "",
        f"{megabytes:.0f}",
    ]


def _geometric(sets: Sequence[SetResults], learner: str, measure: str) -> float:
    """Of several sets the geometric mean, so that no set's size decides; of one set its own mean."""
    return float(np.exp(np.mean([np.log(max(each.mean(learner, measure), 1e-3)) for each in sets])))


def _over(sets: Sequence[SetResults], learner: str, other: str, measure: str) -> Difference:
    return over_sets([(each.differences(learner, other, measure), each.test_to_fit) for each in sets])


def _interval(found: Difference) -> str:
    if not np.isfinite(found.high):
        return f"{found.mean:+.5f} (one repeat: no interval)"
    return f"{found.mean:+.5f} ({found.low:+.5f} to {found.high:+.5f})"
