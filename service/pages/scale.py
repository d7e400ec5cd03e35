"""Where a probability stands on a drawing: on a log-odds scale, on which small scores do not fall together."""

from __future__ import annotations

import math
from collections.abc import Iterable
from dataclasses import dataclass

TICKS = (0.0001, 0.001, 0.005, 0.01, 0.02, 0.05, 0.1, 0.2, 0.5, 0.8, 0.95, 0.99, 0.999)


def log_odds(probability: float) -> float:
    """The log-odds of a probability, held away from 0 and 1 so that every score can be drawn."""
    held = min(max(probability, 1e-6), 1 - 1e-6)
    return math.log(held / (1 - held))


@dataclass(frozen=True, slots=True)
class Scale:
    """A stretch of the log-odds line drawn over `width` units."""

    low: float
    high: float
    width: float

    @classmethod
    def over(cls, probabilities: Iterable[float], width: float) -> Scale:
        """A scale on which all of them fit, with a little room at both ends."""
        drawn = [log_odds(probability) for probability in probabilities]
        room = max(0.05 * (max(drawn) - min(drawn)), 0.25)
        return cls(min(drawn) - room, max(drawn) + room, width)

    def at(self, probability: float) -> float:
        """The place of a probability, 0 to `width`, to a tenth of a unit."""
        place = (log_odds(probability) - self.low) / (self.high - self.low)
        return round(self.width * min(max(place, 0.0), 1.0), 1)

    def ticks(self, apart: float) -> list[tuple[float, float]]:
        """Round probabilities on the scale with their places, no two nearer than `apart` units."""
        chosen: list[tuple[float, float]] = []
        for probability in TICKS:
            within = self.low <= log_odds(probability) <= self.high
            place = self.at(probability)
            if within and (not chosen or place - chosen[-1][1] >= apart):
                chosen.append((probability, place))
        return chosen
