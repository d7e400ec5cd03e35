"""An interrupted run goes on; a result counts for the very same task only."""

import json

from benchmarks.learners import kept as kept_module
from benchmarks.learners.kept import Kept, made_by
from benchmarks.learners.opponents import EBM
from benchmarks.learners.ours import OURS


def test_what_was_kept_is_found_again_and_only_for_its_task(tmp_path):
    path = tmp_path / "deep" / "learners.jsonl"
    Kept.read(path).keep("small", 0, OURS, "abc", {"auc": 0.7})
    again = Kept.read(path)
    assert again.of("small", 0, OURS, "abc") == {"auc": 0.7}
    for task in (
        ("other", 0, OURS, "abc"),
        ("small", 1, OURS, "abc"),
        ("small", 0, EBM, "abc"),
        ("small", 0, OURS, "abd"),
    ):
        assert again.of(*task) is None


def test_a_line_cut_off_is_passed_over_and_the_next_is_whole(tmp_path):
    path = tmp_path / "learners.jsonl"
    kept = Kept.read(path)
    kept.keep("small", 0, OURS, "abc", {"auc": 0.7})
    path.write_text(path.read_text() + '{"key": ["small", "1"', encoding="utf-8")
    after = Kept.read(path)
    after.keep("small", 2, OURS, "abc", {"auc": 0.8})
    assert len(Kept.read(path).lines) == 2
    assert json.loads(path.read_text().splitlines()[-1])["measured"] == {"auc": 0.8}


def test_a_changed_source_or_version_is_another_learner(monkeypatch):
    before = {name: made_by(name) for name in (OURS, EBM)}
    assert before[OURS] != before[EBM]
    made_by.cache_clear()
    monkeypatch.setattr(kept_module, "_version", lambda library: "99")
    assert made_by(EBM) != before[EBM]
    made_by.cache_clear()
    monkeypatch.setattr(kept_module, "OUR_SOURCES", ("training/fit/terms.py",))
    assert made_by(OURS) != before[OURS]
    made_by.cache_clear()
