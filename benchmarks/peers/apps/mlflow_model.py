"""Saves an MLflow pyfunc model that answers score and contributions, for `mlflow models serve`."""

import sys

import mlflow
import pandas as pd
from explained import Explained


class Peer(mlflow.pyfunc.PythonModel):
    def load_context(self, context):
        self.explained = Explained()

    def predict(self, context, model_input, params=None):
        rows = model_input.to_numpy() if isinstance(model_input, pd.DataFrame) else model_input
        return [self.explained.answer(row) for row in rows]


mlflow.pyfunc.save_model(sys.argv[1], python_model=Peer())
