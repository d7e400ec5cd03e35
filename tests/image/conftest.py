"""The image, built for real by Debian's tools where there is no container engine; once for all its tests."""

from __future__ import annotations

import json
import shutil
import subprocess
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest

HERE = Path(__file__).parent
TOOLS = ("buildah", "debootstrap", "unshare", "npm")


@dataclass
class Image:
    """The root of the built image, and what its manifest says."""

    root: Path
    config: dict[str, Any]

    def command(self, volume: Path, *arguments: str) -> list[str]:
        """The command that runs `arguments` in the image, over a volume."""
        return [str(HERE / "enter"), str(self.root), str(volume), *arguments]

    def run(self, volume: Path, *arguments: str) -> subprocess.CompletedProcess[str]:
        return subprocess.run(self.command(volume, *arguments), capture_output=True, text=True, timeout=120)


@pytest.fixture(scope="session")
def image(tmp_path_factory) -> Image:
    missing = [tool for tool in TOOLS if shutil.which(tool) is None]
    assert not missing, f"{', '.join(missing)} not installed: make test installs them"
    folder = tmp_path_factory.mktemp("image")
    done = subprocess.run([str(HERE / "build"), str(folder)], capture_output=True, text=True, timeout=600)
    assert done.returncode == 0, (done.stdout + done.stderr)[-4000:]
    manifest = json.loads((folder / "image.json").read_text(encoding="utf-8"))
    return Image(folder / "root", manifest["Docker"]["config"])
