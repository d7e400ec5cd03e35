"""A model that is certain of a case is not one to serve."""


class CertainScore(ValueError):
    """A held-out case whose score is 0 or 1 to the last digit. One line, with where to look."""

    def __init__(self) -> None:
        super().__init__(
            "a held-out case scores 0 or 1 exactly, and the service would refuse to answer it; "
            "look for a feature that gives the outcome away and take it out of the dictionary"
        )
