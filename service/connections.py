"""The connections of this process to its clients, as the kernel knows them: who is waited for, and since when.

The server hands a request on with the address that it came from, and not with its connection; what reads a body cannot
be interrupted, but a connection can be ended, and then there is nothing to wait for. Which one to end is told by what
was last sent and received on it (Linux, `TCP_INFO`).
"""

from __future__ import annotations

import os
import socket
import stat
import struct
from collections.abc import Iterator
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path

_LAST_SENT, _LAST_RECEIVED = 44, 52
"""Where in `struct tcp_info` stand the milliseconds since data was last sent and received."""
_LENGTH = 104


@dataclass(frozen=True, slots=True)
class Connection:
    """A client's connection. `address` is theirs; seconds since data was `sent` to them and `received` from them.

    `number` is the socket's own, which no other socket has at the same time.
    """

    number: int
    address: str
    sent: float
    received: float
    socket: socket.socket

    def end(self) -> None:
        """Ends it both ways: whoever reads from it gets no more."""
        with suppress(OSError):  # the client was first
            self.socket.shutdown(socket.SHUT_RDWR)


def connections(port: int) -> Iterator[Connection]:
    """The connections to that port of ours. Each is good until the next is asked for."""
    for file in Path("/proc/self/fd").iterdir():
        with suppress(OSError):  # it was closed since, or is no connection
            yield from _connection(int(file.name), port)


def _connection(descriptor: int, port: int) -> Iterator[Connection]:
    if not stat.S_ISSOCK(os.fstat(descriptor).st_mode):
        return
    # A copy: the server may close its own meanwhile and get the number again for another one.
    copy = os.dup(descriptor)
    try:
        number = os.fstat(copy).st_ino
        found = socket.socket(fileno=copy)
    except OSError:
        os.close(copy)
        raise
    with found:
        if found.type != socket.SOCK_STREAM or found.family not in (socket.AF_INET, socket.AF_INET6):
            return
        if found.getsockname()[1] != port:
            return
        address = found.getpeername()[0]  # raises where it only listens
        told = found.getsockopt(socket.IPPROTO_TCP, socket.TCP_INFO, _LENGTH)
        sent, received = (struct.unpack_from("=I", told, place)[0] / 1000 for place in (_LAST_SENT, _LAST_RECEIVED))
        yield Connection(number, str(address).partition("%")[0], sent, received, found)
