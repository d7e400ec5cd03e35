"""`overrides.json`: which gates of quality a model was released in spite of, why, and on whose word.

It lies beside `model.json`, under the same signature. Codes only: no text, and no person's name.
"""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass

from model.artefact import ArtefactError

FORMAT = 1
OVERRIDES_FILE = "overrides.json"

OVERRIDABLE: Mapping[str, str] = {
    "families_named": "families named",
    "enough_events": "enough events",
    "enough_held_out_events": "enough held-out events",
    "no_worse_than_logistic_regression": "no worse than logistic regression",
    "no_worse_than_released": "no worse than the released model",
    "no_synthetic_in_place_of_real": "no synthetic model in place of a real one",
    "calibration": "calibration",
    "anonymity": "anonymity of the training rows",
    "fairness_gaps": "fairness gaps",
}
"""The gates of quality: code and name. The others hold the promises to whoever reads an explanation: no one may lift
them."""

DEMONSTRATION = "demonstration_only"
ONLY_FOR: Mapping[str, str] = {"no_synthetic_in_place_of_real": DEMONSTRATION}
"""Gates that one reason alone may lift: no practice, silent or not, has a use for a model that learned from nobody."""

REASONS: Mapping[str, str] = {
    DEMONSTRATION: "Shown to people and used about nobody",
    "silent_pilot": "Runs beside practice; no practitioner sees a prompt",
    "small_population": "The area is too small to reach the limit; accepted with the wider intervals",
    "governance_decision": "Decided and minuted by the organisation's own governance",
}
ROLES: Mapping[str, str] = {
    "data_scientist": "Data scientist",
    "safeguarding_lead": "Safeguarding lead",
    "clinical_safety_officer": "Clinical safety officer",
    "information_governance_lead": "Information governance lead",
    "senior_responsible_owner": "Senior responsible owner",
}


@dataclass(frozen=True, slots=True)
class Override:
    """One gate that failed and was overridden: its code, what was found against which limit, why, by which role."""

    gate: str
    figure: str
    limit: str
    reason: str
    by: str


def write_overrides(overrides: Sequence[Override]) -> bytes:
    """The file's bytes, the same for the same overrides."""
    content = {"format": FORMAT, "overrides": [asdict(override) for override in overrides]}
    return (json.dumps(content, indent=1, ensure_ascii=False) + "\n").encode()


def read_overrides(data: bytes, where: str = OVERRIDES_FILE) -> tuple[Override, ...]:
    """The overrides in a file whose signature was checked. Raises `ArtefactError`."""
    try:
        raw = json.loads(data)
        overrides = tuple(Override(**row) for row in raw["overrides"])
    except (ValueError, KeyError, TypeError):
        raise ArtefactError(f"{where}: not a file of overridden gates; release the model again") from None
    for override in overrides:
        if override.gate not in OVERRIDABLE or override.reason not in REASONS or override.by not in ROLES:
            raise ArtefactError(f"{where}: names a gate, reason or role that this version does not know")
    if raw.get("format") != FORMAT or not overrides:
        raise ArtefactError(f"{where}: format: this version of Grounds reads format {FORMAT}, with at least one gate")
    return overrides
