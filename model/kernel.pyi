"""The types of the compiled kernel."""

from model.additive import AdditiveModel, Term
from model.dictionary import Value

Explained = tuple[tuple[int, ...], float, float, tuple[float, float], int, tuple[float, ...], tuple[int, ...]]
"""Slots, margin, score, interval, band, contributions, order: of `model.explanation.Explanation`."""
Unknown = tuple[list[Term], list[float], list[float], list[float], tuple[float, float]]
"""Terms, gains, scores if lowest, scores if highest, range: of `model.gaps.Gaps`."""

SOURCES: str
"""`model.compiled.sources_digest` of what this was built from."""

class Kernel:
    """The tables of one model as one pass needs them."""

    def __init__(self, model: AdditiveModel, unit: float, quantile: float) -> None:
        """`unit` is that of the refits' whole numbers, `quantile` how many of their deviations a range reaches.

        Raises `ValueError` for a model with pairs, of more terms or refits than there is room for, or of no known
        shape.
        """

    def look(self, values: dict[str, Value]) -> tuple[Explained, Unknown]:
        """What there is to say of a case's values. Whether the contributions sum to the score is not checked here.

        Raises `KeyError` for a value that its term does not have, `IndexError` for a number of a term without bins.
        """
