"""A machine whose disk is slow and whose clock is wrong at a word, for the processes that are started on it."""

from __future__ import annotations

import mmap
import struct
import subprocess
from pathlib import Path

_SOURCE = Path(__file__).with_name("disk_and_clock.c")
_FORM = "=qq"


class Machine:
    """Compiles the library that the processes preload; what it does then is in a file that all of them look at."""

    def __init__(self, folder: Path) -> None:
        """`folder` is one that every user may read. Raises `CalledProcessError` where nothing can be compiled."""
        self._library = folder / "disk_and_clock.so"
        compiler = ["gcc", "-shared", "-fPIC", "-O2", "-Wall", "-Werror", "-o", str(self._library), str(_SOURCE)]
        subprocess.run(compiler, check=True)
        self._file = folder / "machine"
        self._file.write_bytes(struct.pack(_FORM, 0, 0))
        self._file.chmod(0o644)
        with self._file.open("r+b") as file:
            self._shared = mmap.mmap(file.fileno(), struct.calcsize(_FORM))

    @property
    def environment(self) -> dict[str, str]:
        """What a process needs in its environment to run on this machine, as do all that it starts."""
        return {"LD_PRELOAD": str(self._library), "SOAK_MACHINE": str(self._file)}

    def slow_disk(self, milliseconds: int) -> None:
        """Each sync from now on takes that much longer; 0 ends it."""
        struct.pack_into("=q", self._shared, 0, milliseconds)

    def set_clock(self, seconds: int) -> None:
        """From now on the clock is that much fast, or slow where it is negative; 0 is right."""
        struct.pack_into("=q", self._shared, 8, seconds)

    def close(self) -> None:
        """Lets go of the file."""
        self._shared.close()
