"""FastAPI on uvicorn, the body checked by pydantic."""

from explained import Explained
from fastapi import FastAPI
from pydantic import BaseModel

app = FastAPI()
explained = Explained()


class Case(BaseModel):
    features: list[float | None]


@app.post("/predict")
def predict(case: Case):
    return explained.answer(case.features)


@app.get("/readyz")
def readyz():
    return "ready"
