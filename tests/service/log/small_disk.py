"""A disk that can be full at a word: a file system in memory whose size is set anew, where mounting is permitted."""

from __future__ import annotations

import os
import subprocess
import time
from pathlib import Path

_ROOM = "size=1g"
_PATIENCE_SECONDS = 10


class SmallDisk:
    """Mounted at a folder until `remove`. Raises `OSError` where this machine does not permit that."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        self._mount("-t", "tmpfs", "-o", f"{_ROOM},mode=755", "tmpfs")

    def _mount(self, *arguments: str) -> None:
        done = subprocess.run(["mount", *arguments, str(self.folder)], capture_output=True, text=True, check=False)
        if done.returncode:
            raise OSError(done.stderr.strip())

    def fill(self) -> None:
        """No room beyond what is used now."""
        for again in reversed(range(100)):
            now = os.statvfs(self.folder)
            try:
                self._mount("-o", f"remount,size={(now.f_blocks - now.f_bfree) * now.f_frsize}")
            except OSError:  # more was used meanwhile
                if not again:
                    raise
            else:
                return

    def free(self) -> None:
        """Room again."""
        self._mount("-o", f"remount,{_ROOM}")

    def remove(self) -> None:
        """Unmounts; what is on it is gone. A process that was ended may hold a file of it for a moment longer."""
        for _ in range(_PATIENCE_SECONDS * 10):
            if not subprocess.run(["umount", str(self.folder)], capture_output=True, check=False).returncode:
                return
            time.sleep(0.1)
        subprocess.run(["umount", str(self.folder)], check=True)
