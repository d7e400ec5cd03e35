"""The model beside each other way of scoring, on the same resamples of the same families.

Two figures whose intervals overlap may still differ beyond doubt: both move together from one resample to the next. So
the difference is taken within each resample, and its interval is of the difference itself.
"""

from __future__ import annotations

from collections.abc import Mapping

from training.judge.resample import Floats, Measured, summary

COMPARED = ("auc", "log_loss")


def differences(samples: Mapping[str, Mapping[str, Floats]], ours: str) -> dict[str, dict[str, Measured]]:
    """Ours less each other's, by name and measure, from samples (1 + resamples,) over shared draws."""
    return {
        name: {measure: summary(samples[ours][measure] - of[measure]) for measure in COMPARED}
        for name, of in samples.items()
        if name != ours
    }
