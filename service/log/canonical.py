"""Canonical JSON (RFC 8785): one value, one spelling, so that a hash over the bytes means the value."""

from __future__ import annotations

import re
from typing import Any

import orjson
import rfc8785

_OPTIONS = (
    orjson.OPT_SORT_KEYS
    | orjson.OPT_STRICT_INTEGER
    | orjson.OPT_PASSTHROUGH_DATACLASS
    | orjson.OPT_PASSTHROUGH_DATETIME
    | orjson.OPT_PASSTHROUGH_SUBCLASS
)
# orjson writes integral floats as 1.0 and chooses exponents at other magnitudes than RFC 8785. A number inside an
# object or array is followed by one of these three; a match inside a string only costs the slow path.
_INTEGRAL = re.compile(rb"\.0[,}\]]")
_LARGE = re.compile(rb"e\+[0-9]+[,}\]]")
_SMALL = re.compile(rb"e-[0-9]+[,}\]]")
if orjson.dumps([1e22, 1e-7, 1.0]) != b"[1e+22,1e-7,1.0]":
    raise ImportError("this orjson spells floats otherwise than service/log/canonical.py relies on; use the locked one")
# RFC 8785 sorts keys by UTF-16 unit, orjson by UTF-8 byte: they differ only where a character beyond U+FFFF occurs.
_ASTRAL = (b"\xf0", b"\xf1", b"\xf2", b"\xf3", b"\xf4")


class CanonicalError(ValueError):
    """A value that has no canonical JSON: not a number, infinite, an integer beyond 2^53-1, a key that is no text."""


def canonical_bytes(value: Any) -> bytes:
    """The RFC 8785 bytes of a value of dict, list, tuple, str, int, float, bool and None.

    Raises `CanonicalError`; the message names a type or a rule, never the value.
    """
    try:
        encoded = orjson.dumps(value, option=_OPTIONS)
    except TypeError as error:
        # orjson also refuses some values that are canonical (subclasses of str, deep nesting): let the reference say.
        return _by_reference(value, str(error))
    if _spelling_may_differ(encoded) or isinstance(value, float):
        return _by_reference(value)
    # orjson writes not-a-number and the infinities as null. Reading back tells them from None, exactly.
    if b"null" in encoded and orjson.loads(encoded) != value:
        return _by_reference(value)
    return encoded


def fractionless_bytes(value: Any) -> bytes:
    """As `canonical_bytes`, of a value in which no float occurs: looking for floats costs three times the writing."""
    try:
        encoded: bytes = orjson.dumps(value, option=_OPTIONS)
    except TypeError as error:
        return _by_reference(value, str(error))
    return encoded if encoded.isascii() else canonical_bytes(value)


def _spelling_may_differ(encoded: bytes) -> bool:
    # Looking for the plain text first costs a fifth of asking the pattern, which is seldom needed then.
    if (
        (b".0" in encoded and _INTEGRAL.search(encoded))
        or (b"e-" in encoded and _SMALL.search(encoded))
        or (b"e+" in encoded and _LARGE.search(encoded))
    ):
        return True
    return not encoded.isascii() and any(lead in encoded for lead in _ASTRAL)


def _by_reference(value: Any, hint: str = "") -> bytes:
    try:
        return rfc8785.dumps(value)
    except rfc8785.IntegerDomainError:
        raise CanonicalError("an integer is beyond 2^53-1; send it as text") from None
    except rfc8785.FloatDomainError:
        raise CanonicalError("a number is not finite; leave it out or send null") from None
    except RecursionError:
        raise CanonicalError("nested too deeply") from None
    except (ValueError, AttributeError, TypeError):
        raise CanonicalError(f"no canonical JSON: {_kind(hint)}") from None


def _kind(hint: str) -> str:
    # orjson's message names types ("Type is not JSON serializable: set", "Dict key must be str"), never values.
    return hint or "keys and texts must be valid Unicode text"
