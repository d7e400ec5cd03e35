"""Holds the house rules that no linter knows: file sizes, forbidden names, nothing of this machine in a commit."""

from __future__ import annotations

import re
import subprocess
import sys
from pathlib import Path

LONGEST = 300
TOO_VAGUE = {"utils", "helpers", "manager", "misc", "common"}
# Written in pieces, so that this file does not find itself.
FORBIDDEN = re.compile(
    r"p"
    r"ypi\.org|python"
    r"hosted|registry\.n"
    r"pmjs|deb\.deb"
    r"ian\.org|(?<![\w.])/(?:wo"
    r"rk|ro"
    r"ot|ho"
    r"me)/"
)


def problems() -> list[str]:
    """One line a broken rule, for all files that git tracks or would."""
    listed = subprocess.run(
        ["git", "ls-files", "-co", "--exclude-standard"], capture_output=True, text=True, check=True
    ).stdout.splitlines()
    found = []
    for path in map(Path, listed):
        if not path.is_file():
            continue
        if path.stem in TOO_VAGUE:
            found.append(f"{path}: name says nothing; name the idea it holds")
        if path.suffix in {".gz", ".parquet", ".png"}:
            continue
        text = path.read_text(encoding="utf-8")
        lines = text.count("\n")
        if path.suffix in {".py", ".html", ".css"} and lines > LONGEST:
            found.append(f"{path}: {lines} lines; {LONGEST} is the limit: split it by idea")
        for number, line in enumerate(text.splitlines(), 1):
            if FORBIDDEN.search(line):
                found.append(f"{path}:{number}: names a registry's host or a path of one machine")
    return found


if __name__ == "__main__":
    broken = problems()
    print("\n".join(broken))
    sys.exit(bool(broken))
