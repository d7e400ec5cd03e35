"""What every peer does with a request: score and shap's contributions of one row. It has no log, checks or words."""

import os

import joblib
import numpy as np
import shap


class Explained:
    """One model with its explainer, as the library's guides have it."""

    def __init__(self):
        kept = joblib.load(os.environ["PEER_MODELS"])
        kind = os.environ["PEER_KIND"]
        self.model = kept[kind]
        self.scaler = kept["scaler"]
        if kind == "tree":
            self.explainer = shap.TreeExplainer(self.model)
        else:
            self.explainer = shap.LinearExplainer(self.model, np.asarray(kept["background"]))
        self.answer(kept["row"])

    def answer(self, features):
        """Score and contributions of one row; None is a value that is not known."""
        row = np.array([features], dtype=float)
        if os.environ["PEER_KIND"] == "logistic":
            row = self.scaler.transform(np.nan_to_num(row))
        score = float(self.model.predict_proba(row)[0, 1])
        contributions = np.asarray(self.explainer.shap_values(row)).reshape(-1)
        return {"score": score, "contributions": contributions.tolist()}
