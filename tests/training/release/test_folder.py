"""A release that is killed between any two of its steps leaves an active model whose signature fits."""

from __future__ import annotations

import os
import shutil
import sys
from pathlib import Path
from typing import Any

import pytest

from model.overrides import OVERRIDES_FILE
from service.model_files import load_active
from tests.training.conftest import Run
from tests.training.release.test_story import changed
from training.release.gates import NO_OVERRIDES, AskedOverrides
from training.release.released import ACTIVE, RELEASES, active_version
from training.release.rollback import rollback
from training.release.story import release
from training.writing import write_trained

ASKED = AskedOverrides(("enough_events",), "silent_pilot", "data_scientist")
KILLED = 9
MOST_STEPS = 200
WRITES = os.O_WRONLY | os.O_RDWR | os.O_CREAT | os.O_TRUNC


def changes_a_disk(event: str, arguments: tuple[Any, ...]) -> bool:
    """Whether an audit event of Python is one that changes what is on disk."""
    if event == "open":
        return bool(arguments[2] & WRITES)
    return event in ("os.rename", "os.remove", "os.rmdir", "os.mkdir", "os.link", "os.symlink")


def killed_at(step: int, trained: Path, folder: Path, asked: AskedOverrides) -> bool:
    """Releases in a process that ends just before its so manieth change on disk; False where it came to its end."""
    child = os.fork()
    if child == 0:
        left = step

        def count(event: str, arguments: tuple[Any, ...]) -> None:
            nonlocal left
            if changes_a_disk(event, arguments):
                left -= 1
                if left < 0:
                    os._exit(KILLED)

        try:
            sys.addaudithook(count)
            release(trained, folder / "models", folder / "keys", lambda gates: None, asked)
            os._exit(0)
        finally:
            os._exit(1)
    code = os.waitstatus_to_exitcode(os.waitpid(child, 0)[1])
    assert code in (0, KILLED)
    return code == KILLED


@pytest.mark.parametrize(("before", "after"), [(ASKED, NO_OVERRIDES), (NO_OVERRIDES, ASKED)])
def test_the_active_model_verifies_after_a_kill_at_any_step(
    run: Run, tmp_path: Path, before: AskedOverrides, after: AskedOverrides
) -> None:
    trained, start, folder = tmp_path / "trained", tmp_path / "start", tmp_path / "live"
    write_trained(run.trained, trained)
    changed(trained, {"version": "first-1"})
    release(trained, start / "models", start / "keys", lambda gates: None)
    events = {ASKED: 99, NO_OVERRIDES: 100}
    changed(trained, {"version": "second-1", "training.events": events[before]})
    release(trained, start / "models", start / "keys", lambda gates: None, before)
    changed(trained, {"training.events": events[after]})
    found = set()
    for step in range(MOST_STEPS):
        shutil.rmtree(folder, ignore_errors=True)
        shutil.copytree(start, folder)
        killed = killed_at(step, trained, folder, after)
        live = load_active(folder / "models", folder / "keys")
        assert live.model.version == active_version(folder / "models") == "second-1"
        found.add((len(live.overrides), live.model.facts["training"]["events"]))
        if killed:
            assert rollback(folder / "models", folder / "keys")[0] == "second-1"
            (folder / "models" / ACTIVE).write_bytes(b"%s\n" % live.folder.name.encode())
            release(trained, folder / "models", folder / "keys", lambda gates: None, after)
        assert load_active(folder / "models", folder / "keys").model.facts["training"]["events"] == events[after]
        names = {path.name for path in (folder / "models").iterdir() if path.is_dir() or not path.name.startswith(".")}
        assert names == {ACTIVE, RELEASES, "first-1", "second-1"}
        assert (folder / "models" / "second-1" / OVERRIDES_FILE).exists() == (after is ASKED)
        if not killed:
            break
    else:
        pytest.fail("the release never came to its end")
    assert step > 20
    assert found == {(len(one.gates), events[one]) for one in (before, after)}
