"""The words of ASGI (version 3) in types."""

from __future__ import annotations

from collections.abc import Awaitable, Callable, Mapping
from typing import Any

Scope = Mapping[str, Any]
"""What is known of a request before its body."""
Receive = Callable[[], Awaitable[Mapping[str, Any]]]
"""Gives the next part of the body, or says that the sender is gone."""
Send = Callable[[Mapping[str, Any]], Awaitable[None]]
"""Takes the answer: its start, then its body."""
