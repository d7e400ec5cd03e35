"""Whether the port can be listened on, asked before anything else; with the standard library alone, and any Python 3.

`make run` asks it before there is an environment: a newcomer whose port is taken learns it at once, and not after the
first training.
"""

from __future__ import annotations

import errno
import os
import socket
import sys


def why_not(host: str, port: int) -> str:
    """Why nothing can listen there, in one line with the fix; empty where something can."""
    family = socket.AF_INET6 if ":" in host else socket.AF_INET
    with socket.socket(family) as probe:
        probe.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        try:
            probe.bind((host, port))
        except OSError as error:
            another = 8001 if port != 8001 else 8002
            if error.errno == errno.EADDRINUSE:
                return f"port {port} on {host} is taken; stop what uses it, or: make run PORT={another}"
            return f"port {port} on {host} cannot be used ({error.strerror}); set PORT or GROUNDS_HOST"
    return ""


def _asked(text: str) -> str:
    if not text.isdecimal() or not 1 <= int(text) <= 65_535:
        return "PORT: set a whole number from 1 to 65535"
    return why_not(os.environ.get("GROUNDS_HOST") or "127.0.0.1", int(text))


if __name__ == "__main__":
    said = _asked(sys.argv[1])
    if said:
        print(f"error: {said}", file=sys.stderr)
        sys.exit(1)
