"""Lock-out of guessing: an address that sends key after key or token after token that is not accepted must wait.

A key has 256 random bits, so no guess can succeed; what this stops is the noise, and a sender that never looks at its
401s. It answers the guesses alone: whoever sends a key that is accepted is served, from the same address too.
"""

from __future__ import annotations

from service.access.moving_window import MovingWindow
from service.errors import Problem, problem
from service.running.telemetry import logger

RATE = "20/minute"
"""Refused keys and tokens from one address to one worker, before each further one is answered 429."""
GUESSED = frozenset({"unknown_key", "token_refused"})


class Guesses:
    """Counts refused keys by the sender's address, in this worker's memory."""

    def __init__(self, rate: str = RATE) -> None:
        self._window = MovingWindow(rate)

    def counted(self, refusal: Problem, address: str | None) -> Problem:
        """The refusal of a key that is not accepted, or 429 with Retry-After after too many; others as they are."""
        if refusal.code not in GUESSED:
            return refusal
        sender = address or "unknown"
        seconds = self._window.wait(sender)
        if seconds is None:
            return refusal
        logger().warning("keys_guessed", address=sender)
        return problem("too_many_guesses", Retry_After=str(seconds))
