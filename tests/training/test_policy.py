"""The policy file is what governance reads: the shipped numbers, and one clear line where a number cannot be used."""

from __future__ import annotations

from pathlib import Path

import pytest

from training.fit.binning import SMALLEST_BIN
from training.policy import POLICY, POLICY_FILE, read_policy


def test_the_shipped_policy_and_the_learners_bins_agree() -> None:
    assert (POLICY.disclosure_threshold, POLICY.k, POLICY.leakage_auc) == (10, 5, 0.98)
    assert POLICY.disclosure_threshold <= SMALLEST_BIN


def test_a_count_under_the_threshold_is_not_released_nor_is_none_at_all() -> None:
    assert [POLICY.count(cases) for cases in (0, 1, 9, 10, 500)] == [None, None, None, 10, 500]


@pytest.mark.parametrize(
    ("before", "after", "fault"),
    [
        ("k = 5", "", "'k': is missing"),
        ("k = 5", "k = 1", "k and leakage.events at least 2"),
        ("disclosure_threshold = 10", "disclosure_threshold = 0", "disclosure_threshold must be at least 1"),
        ("auc = 0.98", "auc = 98", "leakage.auc must be above 0.5 and at most 1"),
        ("uncertainty = 0.1", "uncertainty = 1.0", "proxies.uncertainty must be from 0 to below 1"),
        ("[leakage]", "[leak]", "'leakage': is missing"),
    ],
)
def test_a_policy_that_cannot_be_used_is_one_line(tmp_path: Path, before: str, after: str, fault: str) -> None:
    text = POLICY_FILE.read_text(encoding="utf-8")
    assert before in text
    path = tmp_path / "policy.toml"
    path.write_text(text.replace(before, after, 1), encoding="utf-8")
    with pytest.raises(ValueError, match=r"policy\.toml: ") as caught:
        read_policy(path)
    assert fault in str(caught.value)
    assert "\n" not in str(caught.value)
