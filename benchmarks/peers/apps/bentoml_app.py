"""A BentoML service."""

from __future__ import annotations

import bentoml
from explained import Explained


@bentoml.service(workers=2)
class Peer:
    def __init__(self) -> None:
        self.explained = Explained()

    @bentoml.api
    def predict(self, features: list[float | None]) -> dict:
        return self.explained.answer(features)
