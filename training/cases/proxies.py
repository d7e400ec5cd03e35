"""Finds excluded columns that came back as a feature under another name.

Here the sign is a word in the name that the excluded name shares (`home_postcode`, `deprivation_decile`). That a column
holds the same as one that may not be scored, or nearly, is for `training.cases.suspects` and `stand_ins`. A proxy under
a name that does not say so, whose original is not in the file, cannot be found: deciles of deprivation look like any
whole numbers from 1 to 10.
"""

from __future__ import annotations

import re
from collections.abc import Iterable

_SAME = {
    "imd": "deprivation", "idaci": "deprivation", "idaopi": "deprivation", "deprived": "deprivation",
    "ethnic": "ethnicity", "race": "ethnicity", "benefit": "benefits", "credit": "benefits", "earnings": "income",
    "salary": "income", "wage": "income", "tenancy": "tenure", "tenant": "tenure", "faith": "religion",
    "religious": "religion", "asylum": "immigration", "visa": "immigration", "migrant": "immigration",
    "citizenship": "nationality", "pcode": "postcode", "unemployed": "unemployment", "jobless": "unemployment",
    "refugee": "immigration", "nrpf": "immigration", "fsm": "benefits", "lsoa": "postcode", "msoa": "postcode",
}  # fmt: skip
PROXIES = frozenset(_SAME.values()) | {"poverty", "language", "orientation"}
"""Words for poverty, place and protected characteristics. Other words of a name (`index`, `parent`) say too little."""


def proxy_words(name: str) -> frozenset[str]:
    """The words of a name that stand for a proxy, one word a meaning: `IMD decile` has `deprivation`."""
    return frozenset(_SAME.get(word, word) for word in name_words(name)) & PROXIES


def name_words(name: str) -> frozenset[str]:
    """The words of a column's name in small letters, however they are joined: `motherEthnicGroup` has three."""
    text = re.sub(r"(?<=[a-z])(?=[A-Z])", "_", name).lower().replace("post_code", "postcode")
    return frozenset(re.findall(r"[a-z]+", text.replace("post code", "postcode")))


def proxy_of(name: str, excluded: Iterable[str]) -> str | None:
    """The excluded column that a feature's name or column shares a proxy's word with, or None."""
    mine = proxy_words(name)
    return next((other for other in excluded if mine & proxy_words(other)), None)
