"""The synthetic cohort: families whose every figure is published or stated as an assumption, with a known truth.

No row stands for a real person. A model trained on it shows how Grounds works and must not be used about a child.
The parts, in the order of their use: `cohort_plan` (reads `cohort.toml`), `cohort_draw` (families and true answers),
`cohort_truth` (outcome, and what is not known), `cohort_oracle` (the best prediction from what is known),
`cohort_rows` (the file) and `cohort_report` (odds ratios beside the published ones).
"""

from __future__ import annotations

from training.cases.cohort_report import crude_odds_ratios, ground_shares, odds_ratio_report, unknown_shares
from training.cases.cohort_rows import COHORT_FILE, TRUTH_FILE, Cohort, make_cohort, write_cohort

__all__ = [
    "COHORT_FILE", "TRUTH_FILE", "Cohort", "crude_odds_ratios", "ground_shares", "make_cohort", "odds_ratio_report",
    "unknown_shares", "write_cohort",
]  # fmt: skip
