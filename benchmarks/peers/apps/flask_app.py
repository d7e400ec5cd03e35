"""Plain Flask on gunicorn's sync workers."""

from explained import Explained
from flask import Flask, jsonify, request

app = Flask(__name__)
explained = Explained()


@app.post("/predict")
def predict():
    return jsonify(explained.answer(request.get_json()["features"]))


@app.get("/readyz")
def readyz():
    return "ready"
