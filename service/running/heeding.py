"""A stop or a reload is heeded by a thread that waits for nothing else.

The kernel may hand a process's signal to any of its threads, and Python runs handlers in the main thread alone.
granian's main thread waits without a limit, so a signal that another thread was given lay there until the next one
came: on a busy machine a worker served on for the 30 seconds after which it is killed, and the stop came late.
"""

from __future__ import annotations

import asyncio
import os
import signal
import threading
from collections.abc import Callable

_in_loop: dict[int, Callable[[], object]] = {}
stopping = threading.Event()
"""Set once this process was told to stop: what waits for senders may then wait less."""


def heed(*signals: signal.Signals) -> None:
    """Has the signals' handlers called by a thread of their own, whatever the main thread waits for.

    Call it in the main thread before any other is started: they are held back in this thread, and so in all that it
    starts. Handlers may be put in place later: the one called is the one there when a signal comes, and where there is
    none the process ends at once.
    """
    signal.pthread_sigmask(signal.SIG_BLOCK, signals)
    threading.Thread(target=_heed, args=(frozenset(signals),), name="signals", daemon=True).start()


def heed_in_loop(loop: asyncio.AbstractEventLoop, signum: signal.Signals) -> None:
    """Has an event loop's own handler of a signal called, once the loop runs; call it after `heed`.

    A loop calls its handlers when the signal itself comes to the main thread, and not when somebody calls what
    `signal.getsignal` gives: so the signal is sent there once more.
    """

    told = False

    def come() -> None:
        signal.pthread_sigmask(signal.SIG_UNBLOCK, {signum})
        signal.raise_signal(signum)
        signal.pthread_sigmask(signal.SIG_BLOCK, {signum})

    def tell() -> None:
        nonlocal told
        if not told:  # granian's handler waits, with the interpreter's lock, when it is called more than twice
            told = True
            loop.call_soon_threadsafe(come)

    _in_loop[signum] = tell


def _heed(signals: frozenset[signal.Signals]) -> None:
    while True:
        came = signal.sigwait(signals)
        if came == signal.SIGTERM:
            stopping.set()
        handler = signal.getsignal(came)
        if came in _in_loop and handler is not signal.SIG_DFL:
            _in_loop[came]()
        elif callable(handler):
            handler(came, None)
        elif handler is signal.SIG_DFL:
            # Nothing is served yet. Not by the signal itself: a handler put in place this moment would swallow it.
            os._exit(128 + came)
