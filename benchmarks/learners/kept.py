"""What was measured, a line of JSON each, so that an interrupted run goes on where it stopped.

A line counts only for the very same task: the digest of the split's rows and outcomes, and the digest of what fits and
measures: our sources for ours, the opponents' file and the library's version for theirs.
"""

from __future__ import annotations

import hashlib
import json
from dataclasses import dataclass, field
from functools import cache
from importlib.metadata import PackageNotFoundError, version
from pathlib import Path
from typing import Any

from benchmarks.learners.opponents import EBM, EBM_PAIRS, OPPONENTS

ROOT = Path(__file__).parents[2]
MEASURING = ("benchmarks/learners/fit.py", "benchmarks/learners/scores.py")
OUR_SOURCES = ("training/fit/*.py", "benchmarks/learners/ours.py")
THEIR_SOURCES = ("benchmarks/learners/opponents.py", "training/judge/opponents.py", "training/fit/binning.py")
LIBRARIES = {
    EBM: "interpret-core",
    EBM_PAIRS: "interpret-core",
    "XGBoost": "xgboost-cpu",
    "LightGBM": "lightgbm",
    "points scorecard": "optbinning",
}
Key = tuple[str, ...]


@dataclass(slots=True)
class Kept:
    """The results in a file. `of` and `keep` take the key (set, repeat, learner, digest of the split)."""

    path: Path
    lines: dict[Key, dict[str, Any]] = field(default_factory=dict)

    @classmethod
    def read(cls, path: Path) -> Kept:
        """What is there; a last line that was cut off by an interruption is passed over."""
        kept = cls(path)
        for text in path.read_text(encoding="utf-8").splitlines() if path.exists() else ():
            try:
                line = json.loads(text)
            except json.JSONDecodeError:
                continue
            kept.lines[tuple(line["key"])] = line["measured"]
        return kept

    def of(self, name: str, repeat: int, learner: str, digest: str) -> dict[str, Any] | None:
        """What was measured for this task with these sources, or None."""
        return self.lines.get(_key(name, repeat, learner, digest))

    def keep(self, name: str, repeat: int, learner: str, digest: str, measured: dict[str, Any]) -> None:
        """Adds a line at once."""
        key = _key(name, repeat, learner, digest)
        self.path.parent.mkdir(parents=True, exist_ok=True)
        cut_off = self.path.exists() and not self.path.read_bytes().endswith(b"\n") and self.path.stat().st_size
        with self.path.open("a", encoding="utf-8") as file:
            file.write(("\n" if cut_off else "") + json.dumps({"key": key, "measured": measured}) + "\n")
        self.lines[key] = measured


def _key(name: str, repeat: int, learner: str, digest: str) -> Key:
    return name, str(repeat), learner, digest, made_by(learner)


@cache
def made_by(learner: str) -> str:
    """What decides a learner's answer besides its data: 16 hex digits over sources and library versions."""
    found = hashlib.sha256()
    for pattern in (*MEASURING, *(THEIR_SOURCES if learner in OPPONENTS else OUR_SOURCES)):
        for path in sorted(ROOT.glob(pattern)):
            found.update(path.read_bytes())
    for library in ("scikit-learn", LIBRARIES.get(learner, "numpy")):
        found.update(f"{library} {_version(library)}".encode())
    return found.hexdigest()[:16]


def _version(library: str) -> str:
    try:
        return version(library)
    except PackageNotFoundError:
        return "none"
