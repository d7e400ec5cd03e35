"""A base that was not made whole is never built on: debootstrap may fail or be killed half way through."""

from __future__ import annotations

import os
import subprocess
from pathlib import Path

import pytest

BUILD = Path(__file__).with_name("build")
HALF_WAY = """#!/bin/sh
# As the real one: fills the folder named last, step by step.
for folder; do :; done
mkdir -p "$folder/usr/local/bin" && touch "$folder/$$"
{end}
"""


@pytest.fixture
def build(tmp_path):
    """Builds with a debootstrap that ends as it is told, a buildah that refuses all, and nothing done in the base."""
    tools = tmp_path / "tools"
    tools.mkdir()
    written(tools / "buildah", "#!/bin/sh\necho buildah was asked >&2\nexit 1\n")
    written(tools / "chroot", "#!/bin/sh\n")

    def build(end):
        written(tools / "debootstrap", HALF_WAY.format(end=end))
        environment = {**os.environ, "PATH": f"{tools}:{os.environ['PATH']}"}
        work = tmp_path / "work"
        work.mkdir(exist_ok=True)
        return work, subprocess.run([BUILD, work], env=environment, capture_output=True, text=True, timeout=60)

    return build


def written(path, text):
    path.write_text(text)
    path.chmod(0o755)


@pytest.mark.parametrize("end", ["echo no such suite; exit 1", "kill -9 $$"])
def test_a_base_that_was_cut_off_is_made_anew(build, end):
    for _ in range(2):
        work, done = build(end)
        assert done.returncode != 0
        assert "buildah was asked" not in done.stderr
        assert not (work / "base").exists()
    work, done = build("exit 0")
    assert "buildah was asked" in done.stderr
    assert len([file for file in (work / "base").iterdir() if file.is_file()]) == 1, "what was cut off is not in it"


def test_a_base_that_is_whole_is_taken_again(build):
    build("exit 0")
    work, done = build("exit 1")
    assert "buildah was asked" in done.stderr
    assert (work / "base").is_dir()
