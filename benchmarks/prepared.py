"""A model to measure, in a folder of its own, so that no benchmark writes into the log of a real service."""

from __future__ import annotations

import os
import shutil
import subprocess
import sys
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

from rich.console import Console

from model.additive import AdditiveModel
from model.artefact import MODEL_FILE, read_model
from model.dictionary import shipped_dictionary
from service.access.keys import create_key
from service.model_files import RELEASE_PUBLIC_KEY, load_active

ESTIMATORS_FILE = "estimators.joblib"
FAMILIES = "50000"  # as many as make run takes: of fewer, gates of the release fail
"""Families of the small model that is fitted where there is none: the time of a prediction hardly depends on it, and
with fewer there are not the 100 events that a release needs."""
WORKED_CASE = Path("tests/golden/worked_case.json")


class NotPrepared(RuntimeError):
    """Nothing can be measured; one line with the fix."""


@dataclass(frozen=True, slots=True)
class Prepared:
    """A released model and the estimators behind it.

    `var` is the benchmark's own GROUNDS_VAR, on the disk that a service's would be on; `key` is a practitioner's.
    """

    model: AdditiveModel
    trained: Path
    var: Path
    key: str

    def environment(self, **more: str) -> dict[str, str]:
        """The environment of a service that uses this folder and nobody else's settings."""
        plain = {name: value for name, value in os.environ.items() if not name.startswith("GROUNDS_")}
        return {**plain, "GROUNDS_VAR": str(self.var), **more}


@contextmanager
def prepared(var: Path, console: Console) -> Iterator[Prepared]:
    """What is released in `var`, with its training run; or else a model fitted for the occasion."""
    if not WORKED_CASE.exists():
        raise NotPrepared(f"{WORKED_CASE} is not here; run this from the top folder of Grounds: make bench")
    var.mkdir(parents=True, exist_ok=True)
    with tempfile.TemporaryDirectory(prefix="benchmark-", dir=var) as folder:
        own = Path(folder)
        trained = var / "training"
        if _is_released(var, trained):
            shutil.copytree(var / "models", own / "models")
            (own / "keys").mkdir(mode=0o700)
            shutil.copy(var / "keys" / RELEASE_PUBLIC_KEY, own / "keys")
        else:
            trained = own / "training"
            console.print(f"fitting a model of {FAMILIES} synthetic families, as none is trained and released in {var}")
            _training("train", "--families", FAMILIES, "--out", str(trained))
            _training("release", str(trained), "--models", str(own / "models"), "--keys", str(own / "keys"))
        key, _ = create_key(own / "keys", "practitioner")
        yield Prepared(load_active(own / "models", own / "keys").model, trained, own, key)


def _is_released(var: Path, trained: Path) -> bool:
    """Whether the last training run is the active model, of the shipped dictionary (whose cohort is measured on)."""
    if not (var / "models" / "active").exists() or not (trained / ESTIMATORS_FILE).exists():
        return False
    active = load_active(var / "models", var / "keys").model
    last = read_model((trained / MODEL_FILE).read_bytes())
    return active.version == last.version and active.dictionary.raw == shipped_dictionary().raw


def _training(*arguments: str) -> None:
    done = subprocess.run([sys.executable, "-m", "training", *arguments], capture_output=True, text=True)
    if done.returncode:
        raise NotPrepared(f"training failed: {(done.stderr or done.stdout).strip().splitlines()[-1]}")
