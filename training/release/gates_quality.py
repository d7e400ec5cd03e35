"""Gates on what was measured: calibration, anonymity of the training rows, gaps between groups.

The limits are choices and named as such. What could have been measured and was not has not passed: a person has to lift
the gate on record. Of each characteristic that is watched, a group at least must have been large enough to compare.
Where the dictionary marks nothing to measure, the gate passes and says just that, here and on the card; and so it does
for a model learned from synthetic cases, where no row is a person.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Any

from model.account.fairness import GAPS
from model.additive import AdditiveModel
from model.overrides import OVERRIDABLE
from training.release.gate import Gate

SLOPE = (0.8, 1.2)
"""Calibration slope. Riley and others (2019) plan for a shrinkage of at least .9; this is twice the distance."""
INTERCEPT = 0.2
"""Calibration in the large, log-odds: the odds of the outcome off by a fifth. Slope and intercept together are what
Van Calster and others (2016) call weak calibration, the least that a model in use should have."""


def quality_gates(model: AdditiveModel) -> list[Gate]:
    """The gates on what was measured, from the model's facts. Raises KeyError or TypeError without an evaluation."""
    return [_calibration(model), _anonymity(model), _fairness(model)]


def _calibration(model: AdditiveModel) -> Gate:
    figures = model.facts["evaluation"]["grounds"]
    slope, intercept = figures.get("calibration_slope", {}), figures.get("calibration_intercept", {})
    known = _defined(slope) and _defined(intercept)
    passed = known and meets(slope, *SLOPE) and meets(intercept, -INTERCEPT, INTERCEPT)
    said = f"slope {_interval(slope)}, intercept {_interval(intercept)}" if known else "not measured"
    limit = f"intervals reach slope {SLOPE[0]} to {SLOPE[1]}, intercept -{INTERCEPT} to {INTERCEPT}"
    return Gate(OVERRIDABLE["calibration"], said, limit, passed)


def _anonymity(model: AdditiveModel) -> Gate:
    facts = model.facts.get("anonymity") or model.facts["training"].get("anonymity")
    name, limit = OVERRIDABLE["anonymity"], "0 rows in groups smaller than k"
    if model.synthetic:
        return Gate(name, "synthetic: no row is a person", limit, True)
    if not facts:
        return Gate(name, "not measured", limit, False)
    if "rows_below_k" not in facts:
        return Gate(name, facts["why"], limit, True)
    rows, k, counted = facts["rows_below_k"], facts["k"], facts.get("counted", "cases")  # once only cases were
    return Gate(name, f"{rows} rows, k = {k} {counted}", limit, rows == 0)


def _fairness(model: AdditiveModel) -> Gate:
    facts = model.facts.get("fairness") or {}
    name = OVERRIDABLE["fairness_gaps"]
    limit = "no interval wholly beyond " + ", ".join(f"{_words(rate)} {most}" for rate, most in GAPS.items())
    watched = facts.get("characteristics", ())
    if not watched:
        if facts.get("judged") is False:
            return Gate(name, f"not judged: {facts['why']}", limit, True)
        said = "synthetic: nobody to be fair to" if model.synthetic else "not measured"
        return Gate(name, said, limit, model.synthetic)
    unjudged = [one["name"] for one in watched if not any(_judged(level) for level in one["levels"])]
    found, parts = list(judged_gaps(facts)), [f"not measured: {', '.join(unjudged)}"] if unjudged else []
    beyond = [gap for gap in found if gap[0] > 1]
    if found:
        worst = max(beyond or found, key=lambda gap: gap[0])
        parts.append(f"{len(beyond)} of {len(found)} beyond; " + ("worst" if beyond else "nearest") + f": {worst[1]}")
    if few := _too_few(facts):
        parts.append(few)
    return Gate(name, "; ".join(parts), limit, not beyond and not unjudged)


def _judged(level: Mapping[str, Any]) -> bool:
    """Whether a group could be compared with the reference group by any rate that has a limit."""
    return any(_defined((level.get("gap") or {}).get(rate) or {}) for rate in GAPS)


def _too_few(fairness: Mapping[str, Any]) -> str:
    """How many groups, the reference groups apart, were too small to be compared; nothing where all were."""
    others = [
        level for one in fairness["characteristics"] for level in one["levels"] if level["level"] != one["reference"]
    ]
    few = sum(not _judged(level) for level in others)
    return f"{few} of {len(others)} groups too small to judge" if few else ""


def judged_gaps(fairness: Mapping[str, Any]) -> Iterator[tuple[float, str]]:
    """Each gap that could be judged: how many times its limit its interval's nearer end is, and the gap in words.

    0 where the interval holds no gap at all; above 1 where the data show a gap beyond the limit.
    """
    for characteristic in fairness.get("characteristics", ()):
        for level in characteristic["levels"]:
            for rate, most in GAPS.items():
                gap = (level.get("gap") or {}).get(rate)
                if gap is not None and _defined(gap):
                    nearer = max(gap["low"], -gap["high"], 0.0)
                    said = f"{characteristic['name']} {level['level']}, {_words(rate)} {_interval(gap)}"
                    yield nearer / most, said


def meets(figure: Mapping[str, float], low: float, high: float) -> bool:
    """Whether a figure's interval and the limits have a point in common."""
    return figure["low"] <= high and figure["high"] >= low


def _defined(figure: Mapping[str, float | None]) -> bool:
    return all(figure.get(key) is not None for key in ("value", "low", "high"))


def _interval(figure: Mapping[str, float]) -> str:
    return f"{figure['value']:.2f} ({figure['low']:.2f} to {figure['high']:.2f})"


def _words(rate: str) -> str:
    return rate.replace("_", " ")
