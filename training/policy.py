"""The numbers that a governance board chooses for training (`policy.toml`)."""

from __future__ import annotations

import tomllib
from dataclasses import dataclass
from pathlib import Path

POLICY_FILE = Path(__file__).with_name("policy.toml")


@dataclass(frozen=True, slots=True)
class DataPolicy:
    """`disclosure_threshold` is cases, `k` families (or cases). `leakage_auc` is from 0.5 to 1, `leakage_events` cases,
    `dated_after` a share of cases from 0 to 1, `proxy_uncertainty` a share of entropy from 0 to below 1."""

    disclosure_threshold: int
    k: int
    leakage_auc: float
    leakage_events: int
    dated_after: float
    proxy_uncertainty: float

    def count(self, cases: int) -> int | None:
        """A count as it may be released: None under the disclosure threshold, none at all included."""
        return cases if cases >= self.disclosure_threshold else None


def read_policy(path: Path = POLICY_FILE) -> DataPolicy:
    """Reads the policy file. Raises ValueError with one line that names file, key and fix."""
    try:
        raw = tomllib.loads(path.read_text(encoding="utf-8"))
        leakage = raw["leakage"]
        policy = DataPolicy(
            disclosure_threshold=int(raw["disclosure_threshold"]),
            k=int(raw["k"]),
            leakage_auc=float(leakage["auc"]),
            leakage_events=int(leakage["events"]),
            dated_after=float(leakage["dated_after"]),
            proxy_uncertainty=float(raw["proxies"]["uncertainty"]),
        )
    except (KeyError, TypeError) as error:
        raise ValueError(f"{path}: {error}: is missing or not a number; see the shipped policy.toml") from None
    if policy.disclosure_threshold < 1 or policy.k < 2 or policy.leakage_events < 2:
        raise ValueError(f"{path}: disclosure_threshold must be at least 1, k and leakage.events at least 2")
    if not 0.5 < policy.leakage_auc <= 1 or not 0 <= policy.dated_after <= 1:
        raise ValueError(f"{path}: leakage.auc must be above 0.5 and at most 1, leakage.dated_after from 0 to 1")
    if not 0 <= policy.proxy_uncertainty < 1:
        raise ValueError(f"{path}: proxies.uncertainty must be from 0 to below 1")
    return policy


POLICY = read_policy()
"""The shipped policy, read once."""
