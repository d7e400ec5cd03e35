"""The whole measurement on two small sizes, and how growth is worked out."""

from __future__ import annotations

import io
import json
from pathlib import Path

import pytest
from rich.console import Console

from benchmarks.scale.command import main
from benchmarks.scale.growth import exponent


def test_measures_the_real_command_by_stage(tmp_path: Path) -> None:
    out, printed = tmp_path / "figures.jsonl", io.StringIO()
    assert main(["--rows", "2000", "--jobs", "1", "--out", str(out)], Console(file=printed, width=120)) == 0
    (run,) = [json.loads(line) for line in out.read_text().splitlines()]
    stages = {stage["name"]: stage for stage in run["stages"]}
    assert run["rows"] == 2000
    assert {"reading and checking cases", "judged model: out of fold", "refits"} <= set(stages)
    assert all(stage["seconds"] > 0 for stage in stages.values())
    assert 1e8 < max(stage["peak"] for stage in stages.values()) < 8e9
    assert "2,000 rows: reading and checking cases: " in printed.getvalue()  # told when it ended, not only at the end
    assert "Training on 2,000 rows" in printed.getvalue()
    assert "refits" in printed.getvalue()


def test_a_run_that_fails_is_told_and_gives_no_figures(tmp_path: Path) -> None:
    printed = io.StringIO()
    assert main(["--rows", "5", "--jobs", "1"], Console(file=printed, width=120)) == 1
    assert "error: training on 5 rows failed" in printed.getvalue()
    assert "How training grows" not in printed.getvalue()


def test_growth_is_the_power_of_rows() -> None:
    assert exponent([10, 100, 1000], [2.0, 20.0, 200.0]) == pytest.approx(1.0)
    assert exponent([10, 100], [1.0, 100.0]) == pytest.approx(2.0)
    assert exponent([10, 1000], [5.0, 5.0]) == pytest.approx(0.0, abs=1e-12)
