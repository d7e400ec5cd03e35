"""The hand-made model over the shipped dictionary, with pairs: a chain of three, a pair alone, and a hub."""

from random import Random

import orjson

from model.artefact import write_model
from model.dictionary import Dictionary
from tests.service.conftest import hand_made_model

SIZE = 0.02
"""Log-odds: three such pairs of one feature take less from a step than its own table has."""


def paired_model(dictionary: Dictionary, seed: int = 1) -> bytes:
    """As `hand_made_model`, of format 2. Every slot of a feature in a pair is a group of its own."""
    content, luck = orjson.loads(hand_made_model(dictionary)), Random(seed)
    names = [term["feature"] for term in content["terms"]]
    asked = [feature.name for feature in dictionary.features if feature.not_applicable][:2]
    free = [feature.name for feature in dictionary.features if feature.direction == "free"][:2]
    rest = [name for name in names if name not in (*asked, *free)]
    joined = [(rest[0], rest[1]), (rest[1], rest[2]), (rest[3], rest[4]), (rest[3], free[0]), (rest[3], asked[0])]
    joined += [(asked[0], asked[1])]
    pairs = [sorted(pair, key=names.index) for pair in joined]
    slots = {
        term["feature"]: len(term["values"]) + 1 + (term["not_applicable"] is not None) for term in content["terms"]
    }
    content["pairs"] = [
        {
            "features": pair,
            "groups": [list(range(slots[name])) for name in pair],
            "values": [[luck.uniform(-SIZE, SIZE) for _ in range(slots[pair[1]])] for _ in range(slots[pair[0]])],
            "mean": luck.uniform(-SIZE, SIZE),
            "counts": [[None] * slots[pair[1]]] * slots[pair[0]],
            "deviations": [],
        }
        for pair in pairs
    ]
    return write_model({**content, "format": 2})
