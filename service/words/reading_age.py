"""How old a reader a text asks for: Flesch-Kincaid grade (Kincaid and others 1975) plus five years."""

from __future__ import annotations

import re

_VOWELS = re.compile(r"[aeiouy]+")


def reading_age(text: str) -> float:
    """Years, in the English school system: 0.39 words a sentence + 11.8 syllables a word - 15.59 + 5."""
    sentences = max(1, len(re.findall(r"[.?!:]+(?=\s|$)", text)))
    words = re.findall(r"[A-Za-z']+", text)
    syllables = sum(_syllables(word.lower()) for word in words)
    return 0.39 * len(words) / sentences + 11.8 * syllables / max(1, len(words)) - 15.59 + 5


def _syllables(word: str) -> int:
    groups = len(_VOWELS.findall(word))
    silent = word.endswith("e") and not word.endswith("le") and groups > 1
    return max(1, groups - silent)
