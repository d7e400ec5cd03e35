"""Recognises direct identifiers, so that they are refused wherever they turn up.

Grounds takes anonymised features and a pseudonymous case reference. What looks like a name's container (e-mail),
an NHS number, a date, a postcode or a phone number is refused; the value is never repeated.
"""

from __future__ import annotations

import re

_EMAIL = re.compile(r"[^\s@]+@[^\s@]+\.[^\s@]+")
_POSTCODE = re.compile(r"(?<![A-Z0-9])[A-Z]{1,2}[0-9][A-Z0-9]?[ .-]?[0-9][A-Z]{2}(?![A-Z0-9])", re.IGNORECASE)
_DATE = re.compile(
    r"(?<!\d)(?:(?:19|20)\d\d[-/. ]?(?:0[1-9]|1[0-2])[-/. ]?(?:0[1-9]|[12]\d|3[01])"
    r"|(?:0[1-9]|[12]\d|3[01])(?:0[1-9]|1[0-2])(?:19|20)\d\d"
    r"|(?:0?[1-9]|[12]\d|3[01])[-/. ](?:0?[1-9]|1[0-2])[-/. ](?:(?:19|20)\d\d|\d\d))(?!\d)"
)
_YEAR_FIRST = re.compile(
    r"(?<!\d)(?:19|20)\d\d[-/. ](?:0?[1-9]|1[0-2])[-/. ](?:0?[1-9]|[12]\d|3[01])(?!\d)"
    r"|(?<!\d)(?:19|20)\d\d-?W(?:[0-4]\d|5[0-3])-?[1-7](?!\d)",
    re.IGNORECASE,
)
_INSURANCE = re.compile(
    r"(?<![A-Z])[A-CEGHJ-PR-TW-Z][A-CEGHJ-NPR-TW-Z] ?\d\d ?\d\d ?\d\d ?[A-D](?![A-Z])", re.IGNORECASE
)
_NAME = re.compile(r"(?<![A-Za-z])[A-Z][a-z]{2,}[-., ]+[A-Z][a-z]{2,}(?![A-Za-z])")
_MONTH = (
    r"(?:jan(?:uary)?|feb(?:ruary)?|mar(?:ch)?|apr(?:il)?|may|june?|july?|aug(?:ust)?|sept?(?:ember)?|oct(?:ober)?"
    r"|nov(?:ember)?|dec(?:ember)?)"
)
_DATE_IN_WORDS = re.compile(
    rf"(?<!\d)(?:[0-3]?\d(?:st|nd|rd|th)?[-/., ]*{_MONTH}[-/., ]*(?:(?:19|20)\d\d|\d\d)(?!\d)"
    rf"|(?<![a-z]){_MONTH}[-/., ]*[0-3]?\d(?:st|nd|rd|th)?[-/., ]+(?:19|20)\d\d(?!\d))",
    re.IGNORECASE,
)
_PHONE = re.compile(r"(?<!\d)(?:\+\d{1,3}|(?:00)?44|0)[\s().-]*(?:\d[\s().-]*){9,10}(?!\d)")
_TEN_DIGITS = re.compile(r"(?<!\d)\d{3}[ .-]?\d{3}[ .-]?\d{4}(?!\d)")
_NHS_WEIGHTS = range(10, 1, -1)
_JOINED = str.maketrans("_:", "  ")
"""Joined with these, an identifier is still one."""


def identifier_kind(text: str) -> str | None:
    """What a text looks like ("an NHS number", "a postcode", ...), or None where it looks like none of these."""
    text = text.translate(_JOINED)
    for ten in _TEN_DIGITS.findall(text):
        if is_nhs_number(ten):
            return "an NHS number"
    if "@" in text and _EMAIL.search(text):  # the pattern begins anywhere, which is slow
        return "an e-mail address"
    for pattern, kind in (
        (_DATE, "a date"),
        (_YEAR_FIRST, "a date"),
        (_DATE_IN_WORDS, "a date"),
        (_INSURANCE, "a National Insurance number"),
        (_PHONE, "a phone number"),
    ):
        if pattern.search(text):
            return kind
    if _POSTCODE.search(text):
        return "a postcode"
    return None


def looks_like_a_name(reference: str) -> bool:
    """Whether a reference holds two capitalised words side by side. For references alone: levels may be such words."""
    return _NAME.search(reference.translate(_JOINED)) is not None


def is_nhs_number(text: str) -> bool:
    """True for ten digits whose modulus 11 check digit is right (NHS Data Dictionary, NHS NUMBER).

    Spaces and hyphens are passed over. About one in eleven ten-digit numbers passes by chance.
    """
    digits = [int(character) for character in text if character.isdigit()]
    if len(digits) != 10:
        return False
    check = 11 - sum(weight * digit for weight, digit in zip(_NHS_WEIGHTS, digits, strict=False)) % 11
    return check % 11 == digits[9] and check != 10
